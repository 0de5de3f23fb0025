"""Erasing a customer: nothing of them is left or opens, nothing else is touched, and what stops it does not half do it."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import address_of, channel_of, letter
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.conversations.search.find import find
from chatinbox.conversations.search.index import index_ids
from chatinbox.conversations.verbs.claim_address import claim_address
from chatinbox.core.canonical import canonical
from chatinbox.core.clock import travel
from chatinbox.core.db import Database
from chatinbox.core.egress import Asked, Letter
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.erased import were_erased
from chatinbox.customers.read import read_customer
from chatinbox.privacy import signature
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure, take_back
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.held import read_held
from chatinbox.privacy.erasure.read import list_erasures, read_receipt
from chatinbox.web.tests.test_tenancy import rows_of

NewBrowser = Callable[[], Browser]
LATER = UNDO + timedelta(seconds=1)
HERS = "frida@mail.example"


class Hers:
    """Frida's letter with a file, a note, a draft, a tag, an answer, and another customer's letter beside it."""

    def __init__(self, inst: Installation, staff: Staff) -> None:
        self.inst, self.staff, self.raw = inst, staff, letter("Canary words", subject="Canary").as_bytes()

    async def arrives(self) -> UUID | None:
        arrived = await store(
            self.inst, self.staff.account_id, await channel_of(self.inst, self.staff), self.raw, None,
            await address_of(self.inst, self.staff),
        )  # fmt: skip
        return await place(self.inst, arrived)

    async def play(self, say: Say) -> None:
        conversation_id = await self.arrives()
        assert conversation_id
        self.conversation_id = conversation_id
        by, inst = self.staff, self.inst
        await verbs.add_note(inst, by, conversation_id, new_id(), Body(text="A note"))
        await verbs.attach(inst, by.account_id, conversation_id, NewFile("a.txt", "text/plain", b"x" * 99))
        got = await say(by, "With a file", HERS, files=[NewFile("b.txt", "text/plain", b"y" * 99)])
        self.customer_id, self.message_id = got.customer_id, got.message_id
        tag = await verbs.create_tag(inst, by, "vip")
        await verbs.tag(inst, by, conversation_id, tag.id)
        answer_id = new_id()
        await verbs.reply(inst, by, conversation_id, answer_id, Body(text="Here."), seen_position=99)
        await verbs.set_out(inst, by.account_id, [answer_id])
        await verbs.save_draft(inst, by, got.conversation_id, "reply", Body(text="d"), 1, [])
        await verbs.mark_seen(inst, by, conversation_id, 1)
        await verbs.rename_customer(inst, by, self.customer_id, "Frida Lind")
        self.other = await say(by, "Somebody else", "karl@mail.example")
        ids = [self.message_id, self.other.message_id]
        await index_ids(inst, by.account_id, ids)

    async def asked(self) -> UUID:
        name = (await read_customer(self.inst, self.staff.account_id, self.customer_id)).name
        return await ask_erasure(self.inst, self.staff, self.customer_id, name)


@pytest.fixture
async def hers(inst: Installation, ada: Staff, say: Say) -> Hers:
    played = Hers(inst, ada)
    await played.play(say)
    return played


async def test_nothing_of_them_is_left_and_nobody_else_is_touched(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, hers: Hers
) -> None:
    neighbour = await say(cyd, "The same person next door", HERS)
    before = await rows_of(inst, cyd)
    files = await inst.files.count_account(ada.account_id)
    erasure_id = await hers.asked()
    with travel(LATER):
        assert await erase(inst, ada.account_id, erasure_id)
    with pytest.raises(Erased):
        await inst.vault.customer_key(ada.account_id, hers.customer_id)
    left = await rows_of(inst, ada)
    ids = [str(one) for one in (hers.customer_id, hers.conversation_id, hers.message_id)]
    where = {table for table, rows in left.items() if any(one in str(rows) for one in ids)}
    # The receipt, the change log and the mark that keeps a copy away; what left stays told, its receiver unreadable.
    assert where <= {"erasure", "setting_change", "received", "ledger", "staff_record"}
    assert files - await inst.files.count_account(ada.account_id) == 3
    assert [row.id for row in (await read_list(inst, ada, "all")).rows] == [hers.other.conversation_id]
    assert (await find(inst, ada, "file")).hits == []
    assert await rows_of(inst, cyd) == before
    await inst.vault.customer_key(cyd.account_id, neighbour.customer_id)


async def test_the_receipt_counts_what_went_and_anybody_can_verify_it(
    inst: Installation, ada: Staff, cyd: Staff, hers: Hers
) -> None:
    erasure_id = await hers.asked()
    with travel(LATER):
        await erase(inst, ada.account_id, erasure_id)
        assert not await erase(inst, ada.account_id, erasure_id)  # once
    told = await read_receipt(inst, ada, erasure_id)
    signed = told.pop("signature")
    assert told["erased"] == {
        "addresses": 1, "conversations": 2, "customers": 1, "files": 2, "keys": 1, "letters": 1, "letters_kept": 0,
        "messages": 3, "notes": 1, "sessions": 0,
    }  # fmt: skip
    value = base64.b64decode(signed["value"])
    assert signature.is_genuine(canonical(told), value, signed["public_key"])
    told["erased"]["messages"] = 4
    assert not signature.is_genuine(canonical(told), value, signed["public_key"])
    with pytest.raises(Refused, match="not_found"):
        await read_receipt(inst, cyd, erasure_id)
    assert await list_erasures(inst, cyd) == []


async def test_who_only_said_that_an_address_was_theirs_keeps_its_owner_out_of_nothing(
    inst: Installation, ada: Staff, cyd: Staff, hers: Hers, say: Say
) -> None:
    """Mallory claims Karla's address in the chat and is erased: a program may bring Karla, and nobody may bring Frida."""
    hers_too, karlas = ("email", HERS), ("email", "karla@mail.example")
    chat = await say(ada, "I am Karla", via="chat", sender=Sender("", "Mallory"))
    channel = next(one.id for one in await read_channels(inst, ada.account_id) if one.kind == "chat")
    claimed = (inst, ada.account_id, chat.conversation_id, chat.customer_id, channel, karlas[1])
    await claim_address(*claimed)
    frida = await hers.asked()
    mallory = await ask_erasure(inst, ada, chat.customer_id, "Mallory")
    with travel(LATER):
        assert await erase(inst, ada.account_id, mallory) and await erase(inst, ada.account_id, frida)
    assert not await were_erased(inst, ada.account_id, [karlas])
    assert await were_erased(inst, ada.account_id, [hers_too])
    assert not await were_erased(inst, cyd.account_id, [hers_too]), "another account knows nothing of it"


