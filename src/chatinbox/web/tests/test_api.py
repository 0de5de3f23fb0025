"""The staff inbox's doors: what each answers when all is well."""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.rows import PAGE
from chatinbox.core.clock import millis, now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

NOWHERE = "00000000-0000-7000-8000-000000000000"


def words(text: str = "Soon", seen: int = 1, **more: Any) -> dict[str, Any]:
    """What the browser sends for an answer or a note."""
    return {"id": str(new_id()), "text": text, "seen": seen, **more}


async def of(client: Browser, conversation_id: UUID) -> dict[str, Any]:
    """A conversation as the browser opens it."""
    answer = await client.get(f"/api/conversations/{conversation_id}")
    assert answer.status_code == 200
    opened: dict[str, Any] = answer.json()
    return opened


async def put(client: Browser, conversation_id: UUID, what: str, body: Any) -> dict[str, Any]:
    """Changes a conversation; its row in the answer, which is the row the list shows."""
    answer = await client.put(f"/api/conversations/{conversation_id}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()["row"]
    assert row == (await of(client, conversation_id))["row"] and answer.json()["feed"] == row["feed"]
    return row


async def asked(client: Browser, ask: str, got: Any, **more: Any) -> Any:
    """Asks a door of a conversation or customer; never a failure of ours, and an error is a sentence."""
    method, path = ask.split(" ")
    path = path.format(
        c=f"/api/conversations/{got.conversation_id}", customer=f"/api/customers/{got.customer_id}"
    )
    answer = await client.request(method, path, **more)
    assert answer.status_code < 500, (ask, more, answer.text)
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["code"] and re.fullmatch(r"[A-Z“].{8,200}\.", error["message"])
    return answer


async def test_a_list_and_its_headers(ada: Staff, say: Say, client: Browser) -> None:
    got = await say(ada, "Where is my order?", subject="Order 7")
    answer = await (await client.as_(ada)).get("/api/list", params={"view": "todo"})
    assert answer.status_code == 200
    [row] = answer.json()["rows"]
    assert (row["id"], row["subject"], row["preview"], row["status"], row["unread"]) == (
        str(got.conversation_id), "Order 7", "Where is my order?", "todo", True,
    )  # fmt: skip
    assert answer.json()["next"] is None and answer.json()["feed"] == row["feed"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"
    assert (await client.get("/api/list")).content == answer.content


async def test_views_shelves_tags_and_pages_of_a_list(
    inst: Installation, ada: Staff, say: Say, client: Browser
) -> None:
    made = await asyncio.gather(*(say(ada, email=f"{n}@mail.example") for n in range(PAGE + 1)))
    await client.as_(ada)
    for got in made:
        await verbs.set_status(inst, ada, got.conversation_id, "done")
    tag = await verbs.create_tag(inst, ada, "vip")
    await verbs.tag(inst, ada, made[0].conversation_id, tag.id)
    for ask in (
        {"view": "done"}, {"view": "all"}, {"view": "unassigned", "status": "done"}, {"view": "done", "sort": "longest"}
    ):  # fmt: skip
        first = (await client.get("/api/list", params=ask)).json()
        then = (await client.get("/api/list", params=ask | {"after": first["next"]})).json()
        ids = [row["id"] for row in first["rows"] + then["rows"]]
        assert sorted(ids) == sorted(str(got.conversation_id) for got in made), ask
    tagged = (await client.get("/api/list", params={"view": "all", "tag": str(tag.id)})).json()["rows"]
    assert [row["id"] for row in tagged] == [str(made[0].conversation_id)]
    for wrong in (NOWHERE, "nonsense"):
        assert (await client.get("/api/list", params={"view": "all", "tag": wrong})).json()["rows"] == []


async def test_what_changed_since(ada: Staff, say: Say, client: Browser) -> None:
    first = await say(ada)
    start = (await (await client.as_(ada)).get("/api/sync")).json()
    assert [row["id"] for row in start["rows"]] == [str(first.conversation_id)] and start["counts"][
        "todo"
    ] == 1
    made = (await client.post("/api/tags", json={"name": " vip "})).json()
    later = (await client.get("/api/sync", params={"after": start["feed"]})).json()
    assert later["rows"] == [] and later["tags"] == [made] and made["name"] == "vip"
    none = (await client.get("/api/sync", params={"after": later["feed"]})).json()
    assert none["rows"] == [] and none["tags"] is None and none["feed"] == later["feed"]


async def test_a_conversation_opens_with_its_customer_and_reloads_without(
    ada: Staff, bea: Staff, say: Say, new_browser: Callable[[], Browser]
) -> None:
    got = await say(ada, "Hello")
    client, other = await new_browser().as_(ada), await new_browser().as_(bea)
    await other.put("/api/here", json={"conversation_id": str(got.conversation_id), "typing": True})
    opened = await of(client, got.conversation_id)
    assert [entry["text"] for entry in opened["entries"]] == ["Hello"]
    assert opened["customer"]["addresses"] == [
        {
            "kind": "email",
            "value": "customer@mail.example",
            "id": opened["customer"]["addresses"][0]["id"],
            "proven": opened["customer"]["addresses"][0]["proven"],
            "source": opened["customer"]["name_source"],
        }
    ]
    assert opened["customer"]["held"] == {"messages": 1, "files": 0}
    assert opened["here"] == [{"staff_user_id": str(bea.staff_user_id), "typing": True}]
    assert opened["visitor"] == {"here": False, "typing": False}
    await other.put("/api/here", json={"conversation_id": None})
    newer = await client.get(f"/api/conversations/{got.conversation_id}", params={"after": 1})
    assert newer.json()["entries"] == [] and newer.json()["here"] == [] and "customer" not in newer.json()


async def test_an_answer_is_sent_once(ada: Staff, say: Say, client: Browser) -> None:
    got = await say(ada)
    await client.as_(ada)
    answer, path = (
        words("Tomorrow", html="<p>Tomorrow<script>x</script></p>"),
        f"/api/conversations/{got.conversation_id}/messages",
    )
    sent = await client.post(path, json=answer)
    assert sent.status_code == 201
    opened = await of(client, got.conversation_id)
    assert sent.json() == {"entry": opened["entries"][-1], "feed": opened["row"]["feed"]}
    assert (
        sent.json()["entry"]["author_id"] == str(ada.staff_user_id)
        and "script" not in sent.json()["entry"]["html"]
    )
    assert opened["row"]["status"] == "waiting"
    again = await client.post(path, json=answer)
    assert again.status_code == 201 and len((await of(client, got.conversation_id))["entries"]) == 2
    done = await client.post(path, json=words("Done", seen=2, then="done"))
    assert done.status_code == 201 and (await of(client, got.conversation_id))["row"]["status"] == "done"


async def test_an_answer_is_held_with_what_is_new_until_asked_again(
    ada: Staff, say: Say, client: Browser
) -> None:
    got = await say(ada, "One")
    await say(ada, "Two", conversation_id=got.conversation_id)
    path, answer = f"/api/conversations/{got.conversation_id}/messages", words()
    held = await (await client.as_(ada)).post(path, json=answer)
    assert held.status_code == 409 and held.json()["error"]["code"] == "held"
    assert [entry["text"] for entry in held.json()["entries"]] == ["Two"]
    assert held.json()["row"] == (await of(client, got.conversation_id))["row"]
    assert (await client.post(path, json=answer | {"send_anyway": True})).status_code == 201


async def test_a_note(ada: Staff, say: Say, client: Browser) -> None:
    got = await say(ada)
    path = f"/api/conversations/{got.conversation_id}/notes"
    answer = await (await client.as_(ada)).post(path, json=words("They are right"))
    assert answer.status_code == 201
    assert answer.json()["entry"] == (await of(client, got.conversation_id))["entries"][-1]
    assert answer.json()["entry"]["text"] == "They are right"


async def test_who_answers_whose_turn_and_when(ada: Staff, bea: Staff, say: Say, client: Browser) -> None:
    c = (await say(ada)).conversation_id
    await client.as_(ada)
    for who in (str(bea.staff_user_id), str(bea.staff_user_id), None):
        assert (await put(client, c, "assignment", {"staff_user_id": who}))["assignee_id"] == who
    for status in ("waiting", "done", "done", "todo"):
        assert (await put(client, c, "status", {"status": status}))["status"] == status
    tomorrow = millis(now()) + 86_400_000
    for until in (tomorrow, None):
        assert (await put(client, c, "snooze", {"until": until}))["snoozed_until"] == until
    assert (await put(client, c, "subject", {"subject": "  Order\n 7 "}))["subject"] == "Order 7"


async def test_tags_and_spam_go_on_and_off_as_often_as_asked(ada: Staff, say: Say, client: Browser) -> None:
    c = (await say(ada)).conversation_id
    made = await (await client.as_(ada)).post("/api/tags", json={"name": "vip"})
    assert made.status_code == 201
    assert (await client.post("/api/tags", json={"name": "VIP"})).json()["id"] == made.json()["id"]
    tag_id = made.json()["id"]
    for method, path, name, value in (
        ("PUT", f"tags/{tag_id}", "tags", [tag_id]),
        ("DELETE", f"tags/{tag_id}", "tags", []),
        ("PUT", "spam", "spam", True),
        ("DELETE", "spam", "spam", False),
    ):
        for _ in range(2):
            answer = await client.request(method, f"/api/conversations/{c}/{path}")
            assert answer.status_code == 200 and answer.json()["row"][name] == value


async def test_seen_goes_forward_and_back(ada: Staff, say: Say, client: Browser) -> None:
    c = (await say(ada)).conversation_id
    await client.as_(ada)
    for position, unread in ((1, False), (0, True), (1 << 53, False)):
        answer = await client.put(f"/api/conversations/{c}/seen", json={"position": position})
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await of(client, c))["row"]["unread"] is unread


async def test_a_draft_is_kept_the_older_tab_loses_and_it_is_thrown_away(
    ada: Staff, say: Say, client: Browser
) -> None:
    c = (await say(ada)).conversation_id
    path = f"/api/conversations/{c}/draft"
    await client.as_(ada)
    draft = {"kind": "reply", "text": "new", "revision": 5}
    assert (await client.put(path, json=draft)).status_code == 204
    older = await client.put(path, json=draft | {"text": "old", "revision": 4})
    assert older.status_code == 409 and older.json()["error"]["code"] == "newer_draft"
    assert (await of(client, c))["draft"]["text"] == "new"
    assert (await client.put(path, json=draft | {"text": "", "revision": 6})).status_code == 204
    for _ in range(2):
        assert (await client.delete(path)).status_code == 204
    assert (await of(client, c))["draft"] is None


@pytest.mark.parametrize(
    ("type_", "served"), [("text/html; charset=utf-8", "application/octet-stream"), ("image/png", "image/png"),
                          ("image/svg+xml", "application/octet-stream")]
)  # fmt: skip
async def test_a_file_goes_up_and_comes_down_from_the_other_origin(
    ada: Staff, say: Say, client: Browser, type_: str, served: str
) -> None:
    c = (await say(ada)).conversation_id
    await client.as_(ada)
    content = b"<script>alert(1)</script>" * 9000
    up = await client.post(
        f"/api/conversations/{c}/files",
        content=content,
        headers={"content-type": type_, "x-file-name": "..%2Fr%C3%A9sum%C3%A9%0D%0A%22.html"},
    )
    assert up.status_code == 201
    file = up.json()
    assert (file["name"], file["size"], file["type"]) == (
        '.._résumé\r\n".html', len(content), type_.split(";")[0],
    )  # fmt: skip
    assert file["url"].startswith("http://localhost:8000/files/")
    down = await client.get(file["url"])
    assert down.status_code == 200 and down.content == content
    assert down.headers["content-type"] == served
    assert down.headers["x-content-type-options"] == "nosniff"
    assert (
        down.headers["content-disposition"]
        == "attachment; filename*=UTF-8''.._r%C3%A9sum%C3%A9%0D%0A%22.html"
    )
    assert "sandbox" in down.headers["content-security-policy"]
    assert "default-src 'none'" in down.headers["content-security-policy"]
    assert "no-store" in down.headers["cache-control"]
    on_ours = await client.get(file["url"].replace("localhost", "127.0.0.1"))
    assert on_ours.status_code == 404

    for kind in ("messages", "notes"):
        if kind == "notes":
            file = (await client.post(f"/api/conversations/{c}/files", content=b"y")).json()
        said = words(kind, seen=9, files=[file["id"]])
        draft = {"kind": "reply", "text": kind, "revision": 1, "files": [file["id"]]}
        assert (await client.put(f"/api/conversations/{c}/draft", json=draft)).status_code == 204
        assert [f["id"] for f in (await of(client, c))["draft"]["files"]] == [file["id"]]
        for _ in range(2):
            answer = await client.post(f"/api/conversations/{c}/{kind}", json=said)
            assert answer.status_code == 201
            assert [f["id"] for f in answer.json()["entry"]["files"]] == [file["id"]]


async def test_an_answer_is_not_sent_without_a_file_it_names(ada: Staff, say: Say, client: Browser) -> None:
    c, other = (await say(ada)).conversation_id, (await say(ada, email="b@mail.example")).conversation_id
    await client.as_(ada)
    file = (await client.post(f"/api/conversations/{other}/files", content=b"x")).json()
    for kind in ("messages", "notes"):
        answer = await client.post(f"/api/conversations/{c}/{kind}", json=words(files=[file["id"]]))
        assert answer.status_code == 404
    assert len((await of(client, c))["entries"]) == 1


async def test_files_alone_are_an_answer(ada: Staff, say: Say, client: Browser) -> None:
    c = (await say(ada)).conversation_id
    file = (await (await client.as_(ada)).post(f"/api/conversations/{c}/files", content=b"x")).json()
    answer = await client.post(f"/api/conversations/{c}/messages", json=words("", files=[file["id"]]))
    assert answer.status_code == 201 and answer.json()["entry"]["files"][0]["name"] == "file"


async def test_a_customer_gets_a_name_and_loses_it(ada: Staff, say: Say, client: Browser) -> None:
    got = await say(ada, subject="Order 7")
    path = f"/api/customers/{got.customer_id}"
    before = (await (await client.as_(ada)).get(path)).json()
    assert before["name"] == "Casey Customer"
    assert [talk["subject"] for talk in before["conversations"]] == ["Order 7"]
    named = await client.put(path, json={"name": "  Casey   Lee "})
    assert named.status_code == 200 and named.json()["name"] == "Casey Lee"
    assert (await client.get(path)).json() == named.json()
    assert (await of(client, got.conversation_id))["row"]["customer"]["name"] == "Casey Lee"
    unnamed = (await client.put(path, json={"name": ""})).json()
    assert not unnamed["named"] and unnamed["name"] == "customer"


@pytest.mark.parametrize("name", ["", "%", "%FF%00", "%2e%2e%2f%2e%2e", "x" * 5000, "%F0%9F%98%80"])
async def test_a_file_of_any_name_is_stored(ada: Staff, say: Say, client: Browser, name: str) -> None:
    got = await say(ada)
    headers = {"x-file-name": name, "content-type": ""}
    up = await asked(await client.as_(ada), "POST {c}/files", got, content=b"", headers=headers)
    assert up.status_code == 201 and "/" not in up.json()["name"]
    down = await client.get(up.json()["url"])
    assert (down.status_code, down.content) == (200, b"")
    assert down.headers["content-disposition"].startswith("attachment; ")


async def test_a_note_counts_as_new_for_the_colleague_alone(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser
) -> None:
    got = await say(ada)
    await verbs.add_note(inst, bea, got.conversation_id, new_id(), Body(text="n"))
    held = await (await client.as_(ada)).post(
        f"/api/conversations/{got.conversation_id}/messages", json=words()
    )
    assert held.status_code == 409 and held.json()["entries"][0]["text"] == "n"


async def test_companies_of_one_name_each_get_an_address(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatinbox.web.first_channels.secrets.token_hex", "f".__mul__)
    for name in ("One", "Two", "Three"):
        owner = await people.owner(name, "The Same Name")
        assert await people.channel(owner, "email")
