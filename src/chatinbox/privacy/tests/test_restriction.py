"""Who is set aside: kept, shown to be, and left out by every path that does something with customers."""

import io
import re
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import chatinbox
from chatinbox.accounts.profile import Notify
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import acknowledge
from chatinbox.channels.email.send import send
from chatinbox.channels.email.tests.letters import address_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list, read_rows
from chatinbox.conversations.incoming import NewFile, Received, Sender
from chatinbox.conversations.search.find import find
from chatinbox.conversations.search.index import index_ids
from chatinbox.conversations.verbs.reply import Replied
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers import restricted
from chatinbox.customers.bring import bring
from chatinbox.customers.source import Source
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.tests.programs import connected, happen, listening, near
from chatinbox.notifications.news import read_news
from chatinbox.privacy.account_export import export_account
from chatinbox.privacy.restriction.paths import PATHS, TABLES
from chatinbox.privacy.restriction.restrict import read_restriction, restrict, take_up
from chatinbox.privacy.retention import due
from chatinbox.privacy.retention.due import preview
from chatinbox.web.panel import read_panel

HERS = "frida@mail.example"
HOUSE = Path(chatinbox.__file__).parent
Probe = Callable[[Installation, Staff, Received], Awaitable[bool]]


@pytest.fixture
async def hers(inst: Installation, ada: Staff, say: Say) -> Received:
    """Frida's letter, assigned to Ada, who has not seen it."""
    file = NewFile("canary.txt", "text/plain", b"canary file")
    body = Body(text="canary words", from_address=HERS)
    got = await say(ada, email=HERS, body=body, sender=Sender(HERS, "Frida Lind"), files=[file])
    await verbs.assign(inst, ada, got.conversation_id, ada.staff_user_id)
    await index_ids(inst, ada.account_id, [got.message_id])
    return got


# --- one probe a path: whether it does something with them ---


async def _is_found(inst: Installation, by: Staff, got: Received) -> bool:
    number = (await read_rows(inst, by, [got.conversation_id]))[0].number
    found = [bool((await find(inst, by, asked)).hits) for asked in ("canary", "frida", f"#{number}")]
    assert len(set(found)) == 1, "one way to find them is not like the others"
    return found[0]


async def _is_news(inst: Installation, by: Staff, _got: Received) -> bool:
    return bool(await read_news(inst, by, Notify(assigned=True, answered=True), now() - timedelta(days=1)))


async def _left_count(inst: Installation, by: Staff) -> int:
    ask = "select count(*) from ledger where account_id = %s and subject_kind = 'customer'"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return int(rows[0][0])


async def _is_acknowledged(inst: Installation, by: Staff, got: Received) -> bool:
    before = await _left_count(inst, by)
    operators = replace(inst, settings=replace(inst.settings, website_channel=await address_of(inst, by)))
    await acknowledge.acknowledge(operators, by.account_id, got.conversation_id)
    return await _left_count(inst, by) > before


async def _is_exported(inst: Installation, by: Staff, got: Received) -> bool:
    whole = zipfile.ZipFile(io.BytesIO(b"".join([part async for part in await export_account(inst, by)])))
    inside = b"".join(whole.read(name) for name in whole.namelist())
    found = [
        word in inside
        for word in (b"canary words", b"canary file", HERS.encode(), str(got.message_id).encode())
    ]
    assert len(set(found)) == 1, f"a part of them is there, and a part is not: {found}"
    return found[0]


async def _is_answered(inst: Installation, by: Staff, got: Received) -> bool:
    try:
        done = await verbs.reply(
            inst, by, got.conversation_id, new_id(), Body(text="An answer"), seen_position=99
        )
    except Refused as refused:
        assert refused.code == "restricted"
        return False
    return isinstance(done, Replied)