async def test_it_can_be_taken_back_until_it_begins(
    inst: Installation, ada: Staff, cyd: Staff, hers: Hers
) -> None:
    first = await hers.asked()
    with pytest.raises(Refused, match="erasing"):
        await hers.asked()
    assert not await erase(inst, ada.account_id, first)  # not due
    with pytest.raises(Refused, match="not_found"):
        await take_back(inst, cyd, first)
    await take_back(inst, ada, first)
    with travel(LATER):
        assert not await erase(inst, ada.account_id, first)
        second = await hers.asked()
    with travel(2 * LATER):
        await erase(inst, ada.account_id, second)
        with pytest.raises(Refused, match="begun"):
            await take_back(inst, ada, second)


async def test_what_was_erased_does_not_come_back_and_new_words_are_somebody_new(
    inst: Installation, ada: Staff, say: Say, hers: Hers
) -> None:
    erasure_id = await hers.asked()
    with travel(LATER):
        await erase(inst, ada.account_id, erasure_id)
        raw_before = (await rows_of(inst, ada))["raw_mail"]
        assert await hers.arrives() is None  # the same letter, fetched once more
        assert (await rows_of(inst, ada))["raw_mail"] == raw_before
        assert len((await read_list(inst, ada, "all")).rows) == 1
        again = await say(ada, "I write again", HERS)
        assert again.customer_id != hers.customer_id


