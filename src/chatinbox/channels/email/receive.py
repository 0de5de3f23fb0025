"""A letter arrives: stored whole and durable first, then placed. What cannot be placed is held where staff see it."""

import asyncio
import contextlib
import hashlib
import re
import sqlite3
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import structlog

from chatinbox.channels.email.acknowledge import ask_acknowledgement, is_to_operator
from chatinbox.channels.email.channel import find_channels
from chatinbox.channels.email.forwarded import Forwarded, find_forwarded, note_comment
from chatinbox.channels.email.letter import Address, Parsed
from chatinbox.channels.email.loops import is_automatic, may_be_answered_by_machine
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.raw import Arrived, Summary, discard_raw, forget_old, hold, placed, read, store
from chatinbox.channels.email.reply_address import read_reply_address
from chatinbox.channels.email.threading import (
    Found,
    find_conversation,
    is_in_anothers_name,
    is_own_letter,
    reference_blind,
)
from chatinbox.channels.email.words import body_of, take_out_pictures
from chatinbox.conversations.body import Body
from chatinbox.conversations.checked import TRUSTED, Checked, Verdict, verdict_of
from chatinbox.conversations.incoming import Incoming, NewFile, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

__all__ = [
    "Arrived",
    "Summary",
    "body_of",
    "discard_raw",
    "forget_old",
    "hold",
    "place",
    "place_left_over",
    "store",
]

log = structlog.get_logger()
IN_THREAD_ABOVE = 50_000
GIVE_UP_AFTER = timedelta(hours=1)

# Not the letter's fault: the database or the disk is away for a moment. It is placed a little later.
_LATER = (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError, OSError)


async def place(inst: Installation, arrived: Arrived, *, by_hand: bool = False) -> UUID | None:
    """Makes a stored letter a message; its conversation. None when it is held instead, or has to wait.

    `by_hand` lets in what would be held. Doing it twice gives one message.
    """
    parsed: Parsed | None = None
    try:
        raw, summary = await read(inst, arrived)
        large = len(raw) > IN_THREAD_ABOVE
        parsed = await asyncio.to_thread(parse, raw) if large else parse(raw)
        await _find_writer(inst, parsed)
        body = await asyncio.to_thread(_words, parsed) if large else _words(parsed)
        body.checked = _of_writer(parsed, summary.checked)
        verdict = verdict_of(body.checked)
        found = await find_conversation(inst, arrived.account_id, summary.recipient, parsed, verdict)
        reason = None if by_hand else await _why_held(inst, arrived, parsed, verdict, found)
        if reason:
            await hold(inst, arrived, parsed, reason)
            return None
        forwarded = await _forwarded(inst, arrived, parsed, body, summary)
        if forwarded:
            parsed, body = forwarded.letter, _words(forwarded.letter)
            body.checked = Checked(spf="none", dkim="none", dmarc="none", forwarded=True)
            found = None  # what it answers is only said to
        try:
            return await _receive(inst, arrived, parsed, body, summary, forwarded, found)
        except Refused as refused:
            if refused.code != "not_found" or found is None:
                raise  # what it answers is being erased: it begins something
            return await _receive(inst, arrived, parsed, body, summary, forwarded, None)
    except Refused as refused:
        if refused.code != "erased":
            raise
        await discard_raw(inst, arrived.account_id, arrived.raw_mail_id)  # a copy of what was erased
    except (Erased, FileNotFoundError):
        log.warning("raw_mail_gone", raw_mail_id=str(arrived.raw_mail_id))
    except _LATER:
        log.warning("mail_waits", raw_mail_id=str(arrived.raw_mail_id), exc_info=True)
    except Exception:
        log.exception("mail_not_placed", raw_mail_id=str(arrived.raw_mail_id))
        if not by_hand:
            with contextlib.suppress(*_LATER):
                await hold(inst, arrived, parsed, "failed")
    return None


def _words(parsed: Parsed) -> Body:
    take_out_pictures(parsed)
    return body_of(parsed)


async def _find_writer(inst: Installation, parsed: Parsed) -> None:
    """A group that passes letters on puts its own address, which is ours, in From and the writer's in Reply-To."""
    if parsed.sender and parsed.reply_to and await find_channels(inst, [parsed.sender.email]):
        writer = parsed.reply_to[0]
        if not read_reply_address(inst, writer.email) and not await find_channels(inst, [writer.email]):
            shown = re.sub(r"(?i)\s+(via|über|par|por|tramite)\s.*$", "", parsed.sender.name).strip("'\" ")
            parsed.sender = Address(writer.name or shown, writer.email)
            parsed.passed_on = True


def _of_writer(parsed: Parsed, checked: Checked | None) -> Checked | None:
    """What was found out about From. When a group passed a letter on, that is the group: nobody vouched for the writer."""
    if checked and checked.domain and parsed.passed_on:
        return msgspec.structs.replace(checked, domain=None, dmarc="none")
    return checked


async def _why_held(
    inst: Installation, arrived: Arrived, parsed: Parsed, verdict: Verdict, found: Found | None
) -> str | None:
    if parsed.defect:
        return "unreadable"
    if parsed.sender is None:
        return "no_sender"
    if parsed.text is None and parsed.html is None and not parsed.parts and not parsed.subject:
        return "empty"
    if await is_own_letter(inst, arrived.account_id, parsed):
        return "own"
    forged = await is_in_anothers_name(inst, arrived.account_id, parsed, verdict, found)
    return "denied" if forged else None