async def _leaves(inst: Installation, by: Staff, got: Received) -> bool:
    """An answer that was written before, on its way after."""
    answer_id = new_id()
    written = "update customer set restricted_at = null where account_id = %s and id = %s returning 1"
    aside = "select restricted_at from customer where account_id = %s and id = %s"
    whose = [by.account_id, got.customer_id]
    [[(since,)]] = await inst.db.run(by.account_id, (aside, whose))
    await inst.db.run(by.account_id, (written, whose))
    await verbs.reply(inst, by, got.conversation_id, answer_id, Body(text="Earlier"), seen_position=99)
    if since:
        again = "update customer set restricted_at = %s where account_id = %s and id = %s"
        await inst.db.run(by.account_id, (again, [now(), *whose]))
    await verbs.set_out(inst, by.account_id, [answer_id])
    before = await _left_count(inst, by)
    await send(inst, by.account_id, answer_id)
    return await _left_count(inst, by) > before


async def _is_due(inst: Installation, by: Staff, _got: Received) -> bool:
    with travel(timedelta(days=200)):
        return (await preview(inst, by.account_id, due.Asked("age", 100))).conversations > 0


async def _is_told(inst: Installation, by: Staff, got: Received) -> bool:
    close = near(inst)
    async with listening() as program:
        await connected(close, by, program)
        tag = await verbs.create_tag(close, by, "vip")
        await verbs.tag(close, by, got.conversation_id, tag.id)
        await happen(close, by)
        return program.kinds != []


async def _is_brought(inst: Installation, by: Staff, got: Received) -> bool:
    made = await connect(inst, by, Asked("in", "List", fields=["name"]))
    source = Source("sync", made.id, now())
    told = await bring(inst, by.account_id, HERS, {"name": "Frida of the shop"}, source)
    assert told.customer_id == got.customer_id
    return told.became == "changed"


PROBES: dict[str, Probe] = {
    "integrations.send": _is_told,
    "customers.bring": _is_brought,
    "privacy.retention.due": _is_due,
    "conversations.search.find": _is_found,
    "notifications.news": _is_news,
    "channels.email.acknowledge": _is_acknowledged,
    "privacy.account_export": _is_exported,
    "conversations.verbs.reply": _is_answered,
    "channels.email.send": _leaves,
}


def test_every_path_that_reads_customers_stands_in_the_list_and_nothing_else_does() -> None:
    asks = re.compile(
        rf"\b(?:from|join|update|into)\s+(?:{'|'.join(TABLES)})\b|\btenant\.(?:{'|'.join(TABLES)})\b"
    )
    reading = set()
    for file in HOUSE.rglob("*.py"):
        name = ".".join(file.relative_to(HOUSE).with_suffix("").parts)
        if "tests" in file.parts or not re.search(r"select|update|insert", file.read_text()):
            continue
        if asks.search(file.read_text()):
            reading.add(name)
    assert reading - set(PATHS) == set(), (
        "say in privacy/restriction/paths.py what these do about who is set aside"
    )
    assert set(PATHS) - reading == set(), "these ask no more"


def test_each_path_that_leaves_them_out_has_its_trial() -> None:
    meant = {name for name, (what, _) in PATHS.items() if what in ("leaves out", "refuses")}
    assert meant == set(PROBES)


@pytest.mark.parametrize("path", sorted(PROBES))
async def test_a_path_that_does_something_with_customers_does_nothing_with_who_is_set_aside(
    inst: Installation, ada: Staff, hers: Received, path: str
) -> None:
    await restrict(inst, ada, hers.customer_id, "accuracy")
    assert not await PROBES[path](inst, ada, hers)


@pytest.mark.parametrize("path", sorted(PROBES))
async def test_the_same_path_does_it_with_anybody_else_and_again_once_they_are_taken_up(
    inst: Installation, ada: Staff, hers: Received, path: str
) -> None:
    await restrict(inst, ada, hers.customer_id, "claims")
    await take_up(inst, ada, hers.customer_id, "", told_otherwise=True)
    assert await PROBES[path](inst, ada, hers)


