"""Every door, asked by an outsider: a foreign id, a made-up one and malformed text are answered with the same bytes."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import address_of, channel_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import api, held
from chatinbox.web.answer import read_body

ROUTES = [*api.ROUTES, *held.ROUTES]
C = "/api/conversations/{id}"
SOON = 4_000_000_000_000

# What each door is asked with when everything about the request is right. A `{kind}` becomes that id.
BODIES: dict[str, dict[str, Any] | bytes | None] = {
    "GET /api/list": None,
    "GET /api/sync": None,
    "GET /api/search": None,
    "PUT /api/here": {"conversation_id": "{conversation}"},
    "POST /api/tags": {"name": "vip"},
    f"GET {C}": None,
    f"POST {C}/messages": {"id": "{new}", "text": "x", "seen": 99, "files": ["{attachment}"]},
    f"POST {C}/notes": {"id": "{new}", "text": "x", "files": ["{attachment}"]},
    f"POST {C}/files": b"x",
    f"PUT {C}/assignment": {"staff_user_id": "{staff}"},
    f"PUT {C}/status": {"status": "done"},
    f"PUT {C}/snooze": {"until": SOON},
    f"PUT {C}/tags/{{tag_id}}": None,
    f"DELETE {C}/tags/{{tag_id}}": None,
    f"PUT {C}/spam": None,
    f"DELETE {C}/spam": None,
    f"PUT {C}/seen": {"position": 1},
    f"PUT {C}/subject": {"subject": "x"},
    f"PUT {C}/draft": {"kind": "note", "text": "x", "revision": 1, "files": ["{attachment}"]},
    f"DELETE {C}/draft": None,
    "GET /api/customers/{id}": None,
    "GET /api/customers/{id}/looked": None,
    "PUT /api/customers/{id}": {"name": "x"},
    "GET /api/held": None,
    "POST /api/held/{id}/release": None,
    "DELETE /api/held/{id}": None,
    "GET /api/held/{id}/raw": None,
}

# Where an id stands in a request, and whose it is. A new id in a path, a body or a query belongs here.
PLACES: dict[tuple[str, str], str] = {
    **{(ask, "path id"): "conversation" for ask in BODIES if C in ask},
    ("GET /api/customers/{id}", "path id"): "customer",
    ("GET /api/customers/{id}/looked", "path id"): "customer",
    ("PUT /api/customers/{id}", "path id"): "customer",
    **{(ask, "path id"): "held letter" for ask in BODIES if "/held/{id}" in ask},
    (f"PUT {C}/tags/{{tag_id}}", "path tag_id"): "tag",
    (f"DELETE {C}/tags/{{tag_id}}", "path tag_id"): "tag",
    ("GET /api/list", "query tag"): "tag",
    ("PUT /api/here", "body conversation_id"): "conversation",
    (f"PUT {C}/assignment", "body staff_user_id"): "staff",
    (f"POST {C}/messages", "body files"): "attachment",
    (f"POST {C}/notes", "body files"): "attachment",
    (f"PUT {C}/draft", "body files"): "attachment",
}

# The writer's browser makes these ids itself: they look nothing up, so a foreign one is as new as a made-up one.
NAMED_BY_THE_BROWSER = {(f"POST {C}/messages", "body id"): "message", (f"POST {C}/notes", "body id"): "note"}

# Queries that hold no id of a row. (`after` of a list is a place between rows, and only compared.)
PLAIN_QUERIES = {"view", "status", "sort", "after", "before", "q", "ahead"}


def places_of(method: str, path: str, act: Callable[..., object]) -> set[tuple[str, str]]:
    """Where a door takes ids, read from its path and its code."""
    ask, code = f"{method} {path}", inspect.getsource(act)
    found = {f"path {name}" for name in re.findall(r"{(\w+)}", path)}
    for shape in re.findall(r"read_body\(request, (\w+)\)", code):
        for field in msgspec.structs.fields(getattr(sys.modules[act.__module__], shape)):
            if "UUID" in str(field.type) or re.search(r"(^|_)ids?$", field.name):
                found.add(f"body {field.name}")
    queries = re.findall(r"(?:ask|query_params)(?:\.get\(|\[)\"(\w+)\"", code)
    queries += re.findall(r"_number\(request, \"(\w+)\"", code)
    found |= {f"query {name}" for name in queries if name not in PLAIN_QUERIES}
    return {(ask, place) for place in found}


def test_every_id_of_every_door_is_tried_here() -> None:
    assert {f"{method} {path}" for method, path, _ in ROUTES} == set(BODIES)
    found = set().union(*(places_of(*route) for route in ROUTES))
    assert found == set(PLACES) | set(NAMED_BY_THE_BROWSER)


def test_a_new_door_with_an_id_is_noticed() -> None:
    class Newcomer(msgspec.Struct):
        """A body with ids."""

        merged_into: UUID | None
        thing_id: str

    async def put_new(inst: Installation, by: Staff, request: Any) -> Any:
        await read_body(request, Newcomer)
        return request.query_params.get("who")

    here = sys.modules[__name__]
    here.Newcomer = Newcomer  # type: ignore[attr-defined]
    try:
        found = {place for _, place in places_of("PUT", "/api/new/{new_id}", put_new)}
    finally:
        del here.Newcomer  # type: ignore[attr-defined]
    assert found == {"path new_id", "body merged_into", "body thing_id", "query who"}


@dataclass
class Theirs:
    """The ids of one account's things."""

    staff_user: Staff
    ids: dict[str, str]


