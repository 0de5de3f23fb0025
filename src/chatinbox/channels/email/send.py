"""An answer on its way by e-mail: composed, through the gate, and what became of it said where staff look."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.workspace import open_settings
from chatinbox.channels.email.compose import Answer, CannotBeWritten, File, compose, message_id_of
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.signing import signed
from chatinbox.channels.email.threading import reference_blind
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.channels import read_settings
from chatinbox.conversations.verbs.begin_delivery import begin_delivery
from chatinbox.conversations.verbs.mark_delivery import State, mark_delivery
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now
from chatinbox.core.db import LAZILY, Rows
from chatinbox.core.egress import Asked, Declined, Insecure, Letter, NobodyAsked, Unreachable
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey

log = structlog.get_logger()
MOST_TRIES = 10  # the last one after about three hours and a half

_SET_ASIDE = "Their data was set aside before it left. Write again if they are to get it all the same."
_FAULT = "Something went wrong on our side."
_NOT_REACHED = "The mail server does not answer; it will be tried again."
_NOT_SAFE = (
    "The mail server does not prove that nobody listens in, so nothing was sent; it will be tried again."
)
_NEVER_SAFE = "The mail server did not prove for a long time that nobody listens in, so nothing was sent."
_NEVER_REACHED = "The mail server could not be reached for a long time."
_DELIVERY = """
select d.conversation_id, d.message_id, d.channel_id, c.number, c.customer_id, c.subject_sealed,
  m.body_sealed, m.position, m.at, cu.name_sealed, cu.restricted_at >= m.at
  from delivery d join conversation c on c.account_id = d.account_id and c.id = d.conversation_id
  join message m on m.account_id = d.account_id and m.id = d.message_id
  join customer cu on cu.account_id = c.account_id and cu.id = c.customer_id
 where d.account_id = %s and d.id = %s"""
_OF_CUSTOMER = """
select id, body_sealed from message where account_id = %s and conversation_id = %s and author = 'customer'
 and via = 'email' and origin = 'written' order by position desc limit 20"""
_ADDRESSES = """
select id, value_sealed from address where account_id = %s and customer_id = %s and kind = 'email'
 order by proven_at desc nulls last, created_at desc limit 20"""
_FILES = "select id, name_sealed, type from attachment where account_id = %s and message_id = %s order by id"
_WRITERS = """
select u.person_id from message m join staff_user u on u.account_id = m.account_id and u.id = m.staff_user_id
 where m.account_id = %s and m.id = %s and m.origin = 'written'"""
_REMEMBERED = """
insert into mail_reference (account_id, blind, conversation_id, message_id) values (%s, %s, %s, %s)
on conflict do nothing"""
_EARLIER = """
select id, author, body_sealed, at from message where account_id = %s and conversation_id = %s and position < %s
 and origin = 'written' order by position desc limit 20"""


_under_way: set[UUID] = set()


async def send(inst: Installation, account_id: UUID, delivery_id: UUID) -> datetime | None:
    """Sends one delivery; when to try again, or None. Doing it again after it was sent does nothing."""
    if delivery_id in _under_way:
        return None
    _under_way.add(delivery_id)
    try:
        row = (_DELIVERY, [account_id, delivery_id])
        _, begun, found = await inst.db.run(account_id, LAZILY, begin_delivery(account_id, delivery_id), row)
        return await _send(inst, account_id, delivery_id, found[0], *begun[0]) if begun else None
    finally:
        _under_way.discard(delivery_id)


async def _send(
    inst: Installation, account_id: UUID, delivery_id: UUID, row: Any, tries: int
) -> datetime | None:
    async def mark(state: State, reason: str | None = None, due_at: datetime | None = None) -> None:
        await mark_delivery(inst, account_id, row[0], delivery_id, state, reason, due_at)

    if row[-1]:  # what is written after it, is written knowingly
        await mark("failed", _SET_ASIDE)
        return None
    try:
        await inst.egress.mail(await _letter(inst, account_id, row))
    except Declined as declined:
        await mark("failed", declined.reason)
    except (CannotBeWritten, NobodyAsked) as refused:
        await mark("failed", str(refused))
    except Erased:
        await mark("failed", "The customer was erased.")
    except FileNotFoundError:
        await mark("failed", "A file that belongs to it is missing.")
    except Exception as error:
        is_theirs = isinstance(error, Unreachable)
        if not is_theirs:
            log.exception("letter_failed", account_id=account_id, delivery_id=delivery_id)
        if tries + 1 >= MOST_TRIES:
            await mark("failed", _why(error, _NEVER_REACHED, _NEVER_SAFE) or _FAULT)
            return None
        again = now() + timedelta(seconds=5 + 3**tries)
        await mark("waiting", _why(error, _NOT_REACHED, _NOT_SAFE), again)
        return again
    else:
        await mark("sent")
    return None


def _why(error: Exception, away: str, unsafe: str) -> str | None:
    return unsafe if isinstance(error, Insecure) else away if isinstance(error, Unreachable) else None


async def _letter(inst: Installation, account_id: UUID, row: Any) -> Letter:
    """What leaves. Raises CannotBeWritten with a sentence for staff, or Erased."""
    _, message_id, channel_id, _, customer_id, *_ = row
    key = await inst.vault.customer_key(account_id, customer_id)
    settings = await read_settings(inst, account_id, channel_id)
    around = await _around(inst, account_id, row)
    recipient = _recipient(key, account_id, around)
    if recipient is None:
        raise CannotBeWritten("There is no address to answer to.")
    if settings is None:
        raise CannotBeWritten("The channel is closed.")
    return Letter(
        account_id=account_id,
        subject_kind="customer",
        subject_id=customer_id,
        sender=str(settings[1]["address"]),
        recipients=(recipient,),
        raw=signed(settings[1], await _compose(inst, account_id, key, row, around, recipient, settings)),
        basis="service",
        instruction="an answer written by staff",
        fields=("e-mail address", "name", "message", "files"),
        asked=Asked("staff", message_id),
    )


class _Around(NamedTuple):
    """What a letter is made of beside its message: rows."""

    letters_of_customer: Rows
    addresses: Rows
    earlier: Rows
    files: Rows
    writers: Rows
    account: Rows


async def _around(inst: Installation, account_id: UUID, row: Any) -> _Around:
    """Reads it, and remembers the letter's id: answers will name it and shall find the conversation."""
    conversation_id, message_id, _, _, customer_id, _, _, position, *_ = row
    blind = await reference_blind(inst, account_id, message_id_of(message_id, inst.settings.mail_domain))
    _, *found, _ = await inst.db.run(
        account_id,
        LAZILY,
        (_OF_CUSTOMER, [account_id, conversation_id]),
        (_ADDRESSES, [account_id, customer_id]),
        (_EARLIER, [account_id, conversation_id, position]),
        (_FILES, [account_id, message_id]),
        (_WRITERS, [account_id, message_id]),
        ("select settings_sealed from account where account_id = %s", [account_id]),
        (_REMEMBERED, [account_id, blind, conversation_id, message_id]),
    )
    return _Around(*found)