async def test_storing_goes_on_and_staff_see_that_they_are_set_aside(
    inst: Installation, ada: Staff, bea: Staff, hers: Received, say: Say, client: Browser
) -> None:
    await restrict(inst, bea, hers.customer_id, "objection", "They rang us")
    again = await say(ada, "More words", HERS)
    assert again.customer_id == hers.customer_id
    rows = {row.id: row.restricted for row in (await read_list(inst, ada, "all")).rows}
    assert rows == {hers.conversation_id: True, again.conversation_id: True}
    panel = await read_panel(inst, ada, hers.customer_id)
    assert panel["restricted_at"]
    found = await read_restriction(inst, ada, hers.customer_id)
    assert found and (found.ground, found.words, found.staff_user_id) == (
        "objection",
        "They rang us",
        bea.staff_user_id,
    )
    await client.as_(ada)
    told = (await client.get("/api/list?view=all")).json()
    assert all(row["restricted"] for row in told["rows"])


async def test_staff_may_answer_knowingly_and_it_leaves(
    inst: Installation, ada: Staff, hers: Received, client: Browser
) -> None:
    await restrict(inst, ada, hers.customer_id, "accuracy")
    await client.as_(ada)
    path, answer_id = f"/api/conversations/{hers.conversation_id}/messages", new_id()
    words = {"id": str(answer_id), "text": "About your data", "seen": 99}
    refused = await client.post(path, json=words)
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "restricted"
    assert (await client.post(path, json=words | {"knowingly": True})).status_code == 201
    await verbs.set_out(inst, ada.account_id, [answer_id])
    before = await _left_count(inst, ada)
    await send(inst, ada.account_id, answer_id)
    assert await _left_count(inst, ada) == before + 1


async def test_they_are_told_before_it_ends_by_letter_or_staff_say_that_they_told_them(
    inst: Installation, ada: Staff, hers: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restrict(inst, ada, hers.customer_id, "accuracy")
    with pytest.raises(Refused, match="letter"):
        await take_up(inst, ada, hers.customer_id, "  ")
    left, sent = await _left_count(inst, ada), []
    known = type(inst.egress).mail

    async def seen(egress: Any, letter: Any) -> None:
        sent.append((letter, await read_restriction(inst, ada, hers.customer_id)))
        await known(egress, letter)

    monkeypatch.setattr(type(inst.egress), "mail", seen)
    await take_up(inst, ada, hers.customer_id, "We checked it: it is right. From now on we go on.")
    [(letter, still)] = sent
    assert letter.recipients == (HERS,) and still is not None  # before, not after
    assert await _left_count(inst, ada) == left + 1
    assert await read_restriction(inst, ada, hers.customer_id) is None
    with pytest.raises(Refused, match="not_restricted"):
        await take_up(inst, ada, hers.customer_id, "again")


async def test_only_who_may_sets_aside_and_nobody_of_another_account(
    inst: Installation, ada: Staff, cyd: Staff, hers: Received
) -> None:
    for one in (hers.customer_id, new_id()):
        with pytest.raises(Refused, match="not_found"):
            await restrict(inst, cyd, one, "accuracy")
    with pytest.raises(Refused, match="not_permitted"):
        await restrict(inst, replace(ada, role="viewer"), hers.customer_id, "accuracy")
    with pytest.raises(Refused, match="ground"):
        await restrict(inst, ada, hers.customer_id, "whim")
    await restrict(inst, ada, hers.customer_id, "accuracy")
    with pytest.raises(Refused, match="restricted"):
        await restrict(inst, ada, hers.customer_id, "claims")


def test_the_condition_is_one_and_the_same_everywhere() -> None:
    for name in ("conversations.search.find", "notifications.news", "conversations.verbs.reply"):
        assert import_module(f"chatinbox.{name}").FREE is restricted.FREE