async def things_of(inst: Installation, staff: Staff, say: Say) -> Theirs:
    """A conversation with a tag, a note, a draft and an uploaded file; and a held letter."""
    got = await say(staff, "Hello", subject="Order 7")
    tag = await verbs.create_tag(inst, staff, "vip")
    await verbs.tag(inst, staff, got.conversation_id, tag.id)
    note_id = new_id()
    await verbs.add_note(inst, staff, got.conversation_id, note_id, Body(text="n"))
    file = NewFile("a.txt", "text/plain", b"x")
    file_id = await verbs.attach(inst, staff.account_id, got.conversation_id, file)
    await verbs.save_draft(inst, staff, got.conversation_id, "reply", Body(text="d"), 1, [file_id])
    await verbs.mark_seen(inst, staff, got.conversation_id, 1)
    channel_id, address = await channel_of(inst, staff), await address_of(inst, staff)
    letter = await store(
        inst, staff.account_id, channel_id, b"Subject: From nobody\r\n\r\nx\r\n", None, address
    )
    await place(inst, letter)
    ids = {
        "conversation": got.conversation_id,
        "customer": got.customer_id,
        "tag": tag.id,
        "staff": staff.staff_user_id,
        "attachment": file_id,
        "message": got.message_id,
        "note": note_id,
        "held letter": letter.raw_mail_id,
    }
    return Theirs(staff, {kind: str(value) for kind, value in ids.items()})


async def rows_of(inst: Installation, staff: Staff) -> dict[str, Any]:
    """Every row of an account that can be read, as one text a table."""
    tables = await inst.db.directory(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'"
        " where c.relnamespace = 'tenant'::regnamespace and c.relkind = 'r' and has_table_privilege(c.oid, 'select')"
    )
    names = [name for (name,) in tables]
    assert {"conversation", "message", "note", "draft", "seen", "customer", "tag", "attachment"} <= set(names)
    asks = [
        (
            f"select string_agg(t::text, ' ' order by t::text) from tenant.{name} t where account_id = %s",
            [staff.account_id],
        )
        for name in names
    ]
    return dict(zip(names, await inst.db.run(staff.account_id, *asks), strict=True))


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A body with its `{kind}`s replaced."""
    if isinstance(value, dict):
        return {name: filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, ids) for inner in value]
    return value.format(**ids, new=new_id()) if isinstance(value, str) else value


async def send(
    browser: Browser,
    ask: str,
    ids: dict[str, str],
    place: str = "",
    wrong: str = "",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Asks a door with right ids, except for the one place where `wrong` stands."""
    method, path = ask.split(" ")
    where, _, name = place.partition(" ")
    kind = "customer" if "customers" in path else "held letter" if "/held/" in path else "conversation"
    own = {"id": ids[kind], "tag_id": ids["tag"]}
    address = path.format(**own | ({name: wrong} if where == "path" else {}))
    body = filled(BODIES[ask], ids)
    if where == "body":
        assert isinstance(body, dict) and name in body
        body[name] = [wrong] if isinstance(body[name], list) else wrong
    return await browser.request(
        method,
        address,
        params={name: wrong} if where == "query" else None,
        json=body if isinstance(body, dict) else None,
        content=body if isinstance(body, bytes) else None,
        headers=headers,
    )


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything of an answer that the asker can compare."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


def malformed(theirs: str) -> list[str]:
    """Texts that are no ids."""
    return ["not-an-id", theirs[:-1] + "z", theirs + "0", theirs[:-1], "0", "ü" * 36]


@pytest.mark.parametrize(("ask", "place"), PLACES, ids=lambda part: str(part).replace("/", "."))
async def test_an_outsider_learns_nothing_from_an_id_and_changes_nothing(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    say: Say,
    new_browser: Callable[[], Browser],
    ask: str,
    place: str,
) -> None:
    adas, cyds = await things_of(inst, ada, say), await things_of(inst, cyd, say)
    outside, inside = await new_browser().as_(cyd), await new_browser().as_(ada)
    foreign = adas.ids[PLACES[ask, place]]
    before, cyds_before = await rows_of(inst, ada), await rows_of(inst, cyd)
    answers = {
        wrong: told(await send(outside, ask, cyds.ids, place, wrong))
        for wrong in (foreign, str(new_id()), *malformed(foreign))
    }
    first = answers[foreign]
    assert [wrong for wrong, answer in answers.items() if answer != first] == []
    assert first[0] == (200 if place == "query tag" else 404)
    assert not any(value.encode() in first[1] for value in adas.ids.values())
    assert await rows_of(inst, ada) == before
    cyds_after = await rows_of(inst, cyd)
    assert {name for name in cyds_after if cyds_after[name] != cyds_before[name]} <= {"counter"}
    # The request was right but for the id: whoever owns the thing is let in.
    assert (await send(inside, ask, adas.ids, place, foreign)).status_code < 300


