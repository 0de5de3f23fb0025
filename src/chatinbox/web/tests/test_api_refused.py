"""The staff inbox's doors: the sentence when something is not well, and nothing changed."""

import json
from typing import Any

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.body import MAX_TEXT
from chatinbox.core.installation import Installation
from chatinbox.web.answer import MAX_JSON
from chatinbox.web.tests.test_api import NOWHERE, asked, of, words

# Every door that reads JSON, with a right body; what is wrong with it comes from the tests below.
JSON_DOORS: dict[str, dict[str, Any]] = {
    "POST {c}/messages": words(),
    "POST {c}/notes": words(),
    "PUT {c}/assignment": {"staff_user_id": None},
    "PUT {c}/status": {"status": "done"},
    "PUT {c}/snooze": {"until": None},
    "PUT {c}/seen": {"position": 1},
    "PUT {c}/subject": {"subject": "x"},
    "PUT {c}/draft": {"kind": "note", "text": "x", "revision": 1},
    "PUT {customer}": {"name": "x"},
    "PUT /api/here": {"conversation_id": None},
    "POST /api/tags": {"name": "x"},
}


NO_JSON = [
    b"", b"{", b"nonsense", b"\xff\xfe", b'{"text": "\xff"}', b"[]", b"null", b"1", b'"x"', b"{}",
    b'{"name": "\\ud800"}', b"[" * 100_000, b'{"other": ' + b"[" * 100_000, b'{"other": ' + b'{"a":' * 100_000,
]  # fmt: skip


WRONG: list[Any] = [[], {}, 1.5, True, "\0", "x", -1, 1 << 53 | 1, 1 << 63, 1 << 64, 10**400, None]


