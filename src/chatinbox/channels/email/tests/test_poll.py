"""A mailbox at a real server (Dovecot): read from where we were, whatever its flags say, and left as it was."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held, imap
from chatinbox.channels.email.channel import connect_mailbox, disconnect_mailbox
from chatinbox.channels.email.poll import poll, poll_all, reached
from chatinbox.channels.email.tests.dovecot import Server, served
from chatinbox.channels.email.tests.letters import channel_of, letter, sent
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.core import clock
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("dovecot")) as server:
        yield server


@pytest.fixture(autouse=True)
def near(inst: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's server is in our own network."""
    monkeypatch.setattr(inst.egress, "_inside", True)


@pytest.fixture
async def mailbox(inst: Installation, ada: Staff, dovecot: Server) -> AsyncIterator[UUID]:
    """Ada's channel asks the mailbox, which holds one old letter; its first look is done."""
    await asyncio.to_thread(dovecot.empty)
    await asyncio.to_thread(dovecot.deliver, letter("From before").as_bytes(), ago=3600)
    channel_id = await channel_of(inst, ada)
    await connect_mailbox(inst, ada.account_id, channel_id, dovecot.mailbox())
    assert await poll(inst, ada.account_id, channel_id) == 0
    yield channel_id
    await disconnect_mailbox(inst, ada.account_id, channel_id)


async def previews(inst: Installation, staff: Staff) -> list[str]:
    return sorted(row.preview for row in (await read_list(inst, staff, "all")).rows)


async def test_new_letters_come_in_once_read_or_not_and_the_mailbox_stays_as_it_was(
    inst: Installation, ada: Staff, cyd: Staff, dovecot: Server, mailbox: UUID
) -> None:
    await asyncio.to_thread(dovecot.deliver, letter("New").as_bytes())
    await asyncio.to_thread(dovecot.deliver, letter("Read by somebody").as_bytes(), seen=True)
    before = await asyncio.to_thread(dovecot.flags)
    assert await poll(inst, ada.account_id, mailbox) == 2
    assert await poll(inst, ada.account_id, mailbox) == 0
    assert await poll(inst, cyd.account_id, mailbox) == 0
    assert await previews(inst, ada) == ["New", "Read by somebody"] and await previews(inst, cyd) == []
    assert await asyncio.to_thread(dovecot.flags) == before and len(before) == 3


async def test_a_new_epoch_reads_again_and_shows_nothing_twice_and_nothing_from_before(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID
) -> None:
    await asyncio.to_thread(dovecot.deliver, letter("One").as_bytes(), letter("Two").as_bytes())
    assert await poll(inst, ada.account_id, mailbox) == 2
    [before] = await inst.db.run(
        ada.account_id, ("select uid_validity from mailbox_cursor where account_id = %s", [ada.account_id])
    )
    await inst.db.run(
        ada.account_id,
        ("update mailbox_cursor set uid_validity = 1, uid = 999 where account_id = %s", [ada.account_id]),
    )
    await asyncio.to_thread(dovecot.deliver, letter("Three").as_bytes())
    await poll(inst, ada.account_id, mailbox)
    assert await previews(inst, ada) == ["One", "Three", "Two"]
    [after] = await inst.db.run(
        ada.account_id,
        ("select uid_validity, uid from mailbox_cursor where account_id = %s", [ada.account_id]),
    )
    assert after[0][0] == before[0][0]
    assert await poll(inst, ada.account_id, mailbox) == 0


async def test_a_step_that_was_cut_off_before_the_cursor_moved_shows_nothing_twice(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID
) -> None:
    await asyncio.to_thread(dovecot.deliver, letter("Once").as_bytes())
    await poll(inst, ada.account_id, mailbox)
    await inst.db.run(
        ada.account_id, ("update mailbox_cursor set uid = uid - 1 where account_id = %s", [ada.account_id])
    )
    assert await poll(inst, ada.account_id, mailbox) == 1
    await asyncio.gather(*(poll(inst, ada.account_id, mailbox) for _ in range(3)))
    assert await previews(inst, ada) == ["Once"]