def _recipient(key: SealKey, account_id: UUID, around: _Around) -> str | None:
    """Where the customer wants answers to their last letter here, else an address of theirs.

    Letters of others in the conversation (a colleague in copy) do not move the answers to them.
    """
    own = [key.open_text(value, account_id, "address", "value", row_id) for row_id, value in around.addresses]
    known = {normal_email(one) for one in own}
    for row_id, sealed in around.letters_of_customer:
        body = open_body(key, sealed, account_id, "message", row_id)
        if body.from_address and (normal_email(body.from_address) in known or not known):
            return body.reply_to or body.from_address
    return own[0] if own else None


async def _compose(
    inst: Installation,
    account_id: UUID,
    key: SealKey,
    row: Any,
    around: _Around,
    recipient: str,
    settings: tuple[str, dict[str, Any]],
) -> bytes:
    conversation_id, message_id, _, number, customer_id, subject, sealed, _, at, name, _ = row
    body = open_body(key, sealed, account_id, "message", message_id)
    letters = _letters(around.earlier, key, account_id, inst.settings.mail_domain)
    last = next(((one, when) for author, one, when, _ in letters if author == "customer"), None)
    title = key.open_text(subject, account_id, "conversation", "subject", conversation_id) if subject else ""
    chain = [message_id_header for *_, message_id_header in reversed(letters) if message_id_header]
    if last:
        chain = [*last[0].references, *chain]
    return compose(
        Answer(
            message_id=message_id_of(message_id, inst.settings.mail_domain),
            sender_name=f"{body.author_name}, {settings[0]}" if body.author_name else settings[0],
            sender=str(settings[1]["address"]),
            # A mailbox that is asked by IMAP takes its answers itself; ours is only reached where our door is.
            reply_to=None if "mailbox" in settings[1] else reply_address(inst, account_id, number),
            recipient=recipient,
            recipient_name=key.open_text(name, account_id, "customer", "name", customer_id) if name else None,
            subject=title or f"Your message to {settings[0]}",
            at=at,
            text=body.text,
            html=body.html,
            in_reply_to=(last[0].message_id_header if last else None) or (chain[-1] if chain else None),
            references=list(dict.fromkeys(chain)),
            quoted_by=last[0].author_name if last else None,
            quoted_at=last[1] if last else None,
            quoted_text=last[0].text if last else None,
            files=[await _file(inst, key, account_id, *file) for file in around.files],
            signature=await _signature(inst, around.writers),
            foot=await _foot(inst, account_id, around.account),
        )
    )


def _letters(
    rows: Rows, key: SealKey, account_id: UUID, domain: str
) -> list[tuple[str, Body, Any, str | None]]:
    """Earlier messages, the newest first: author, words, time, Message-ID."""
    opened = []
    for row_id, author, sealed, at in rows:
        body = open_body(key, sealed, account_id, "message", row_id)
        header = message_id_of(row_id, domain) if author == "staff" else body.message_id_header
        opened.append((author, body, at, header))
    return opened


async def _signature(inst: Installation, writers: Rows) -> str:
    """How the staff user who wrote signs; nothing when they do not, or deleted their sign-in."""
    try:
        return (await read_profile(inst, writers[0][0])).signature if writers else ""
    except Erased:
        return ""


async def _foot(inst: Installation, account_id: UUID, account: Rows) -> str:
    """Who the business is, where it wants that at the foot of its letters."""
    workspace = open_settings(await inst.vault.account_key(account_id), account_id, account[0][0])
    return workspace.foot if workspace.foot_of_letters == "on" else ""


async def _file(
    inst: Installation, key: SealKey, account_id: UUID, file_id: UUID, name: bytes, type_: str
) -> File:
    content = await inst.files.get(key, account_id, file_id)
    return File(key.open_text(name, account_id, "attachment", "name", file_id), type_, content)
