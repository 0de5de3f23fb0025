"""Mailboxes elsewhere are asked for new letters: by UID, whatever their flags say, and nothing in them is changed.

The cursor moves only after a letter is stored. When a mailbox begins a new epoch (UIDVALIDITY), its letters since the
last look are read again, and those that are here already are recognised.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import structlog

from chatinbox.channels.email.authenticate import authenticate_fetched
from chatinbox.channels.email.channel import Mailbox
from chatinbox.channels.email.imap import Fetched, Look, look, port_of
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.raw import hold, store
from chatinbox.channels.email.receive import place
from chatinbox.conversations.channels import read_settings
from chatinbox.conversations.checked import Checked
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.egress import Errand, Withheld
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use

log = structlog.get_logger()
AT_ONCE = 4
LOOK_BACK = timedelta(days=3)
CLOCKS_DIFFER = timedelta(minutes=5)
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mailbox")  # apart: files are written by the others


@purpose.work(Use("Fetches letters from connected mailboxes", "answer", "3"))
async def poll_all(inst: Installation) -> None:
    """Asks every mailbox once, four at a time; one that fails does not stop the others."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(account_id: UUID, channel_id: UUID) -> None:
        async with turn:
            try:
                await poll(inst, account_id, channel_id)
            except Exception:
                log.exception("mailbox_failed", account_id=str(account_id), channel_id=str(channel_id))
                await _failing(inst, account_id, channel_id)

    rows = await inst.db.directory("select account_id, channel_id from directory.mailboxes()")
    await asyncio.gather(*(one(*row) for row in rows), return_exceptions=True)


async def poll(inst: Installation, account_id: UUID, channel_id: UUID) -> int:
    """Takes what is new in one mailbox; how many letters. The first look only notes where it stands."""
    settings = await read_settings(inst, account_id, channel_id)
    if settings is None or "mailbox" not in settings[1]:
        return 0
    mailbox, address, taken = cast(Mailbox, settings[1]["mailbox"]), str(settings[1]["address"]), 0
    while True:
        validity, uid, polled_at = await _cursor(inst, account_id, channel_id)
        seen = await _look(inst, account_id, mailbox, validity, uid, polled_at)
        for letter in seen.letters:
            checked = await authenticate_fetched(inst, letter.raw, mailbox) if letter.whole else None
            await _take(inst, account_id, channel_id, letter, address, checked)
            await move(inst, account_id, channel_id, seen.validity, letter.uid)
            taken += 1
        await move(inst, account_id, channel_id, seen.validity, seen.upto)
        if not seen.more:
            return taken


@asynccontextmanager
async def reached(inst: Installation, account_id: UUID, mailbox: Mailbox) -> AsyncIterator[list[str]]:
    """The addresses of its server that may be connected to, while it is asked; the ledger has it. Raises OSError, as for a
    server that does not answer, when its name leads where it may not: where strangers may sign up, nobody has our server
    knock at doors of its own network.
    """
    errand = Errand(account_id, None, "integration", "mailbox connected by staff", ("user name", "password"))
    inside = inst.settings.sign_up != "open"
    try:
        host, port, user = mailbox["host"], port_of(mailbox), mailbox["user"]
        async with inst.egress.mailbox(errand, host, port, user, inside) as addresses:
            yield addresses
    except Withheld as withheld:
        raise OSError(str(withheld)) from withheld


async def _look(
    inst: Installation,
    account_id: UUID,
    mailbox: Mailbox,
    validity: int | None,
    uid: int,
    polled_at: datetime | None,
) -> Look:
    connected = datetime.fromtimestamp(mailbox.get("since", 0) / 1000, UTC) - CLOCKS_DIFFER
    since = max(connected, (polled_at or now()) - LOOK_BACK)
    async with reached(inst, account_id, mailbox) as addresses:
        return await asyncio.get_running_loop().run_in_executor(
            _threads, look, mailbox, addresses, validity, uid, since, inst.settings.max_message_bytes * 2
        )


async def _take(
    inst: Installation,
    account_id: UUID,
    channel_id: UUID,
    letter: Fetched,
    address: str,
    checked: Checked | None,
) -> None:
    arrived = await store(inst, account_id, channel_id, letter.raw, None, address, checked)
    if letter.whole:
        await place(inst, arrived)
    else:
        await hold(inst, arrived, parse(letter.raw), "too_large")


async def _cursor(
    inst: Installation, account_id: UUID, channel_id: UUID
) -> tuple[int | None, int, datetime | None]:
    [rows] = await inst.db.run(
        account_id,
        (
            "select uid_validity, uid, polled_at from mailbox_cursor where account_id = %s and channel_id = %s",
            [account_id, channel_id],
        ),
    )
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else (None, 0, None)


async def move(inst: Installation, account_id: UUID, channel_id: UUID, validity: int, uid: int) -> None:
    """Notes up to where a mailbox was read; within an epoch only forward."""
    await inst.db.run(
        account_id,
        (
            "insert into mailbox_cursor as c (account_id, channel_id, uid_validity, uid, polled_at) values (%s, %s, %s, %s, %s)"
            " on conflict (account_id, channel_id) do update set uid_validity = excluded.uid_validity,"
            " uid = case when c.uid_validity = excluded.uid_validity then greatest(c.uid, excluded.uid) else excluded.uid end,"
            " polled_at = excluded.polled_at, failing_since = null",
            [account_id, channel_id, validity, uid, now()],
        ),
    )


async def _failing(inst: Installation, account_id: UUID, channel_id: UUID) -> None:
    await inst.db.run(
        account_id,
        (
            "update mailbox_cursor set failing_since = coalesce(failing_since, %s) where account_id = %s and channel_id = %s",
            [now(), account_id, channel_id],
        ),
    )