async def test_more_letters_than_one_look_takes_all_come_in(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH", 3)
    await asyncio.to_thread(dovecot.deliver, *(letter(f"Letter {n}").as_bytes() for n in range(8)))
    assert await poll(inst, ada.account_id, mailbox) == 8
    assert await previews(inst, ada) == [f"Letter {n}" for n in range(8)]


async def test_broken_letters_are_held_and_block_nobody_behind_them(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID
) -> None:
    broken = [b"Subject: nobody\r\n\r\nx", b"\r\n\r\n\xff\xfe", letter("Behind").as_bytes()]
    await asyncio.to_thread(dovecot.deliver, *broken)
    assert await poll(inst, ada.account_id, mailbox) == 3
    assert await previews(inst, ada) == ["Behind"] and len(await held.list_held(inst, ada)) == 2


async def test_a_letter_that_is_too_large_is_held_with_its_headers(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID
) -> None:
    large = letter("x" * 900 + "\n", subject="Large").as_bytes() + b"\r\n" + b"y" * 70 * 10
    whole = imap.look(
        dovecot.mailbox(), ["127.0.0.1"], *(await _cursor(inst, ada)), since=clock.now(), largest=500
    )
    assert whole.letters == []
    await asyncio.to_thread(dovecot.deliver, large)
    looked = await asyncio.to_thread(
        imap.look, dovecot.mailbox(), ["127.0.0.1"], *(await _cursor(inst, ada)), clock.now(), 500
    )
    [found] = looked.letters
    assert not found.whole and b"Subject: Large" in found.raw and b"yyyy" not in found.raw


async def _cursor(inst: Installation, staff: Staff) -> tuple[int, int]:
    [rows] = await inst.db.run(
        staff.account_id,
        ("select uid_validity, uid from mailbox_cursor where account_id = %s", [staff.account_id]),
    )
    return rows[0][0], rows[0][1]


async def test_answers_to_a_mailbox_come_back_to_it_and_find_their_conversation(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID
) -> None:
    await asyncio.to_thread(dovecot.deliver, letter("Question").as_bytes())
    await poll(inst, ada.account_id, mailbox)
    [row] = (await read_list(inst, ada, "all")).rows
    await verbs.reply(inst, ada, row.id, new_id(), Body(text="Answer"), seen_position=1)
    out = await sent(inst, ada, row.id)
    assert out.header("reply-to") == ""
    await asyncio.to_thread(
        dovecot.deliver, letter("Thanks", In_Reply_To=out.header("message-id")).as_bytes()
    )
    await poll(inst, ada.account_id, mailbox)
    [row] = (await read_list(inst, ada, "all")).rows
    assert row.preview == "Thanks"


async def test_a_wrong_password_is_noted_and_the_others_are_still_asked(
    inst: Installation, ada: Staff, cyd: Staff, dovecot: Server, mailbox: UUID
) -> None:
    theirs = await channel_of(inst, cyd)
    await connect_mailbox(
        inst, cyd.account_id, theirs, {**dovecot.mailbox(), "password": "wrong", "since": 0}
    )
    await inst.db.run(
        cyd.account_id,
        (
            "insert into mailbox_cursor (account_id, channel_id, uid_validity, uid) values (%s, %s, 1, 1)",
            [cyd.account_id, theirs],
        ),
    )
    await asyncio.to_thread(dovecot.deliver, letter("Still asked").as_bytes())
    await poll_all(inst)
    assert await previews(inst, ada) == ["Still asked"] and await previews(inst, cyd) == []
    [rows] = await inst.db.run(
        cyd.account_id,
        ("select failing_since is not null from mailbox_cursor where account_id = %s", [cyd.account_id]),
    )
    assert rows[0][0]
    await disconnect_mailbox(inst, cyd.account_id, theirs)
    await poll_all(inst)


async def ledger_of(inst: Installation, staff: Staff) -> list[tuple[str, str, list[str], str]]:
    ask = "select id, recipient_sealed, basis, fields, outcome from ledger where account_id = %s and gate = 'mailbox' order by id"
    [rows] = await inst.db.run(staff.account_id, (ask, [staff.account_id]))
    key = await inst.vault.account_key(staff.account_id)
    return [
        (key.open_text(who, staff.account_id, "ledger", "recipient", row_id), basis, fields, outcome)
        for row_id, who, basis, fields, outcome in rows
    ]


async def test_asking_stands_in_the_ledger_once_a_day_and_before_it_is_asked(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    dovecot: Server,
    mailbox: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = (f"imap://127.0.0.1:{dovecot.port}", "integration", ["user name", "password"])
    for _ in range(3):
        await poll(inst, ada.account_id, mailbox)
    assert await ledger_of(inst, ada) == [(*line, "taken")]
    with clock.travel(timedelta(days=1)):
        await poll(inst, ada.account_id, mailbox)
    assert await ledger_of(inst, ada) == [(*line, "taken")] * 2
    assert await ledger_of(inst, cyd) == []
    monkeypatch.setattr(inst.egress, "_inside", False)
    with clock.travel(timedelta(days=2)), pytest.raises(OSError, match="address"):
        await poll(inst, ada.account_id, mailbox)
    assert (await ledger_of(inst, ada))[2] == (*line, "withheld")


async def test_two_mailboxes_at_one_server_have_a_row_each(
    inst: Installation, ada: Staff, cyd: Staff, dovecot: Server
) -> None:
    line = (f"imap://127.0.0.1:{dovecot.port}", "integration", ["user name", "password"], "taken")
    for user in ("frida", "shop", "frida"):
        async with reached(inst, ada.account_id, {**dovecot.mailbox(), "user": user}):
            pass
    assert await ledger_of(inst, ada) == [line, line] and await ledger_of(inst, cyd) == []
    async with reached(inst, cyd.account_id, dovecot.mailbox()):
        pass
    assert await ledger_of(inst, ada) == [line, line] and await ledger_of(inst, cyd) == [line]


async def test_a_password_that_was_sent_and_refused_stands_as_refused_in_the_ledger(
    inst: Installation, ada: Staff, cyd: Staff, dovecot: Server
) -> None:
    async def asked(**other: Any) -> None:
        box: Any = dovecot.mailbox() | other
        async with reached(inst, ada.account_id, box) as addresses:
            await asyncio.to_thread(imap.look, box, addresses, None, 0, clock.now(), 500)

    with pytest.raises(imap.SignInFailed):
        await asked(password="wrong")
    assert [row[3] for row in await ledger_of(inst, ada)] == ["refused"]
    await asked()
    assert [row[3] for row in await ledger_of(inst, ada)] == ["taken"]
    with pytest.raises(OSError):
        await asked(tls="tls")  # it does not get so far that a password is sent
    assert [row[3] for row in await ledger_of(inst, ada)] == ["unreachable"]
    with pytest.raises(imap.MailboxFailed):
        async with reached(inst, ada.account_id, dovecot.mailbox()):
            raise imap.MailboxFailed
    assert [row[3] for row in await ledger_of(inst, ada)] == ["refused"]
    assert await ledger_of(inst, cyd) == []


async def test_the_address_that_was_judged_is_the_one_that_is_asked(
    inst: Installation, ada: Staff, dovecot: Server, mailbox: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere when it is asked a second time (DNS rebinding)."""
    asked: list[str] = []
    known = socket.getaddrinfo

    def told(host: str, *more: Any, **words: Any) -> Any:
        asked.append(host)
        return known(host, *more, **words)

    monkeypatch.setattr(socket, "getaddrinfo", told)
    named = dovecot.mailbox() | {"host": "localhost"}
    async with reached(inst, ada.account_id, named) as addresses:  # type: ignore[arg-type]
        seen = await asyncio.to_thread(imap.look, named, ["127.0.0.1"], None, 0, clock.now(), 500)  # type: ignore[arg-type]
    assert seen.validity and addresses
    assert asked.count("localhost") == 1