@pytest.mark.parametrize("stop", range(1, 24, 2))
async def test_whatever_stops_it_the_next_run_finishes_it_and_counts_right(
    inst: Installation, ada: Staff, hers: Hers, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    erasure_id = await hers.asked()
    known, calls = Database.run, 0

    async def broken(self: Database, account_id: UUID, *batch: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == stop:
            raise psycopg.OperationalError("the database is away")
        return await known(self, account_id, *batch)

    with travel(LATER):
        monkeypatch.setattr(Database, "run", broken)
        try:
            done = await erase(inst, ada.account_id, erasure_id)
        except psycopg.OperationalError:
            done = False
        monkeypatch.setattr(Database, "run", known)
        [listed] = await list_erasures(inst, ada)
        assert (listed.done_at is not None) == done  # nothing half erased is called erased
        if not done:
            assert await erase(inst, ada.account_id, erasure_id)
    [listed] = await list_erasures(inst, ada)
    assert listed.done_at
    counted = {
        name: listed.counts.get(name, 0)
        for name in ("conversations", "messages", "notes", "customers", "addresses")
    }
    assert counted == {"conversations": 2, "messages": 3, "notes": 1, "customers": 1, "addresses": 1}
    assert len((await read_list(inst, ada, "all")).rows) == 1


async def test_whoever_turned_out_to_be_them_goes_with_them(
    inst: Installation, ada: Staff, say: Say, hers: Hers
) -> None:
    merged = await say(ada, "From another address", "frida.berg@home.example")
    ask = "update customer set merged_into = %s where account_id = %s and id = %s"
    await inst.db.run(ada.account_id, (ask, [hers.customer_id, ada.account_id, merged.customer_id]))
    erasure_id = await hers.asked()
    with travel(LATER):
        await erase(inst, ada.account_id, erasure_id)
    for one in (hers.customer_id, merged.customer_id):
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, one)
    assert len((await read_list(inst, ada, "all")).rows) == 1


async def test_a_letter_of_theirs_that_is_held_goes_too(inst: Installation, ada: Staff, hers: Hers) -> None:
    raw = f"From: {HERS}\r\nSubject: \r\n\r\n".encode()
    held = await store(
        inst, ada.account_id, await channel_of(inst, ada), raw, None, await address_of(inst, ada)
    )
    assert await place(inst, held) is None
    other = await store(
        inst,
        ada.account_id,
        await channel_of(inst, ada),
        raw.replace(b"frida", b"karla"),
        None,
        await address_of(inst, ada),
    )
    await place(inst, other)
    erasure_id = await hers.asked()
    with travel(LATER):
        await erase(inst, ada.account_id, erasure_id)
    with pytest.raises(Erased):
        await inst.vault.raw_mail_key(ada.account_id, held.raw_mail_id)
    await inst.vault.raw_mail_key(ada.account_id, other.raw_mail_id)


async def test_a_held_letter_of_somebody_whose_address_they_only_claimed_still_waits(
    inst: Installation, ada: Staff, cyd: Staff, hers: Hers, say: Say
) -> None:
    """Mallory claims Frida's address in the chat and is erased; Frida's letters, here and next door, are hers."""
    raw = f"From: {HERS}\r\nSubject: \r\n\r\n".encode()
    held = [
        await store(inst, one.account_id, await channel_of(inst, one), raw, None, await address_of(inst, one))
        for one in (ada, cyd)
    ]
    for arrived in held:
        assert await place(inst, arrived) is None
    chat = await say(ada, "I am Frida", via="chat", sender=Sender("", "Mallory"))
    channel = next(one.id for one in await read_channels(inst, ada.account_id) if one.kind == "chat")
    await claim_address(inst, ada.account_id, chat.conversation_id, chat.customer_id, channel, HERS)
    mallory = await ask_erasure(inst, ada, chat.customer_id, "Mallory")
    frida = await hers.asked()
    with travel(LATER):
        assert await erase(inst, ada.account_id, mallory)
        await inst.vault.raw_mail_key(ada.account_id, held[0].raw_mail_id)
        assert await erase(inst, ada.account_id, frida)
    with pytest.raises(Erased):
        await inst.vault.raw_mail_key(ada.account_id, held[0].raw_mail_id)
    await inst.vault.raw_mail_key(cyd.account_id, held[1].raw_mail_id)


async def test_while_it_is_under_way_they_are_answered_as_not_there(
    inst: Installation, ada: Staff, client: Browser, hers: Hers, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure_id = await hers.asked()
    await client.as_(ada)

    async def stuck(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(engine, "shut", stuck)
    with travel(LATER), pytest.raises(OSError, match="full"):
        await erase(inst, ada.account_id, erasure_id)
    before = await rows_of(inst, ada)
    asked: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/api/conversations/{talk}", None),
        ("PUT", "/api/conversations/{talk}/status", {"status": "done"}),
        ("PUT", "/api/conversations/{talk}/snooze", {"until": 4_000_000_000_000}),
        ("PUT", "/api/conversations/{talk}/spam", None),
        ("PUT", "/api/conversations/{talk}/seen", {"position": 2}),
        ("PUT", "/api/conversations/{talk}/assignment", {"staff_user_id": str(ada.staff_user_id)}),
        ("PUT", "/api/conversations/{talk}/subject", {"subject": "x"}),
        ("PUT", "/api/conversations/{talk}/draft", {"kind": "note", "text": "x", "revision": 9}),
        ("POST", "/api/conversations/{talk}/notes", {"id": str(new_id()), "text": "x"}),
        ("POST", "/api/conversations/{talk}/messages", {"id": str(new_id()), "text": "x", "seen": 99}),
        ("POST", "/api/conversations/{talk}/files?name=a.txt", {}),
        ("GET", "/api/customers/{whose}", None),
        ("PUT", "/api/customers/{whose}", {"name": "x"}),
    ]
    for method, path, body in asked:
        theirs, made_up = [
            await client.request(method, path.format(**ids), json=body)
            for ids in (
                {"talk": hers.conversation_id, "whose": hers.customer_id},
                {"talk": new_id(), "whose": new_id()},
            )
        ]
        told = (theirs.status_code, theirs.content)
        assert told == (made_up.status_code, made_up.content) and theirs.status_code == 404, (
            path,
            theirs.text,
            made_up.text,
        )
    listed = await client.get("/api/list?view=all")
    assert [row["id"] for row in listed.json()["rows"]] == [str(hers.other.conversation_id)]
    assert str(hers.conversation_id) not in (await client.get("/api/search?q=canary")).text
    after = await rows_of(inst, ada)
    written = {table for table, rows in after.items() if rows != before[table]}
    assert written <= {"access_waiting"}, "nothing is written but that somebody tried to look"


async def test_only_who_may_erases_and_only_by_the_name(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser, hers: Hers
) -> None:
    page = f"/settings/erasures?customer={hers.customer_id}"
    owner, staff, outside = [await new_browser().as_(one) for one in (ada, bea, cyd)]
    shown = (await owner.get(page)).text
    assert HERS in shown and "Erase them" in shown
    assert (await staff.get(page)).headers["location"] == "/settings/profile"
    foreign, made_up = [
        await outside.get(f"/settings/erasures?customer={one}") for one in (hers.customer_id, new_id())
    ]
    assert foreign.status_code == made_up.status_code == 404 and foreign.content == made_up.content
    form = {"do": "erase", "customer": str(hers.customer_id), "typed": "Somebody"}
    assert "Type the customer" in (await owner.post(page, data=form)).text
    with pytest.raises(Refused, match="not_permitted"):
        await ask_erasure(inst, bea, hers.customer_id, "x")
    with pytest.raises(Refused, match="not_found"):
        await ask_erasure(inst, cyd, hers.customer_id, "x")
    name = (await read_customer(inst, ada.account_id, hers.customer_id)).name
    told = await owner.post(page, data=form | {"typed": name.lower()})
    assert "will be erased in 10 minutes" in told.text and "Take it back" in told.text
    assert "Nobody was erased yet" in (await outside.get("/settings/erasures")).text


async def test_what_another_team_has_is_not_erased_by_who_cannot_see_it(
    inst: Installation, people: People, ada: Staff, hers: Hers
) -> None:
    kept_out = replace(ada, staff_user_id=new_id(), kept_out=frozenset([await channel_of(inst, ada)]))
    with pytest.raises(Refused, match="not_found"):
        await ask_erasure(inst, kept_out, hers.customer_id, "x")
    erasure_id = await hers.asked()
    assert len(await list_erasures(inst, ada)) == 1 and await list_erasures(inst, kept_out) == []
    with pytest.raises(Refused, match="not_found"):
        await take_back(inst, kept_out, erasure_id)
    with travel(LATER):
        await erase(inst, ada.account_id, erasure_id)
    assert await read_receipt(inst, ada, erasure_id)
    with pytest.raises(Refused, match="not_found"):
        await read_receipt(inst, kept_out, erasure_id)


async def test_of_what_another_team_has_beside_ones_own_nothing_is_counted_and_nothing_erased(
    inst: Installation, ada: Staff, hers: Hers, say: Say
) -> None:
    kept_out = replace(ada, kept_out=frozenset([await channel_of(inst, ada)]))
    await inst.egress.mail(_to_them(hers, await channel_of(inst, ada)))
    both = Sender(HERS, "Frida")
    shown = await say(ada, "By chat, too", via="chat", sender=both)
    assert shown.customer_id == hers.customer_id
    whole, part = [await read_held(inst, by, hers.customer_id) for by in (ada, kept_out)]
    assert not whole.hidden and whole.counts["conversations"] > 1 and whole.left_count == len(whole.left) > 0
    assert part.hidden and (part.counts["conversations"], part.counts["messages"]) == (1, 1)
    assert (part.counts["notes"], part.counts["files"], part.left, part.left_count) == (0, 0, [], 0)
    with pytest.raises(Refused, match="team"):
        await ask_erasure(inst, kept_out, hers.customer_id, part.name)


def _to_them(hers: Hers, channel_id: UUID) -> Letter:
    """A letter that left to her."""
    return Letter(hers.staff.account_id, "customer", hers.customer_id, "a@x.example", (HERS,), b"Subject: x\r\n\r\nx",
                  "service", "a test", ("words",), Asked("setting", channel_id))  # fmt: skip


async def test_two_runs_at_once_do_it_once(inst: Installation, ada: Staff, hers: Hers) -> None:
    erasure_id = await hers.asked()
    with travel(LATER):
        done = await asyncio.gather(
            *(erase(inst, ada.account_id, erasure_id) for _ in range(2)), return_exceptions=True
        )
    assert True in done
    [listed] = await list_erasures(inst, ada)
    assert listed.done_at


async def test_that_something_was_kept_out_goes_with_the_customer(
    inst: Installation, ada: Staff, say: Say
) -> None:
    got = await say(ada, "Pay to DE89370400440532013000")
    await say(ada, "Card 4242424242424242", email="other@mail.example")
    assert "iban" in str((await rows_of(inst, ada))["withheld"])
    erasure_id = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    with travel(LATER):
        assert await erase(inst, ada.account_id, erasure_id)
    left = str((await rows_of(inst, ada))["withheld"])
    assert "iban" not in left and "card" in left