@pytest.mark.parametrize(("ask", "place"), NAMED_BY_THE_BROWSER, ids=lambda part: str(part).replace("/", "."))
async def test_the_id_of_a_foreign_message_is_as_free_as_a_made_up_one(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, client: Browser, ask: str, place: str
) -> None:
    adas, cyds = await things_of(inst, ada, say), await things_of(inst, cyd, say)
    await client.as_(cyd)
    before = await rows_of(inst, ada)
    foreign, made_up = adas.ids[NAMED_BY_THE_BROWSER[ask, place]], str(new_id())
    shapes = []
    for wrong in (foreign, made_up):
        answer = await send(client, ask, cyds.ids, place, wrong)
        entry = answer.json()["entry"]
        assert entry["id"] == wrong and entry["text"] == "x"
        shapes.append((answer.status_code, sorted(answer.json()), sorted(entry), len(entry["files"]) <= 1))
    assert shapes[0] == shapes[1] and shapes[0][0] == 201
    refused = {told(await send(client, ask, cyds.ids, place, wrong))[:2] for wrong in malformed(foreign)}
    assert {status for status, _ in refused} == {404} and len(refused) == 1
    assert await rows_of(inst, ada) == before


@pytest.mark.parametrize("ask", [ask for ask in BODIES if "{id}" not in ask and ask.startswith("GET")])
async def test_an_outsiders_own_lists_hold_nothing_of_others(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, client: Browser, ask: str
) -> None:
    adas, cyds = await things_of(inst, ada, say), await things_of(inst, cyd, say)
    await client.as_(cyd)
    seen = (await send(client, ask, cyds.ids)).content
    assert not any(value.encode() in seen for value in adas.ids.values())


async def test_who_is_not_signed_in_gets_the_same_answer_everywhere(
    inst: Installation, ada: Staff, say: Say, client: Browser
) -> None:
    adas = await things_of(inst, ada, say)
    before, answers = await rows_of(inst, ada), []
    for cookie in (None, "made-up", "%00", "a" * 3000):
        if cookie:
            client.headers["cookie"] = f"session={cookie}"
        for ask in BODIES:
            answers.append(told(await send(client, ask, adas.ids)))
            answers.append(told(await send(client, ask, adas.ids, headers={"x-chatinbox": "0"})))
        answers.append(told(await client.get("/live")))
    assert answers[0][0] == 401 and b"signed_out" in answers[0][1]
    assert all(answer == answers[0] for answer in answers)
    assert await rows_of(inst, ada) == before


async def test_a_request_from_elsewhere_changes_nothing(
    inst: Installation, ada: Staff, say: Say, client: Browser
) -> None:
    adas = await things_of(inst, ada, say)
    await client.as_(ada)
    before, answers = await rows_of(inst, ada), []
    elsewhere = [
        {"x-chatinbox": ""},
        {"x-chatinbox": "", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://other.example"},
        {"origin": "http://localhost:8000"},
        {"origin": "null"},
    ]
    for ask in BODIES:
        if ask.startswith("GET"):
            continue
        answers += [told(await send(client, ask, adas.ids, headers=headers)) for headers in elsewhere]
    del client.headers["x-chatinbox"]
    answers += [told(await send(client, ask, adas.ids)) for ask in BODIES if not ask.startswith("GET")]
    assert answers[0][0] == 403 and b"other_origin" in answers[0][1]
    assert all(answer == answers[0] for answer in answers)
    assert await rows_of(inst, ada) == before


async def test_a_file_is_reached_by_its_own_link_alone(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, client: Browser
) -> None:
    adas, cyds = await things_of(inst, ada, say), await things_of(inst, cyd, say)
    await client.as_(cyd)

    def link(theirs: Theirs) -> str:
        ids = [UUID(theirs.ids[kind]) for kind in ("customer", "attachment")]
        return inst.links.link(theirs.staff_user.account_id, ids[0], ids[1])

    own, token = link(cyds), httpx.URL(link(cyds)).params["k"]
    assert (await client.get(own)).content == b"x"
    base, foreign = own.split("/files/")[0] + "/files/", adas.ids["attachment"]
    cross = inst.links.link(cyd.account_id, UUID(cyds.ids["customer"]), UUID(foreign))
    asks = [
        (base + wrong, {"k": key})
        for wrong in (foreign, str(new_id()), *malformed(foreign))
        for key in (token, "", "made-up", "ü", "=" * 9, "a" * 5000, token[:-2])
    ] + [(base + foreign, {}), (cross, None)]
    answers = [told(await client.get(address, params=params)) for address, params in asks]
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)