@pytest.mark.parametrize("ask", JSON_DOORS)
async def test_a_body_that_is_not_what_is_expected_is_refused_with_a_sentence(
    ada: Staff, say: Say, client: Browser, ask: str
) -> None:
    got = await say(ada)
    await client.as_(ada)
    for raw in NO_JSON:
        answer = await asked(client, ask, got, content=raw)
        assert answer.status_code == 400 and answer.json()["error"]["code"] == "malformed", (raw, answer.text)
    for name in JSON_DOORS[ask]:
        for wrong in WRONG:
            body = JSON_DOORS[ask] | {name: wrong}
            await asked(client, ask, got, content=_json(body))
        for wrong in ([], {}, 1.5, True):
            answer = await asked(client, ask, got, content=_json(JSON_DOORS[ask] | {name: wrong}))
            assert answer.status_code == 400, (name, wrong, answer.text)
    large = await asked(client, ask, got, content=b" " * (MAX_JSON + 1))
    assert large.status_code == 413 and large.json()["error"]["code"] == "too_large"
    for optional, wrong in (
        ("html", 1),
        ("files", "x"),
        ("files", [1]),
        ("then", "later"),
        ("send_anyway", 1),
    ):
        await asked(client, ask, got, json=JSON_DOORS[ask] | {optional: wrong})
    assert (await asked(client, ask, got, json=JSON_DOORS[ask])).status_code < 300


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("ask", "body", "status", "code"),
    [
        ("POST {c}/messages", words(""), 400, "empty"),
        ("POST {c}/messages", words(" \n\t "), 400, "empty"),
        ("POST {c}/notes", words(""), 400, "empty"),
        ("POST {c}/messages", words("a\0b"), 400, "malformed"),
        ("POST {c}/messages", words("x" * (MAX_TEXT + 1)), 413, "too_long"),
        ("POST {c}/notes", words("x", html="x" * (MAX_TEXT + 1)), 413, "too_long"),
        ("POST {c}/messages", words(seen=-1), 400, "malformed"),
        ("PUT {c}/draft", {"kind": "reply", "text": "x" * (MAX_TEXT + 1), "revision": 1}, 413, "too_long"),
        ("PUT {c}/draft", {"kind": "letter", "text": "x", "revision": 1}, 400, "malformed"),
        ("PUT {c}/draft", {"kind": "reply", "text": "x", "revision": 1 << 63}, 400, "malformed"),
        ("PUT {c}/seen", {"position": 1 << 63}, 400, "malformed"),
        ("PUT {c}/seen", {"position": -1}, 400, "malformed"),
        ("PUT {c}/status", {"status": "open"}, 400, "malformed"),
        ("PUT {c}/snooze", {"until": 1}, 400, "past_time"),
        ("PUT {c}/snooze", {"until": -(10**15)}, 400, "until"),
        ("PUT {c}/snooze", {"until": 10**18}, 400, "until"),
        ("PUT {c}/subject", {"subject": " "}, 400, "subject"),
        ("PUT {c}/subject", {"subject": "x" * 301}, 400, "subject"),
        ("PUT {c}/assignment", {"staff_user_id": NOWHERE}, 404, "not_found"),
        ("PUT /api/here", {"conversation_id": NOWHERE}, 404, "not_found"),
        ("POST /api/tags", {"name": " "}, 400, "tag_name"),
        ("POST /api/tags", {"name": "x" * 41}, 400, "tag_name"),
        ("PUT {customer}", {"name": "x" * 201}, 400, "name"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_nothing_changes(
    ada: Staff, say: Say, client: Browser, ask: str, body: Any, status: int, code: str
) -> None:
    got = await say(ada)
    await client.as_(ada)
    before = (await client.get(f"/api/conversations/{got.conversation_id}")).content
    answer = await asked(client, ask, got, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert (await client.get(f"/api/conversations/{got.conversation_id}")).content == before


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/api/list", {"view": "everything"}, "view"),
        ("/api/list", {"view": "to\0do"}, "view"),
        *[
            ("/api/list", {"after": cursor}, "cursor")
            for cursor in (
                "x",
                "1",
                f"x.{NOWHERE}",
                "1.x",
                f"{10**30}.{NOWHERE}",
                f"{'9' * 5000}.{NOWHERE}",
                ".",
            )
        ],
        *[
            ("/api/sync", {"after": number}, "after")
            for number in ("x", "-1", "1.5", "²", "٣", " 1", "+1", "1_0", "9" * 19, "\0")
        ],
        ("{c}", {"after": "x"}, "after"),
        ("{c}", {"before": "²"}, "before"),
    ],
)
async def test_a_query_that_is_none_is_refused(
    ada: Staff, say: Say, client: Browser, path: str, params: dict[str, str], code: str
) -> None:
    answer = await asked(await client.as_(ada), f"GET {path}", await say(ada), params=params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_an_oversized_file_is_refused_whether_its_size_is_told_or_not(
    inst: Installation, ada: Staff, say: Say, client: Browser
) -> None:
    got = await say(ada)
    await client.as_(ada)
    limit = inst.settings.max_upload_bytes

    async def pieces() -> Any:
        for _ in range(limit // 1_000_000 + 2):
            yield b"x" * 1_000_000

    for content in (b"x" * (limit + 1), pieces()):
        answer = await asked(client, "POST {c}/files", got, content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert (await of(client, got.conversation_id))["customer"]["held"]["files"] == 0


async def test_what_goes_wrong_on_our_side_is_told_without_its_reason(
    inst: Installation, ada: Staff, say: Say, client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    await client.as_(ada)
    monkeypatch.setattr("chatinbox.web.api.read.read_list", breaks)
    answer = await client.get("/api/list")
    assert answer.status_code == 500 and answer.json()["error"]["code"] == "failed"
    assert "secret" not in answer.text


async def test_an_address_or_a_method_that_is_none(ada: Staff, client: Browser) -> None:
    await client.as_(ada)
    assert (await client.get("/api/nothing")).status_code == 404
    assert (await client.post("/api/list")).status_code == 405