async def _forwarded(
    inst: Installation, arrived: Arrived, parsed: Parsed, body: Body, summary: Summary
) -> Forwarded | None:
    """What a colleague forwarded to an address of their account. To the address of a conversation, it is theirs."""
    if read_reply_address(inst, summary.recipient):
        return None
    found = await find_forwarded(inst, arrived.account_id, arrived.channel_id, parsed, body.checked)
    ours = found and found.letter.sender and await find_channels(inst, [found.letter.sender.email])
    return None if ours else found


async def _receive(
    inst: Installation,
    arrived: Arrived,
    parsed: Parsed,
    body: Body,
    summary: Summary,
    forwarded: Forwarded | None,
    found: Found | None,
) -> UUID:
    account_id = arrived.account_id
    sender = parsed.sender.email if parsed.sender else summary.envelope_sender or ""
    body.reply_to = await _reply_to(inst, parsed)
    account_key = await inst.vault.account_key(account_id)
    ids = [await reference_blind(inst, account_id, parsed.message_id)] if parsed.message_id else []
    received = await receive(
        inst,
        account_id,
        Incoming(
            channel_id=arrived.channel_id,
            via="email",
            sender=Sender(
                email=sender or None,
                name=(parsed.sender.name or None) if parsed.sender else None,
                customer_id=found[1] if found else None,
                source="forward" if parsed.passed_on else "channel",
                passed_on_by=forwarded.by.staff_user_id if forwarded else None,
            ),
            message_id=new_id(),
            body=body,
            subject=parsed.subject or None,
            conversation_id=found[0] if found else None,
            files=[NewFile(part.name, part.type, part.content, part.content_id) for part in parsed.parts],
            key=account_key.blind("mail", _fingerprint(parsed, sender, arrived)),
            references=ids,
            automatic=is_automatic(parsed, summary.envelope_sender, answers=found is not None),
            withheld=summary.withheld,
            spam=parsed.headers.get("x-spam-flag", [""])[0].strip().upper() == "YES",
        ),
    )
    if forwarded:
        await note_comment(inst, forwarded, received.conversation_id, received.message_id)
    await placed(inst, arrived, received.message_id)
    if (
        verdict_of(body.checked) in TRUSTED
        and is_to_operator(inst, summary.recipient)
        and may_be_answered_by_machine(parsed, summary.envelope_sender, {summary.recipient.casefold()})
    ):
        await ask_acknowledgement(inst, account_id, received)
    return received.conversation_id


async def _reply_to(inst: Installation, parsed: Parsed) -> str | None:
    """Where the writer wants answers (RFC 5322 §3.6.2), unless that is ourselves."""
    if not parsed.reply_to or parsed.sender is None:
        return None
    address = parsed.reply_to[0].email
    if address.casefold() == parsed.sender.email.casefold() or read_reply_address(inst, address):
        return None
    return None if await find_channels(inst, [address]) else address


def _fingerprint(parsed: Parsed, sender: str, arrived: Arrived) -> str:
    """Equal for two copies of one letter, whatever way they came; another body under the same id is another letter.

    Letters that carry neither id nor date are never taken for copies: two alike may both be meant.
    """
    words = [" ".join((one or "").split()) for one in (parsed.text, parsed.html)]
    whole = [
        parsed.message_id or str(parsed.date or arrived.raw_mail_id),
        sender.casefold(),
        parsed.subject,
        *words,
    ]
    whole += [hashlib.sha256(part.content).hexdigest() for part in parsed.parts]
    return hashlib.sha256("\0".join(whole).encode("utf-8", "replace")).hexdigest()


async def place_left_over(
    inst: Installation, account_id: UUID, older_than: timedelta = timedelta(seconds=30)
) -> int:
    """Places letters that were stored and acknowledged but not placed, because a process died or the database was away.

    How many. What cannot be placed for an hour is held, so that staff see it.
    """
    [rows] = await inst.db.run(
        account_id,
        (
            "select id, channel_id, received_at from raw_mail where account_id = %s and placed_at is null"
            " and held_at is null and received_at <= %s order by received_at limit 100",
            [account_id, now() - older_than],
        ),
    )
    return sum([await _again(inst, Arrived(account_id, row[0], row[1]), row[2]) for row in rows])


async def _again(inst: Installation, arrived: Arrived, received_at: datetime) -> bool:
    if await place(inst, arrived) is not None:
        return True
    if received_at < now() - GIVE_UP_AFTER:
        await _give_up(inst, arrived)
    return False


async def _give_up(inst: Installation, arrived: Arrived) -> None:
    """Holds what still waits; forgets a row whose file or key is gone, for nobody can read it any more."""
    [rows] = await inst.db.run(
        arrived.account_id,
        (
            "select 1 from raw_mail where account_id = %s and id = %s and placed_at is null and held_at is null",
            [arrived.account_id, arrived.raw_mail_id],
        ),
    )
    if not rows:
        return
    try:
        await read(inst, arrived)
        await hold(inst, arrived, None, "failed")
    except (Erased, FileNotFoundError):
        await discard_raw(inst, arrived.account_id, arrived.raw_mail_id)
