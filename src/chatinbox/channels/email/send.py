"""An answer on its way by e-mail: composed, through the gate, and what became of it said where staff look."""

from typing import Any
from uuid import UUID

from chatinbox.accounts.profile import read_profile
from chatinbox.channels.email.compose import Answer, CannotBeWritten, File, compose, message_id_of
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.threading import reference_blind
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.channels import read_settings
from chatinbox.conversations.verbs.mark_delivery import State, mark_delivery
from chatinbox.core.db import Rows
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey
from chatinbox.customers.addresses import normal_email

MOST_TRIES = 10

_FAULT = "Something went wrong on our side."
_DELIVERY = """
select d.conversation_id, d.message_id, d.channel_id, d.state, d.attempts, c.number, c.customer_id, c.subject_sealed,
  m.body_sealed, m.position, m.at, cu.name_sealed
  from delivery d join conversation c on c.account_id = d.account_id and c.id = d.conversation_id
  join message m on m.account_id = d.account_id and m.id = d.message_id
  join customer cu on cu.account_id = c.account_id and cu.id = c.customer_id
 where d.account_id = %s and d.id = %s"""
_EARLIER = """
select id, author, body_sealed, at from message where account_id = %s and conversation_id = %s and position < %s
 and origin = 'written' order by position desc limit 20"""


_under_way: set[UUID] = set()


async def send(inst: Installation, account_id: UUID, delivery_id: UUID) -> None:
    """Sends one delivery. Doing it again after it was sent does nothing. Raises Unreachable to be tried again later."""
    if delivery_id in _under_way:
        return
    _under_way.add(delivery_id)
    try:
        [found] = await inst.db.run(account_id, (_DELIVERY, [account_id, delivery_id]))
        if found and found[0][3] in ("waiting", "sending"):
            await _send(inst, account_id, delivery_id, found[0])
    finally:
        _under_way.discard(delivery_id)


async def _send(inst: Installation, account_id: UUID, delivery_id: UUID, row: Any) -> None:
    conversation_id, attempts = row[0], row[4]

    async def mark(state: State, reason: str | None = None) -> None:
        await mark_delivery(inst, account_id, conversation_id, delivery_id, state, reason)

    try:
        await mark("sending")
        await inst.egress.mail(await _letter(inst, account_id, row))
    except Declined as declined:
        await mark("failed", declined.reason)
    except CannotBeWritten as refused:
        await mark("failed", str(refused))
    except Erased:
        await mark("failed", "The customer was erased.")
    except FileNotFoundError:
        await mark("failed", "A file that belongs to it is missing.")
    except Exception as error:
        if attempts + 1 >= MOST_TRIES:
            why = (
                "The mail server could not be reached for a long time."
                if isinstance(error, Unreachable)
                else _FAULT
            )
            await mark("failed", why)
            return
        await mark(
            "waiting",
            "The mail server does not answer; it will be tried again."
            if isinstance(error, Unreachable)
            else None,
        )
        raise
    else:
        await mark("sent")


async def _letter(inst: Installation, account_id: UUID, row: Any) -> Letter:
    """What leaves. Raises CannotBeWritten with a sentence for staff, or Erased."""
    customer_id = row[6]
    key = await inst.vault.customer_key(account_id, customer_id)
    recipient = await _recipient(inst, key, account_id, customer_id, row[0])
    settings = await read_settings(inst, account_id, row[2])
    if recipient is None:
        raise CannotBeWritten("There is no address to answer to.")
    if settings is None:
        raise CannotBeWritten("The channel is closed.")
    raw = await _compose(inst, account_id, key, row, recipient, settings)
    await _remember(inst, account_id, row[0], row[1])
    return Letter(
        account_id=account_id,
        subject_kind="customer",
        subject_id=customer_id,
        sender=str(settings[1]["address"]),
        recipients=(recipient,),
        raw=raw,
        basis="contract",
        instruction="an answer written by staff",
        fields=("e-mail address", "name", "message", "files"),
    )


async def _recipient(
    inst: Installation, key: SealKey, account_id: UUID, customer_id: UUID, conversation_id: UUID
) -> str | None:
    """Where the customer wants answers to their last letter here, else an address of theirs.

    Letters of others in the conversation (a colleague in copy) do not move the answers to them.
    """
    messages, addresses = await inst.db.run(
        account_id,
        (
            "select id, body_sealed from message where account_id = %s and conversation_id = %s and author = 'customer'"
            " and via = 'email' and origin = 'written' order by position desc limit 20",
            [account_id, conversation_id],
        ),
        (
            "select id, value_sealed from address where account_id = %s and customer_id = %s and kind = 'email'"
            " order by proven_at desc nulls last, created_at desc limit 20",
            [account_id, customer_id],
        ),
    )
    own = [key.open_text(value, account_id, "address", "value", row_id) for row_id, value in addresses]
    known = {normal_email(one) for one in own}
    for row_id, sealed in messages:
        body = open_body(key, sealed, account_id, "message", row_id)
        if body.from_address and (normal_email(body.from_address) in known or not known):
            return body.reply_to or body.from_address
    return own[0] if own else None


async def _compose(
    inst: Installation,
    account_id: UUID,
    key: SealKey,
    row: Any,
    recipient: str,
    settings: tuple[str, dict[str, Any]],
) -> bytes:
    conversation_id, message_id, _, _, _, number, customer_id, subject, sealed, position, at, name = row
    earlier, files, writers = await inst.db.run(
        account_id,
        (_EARLIER, [account_id, conversation_id, position]),
        (
            "select id, name_sealed, type from attachment where account_id = %s and message_id = %s order by id",
            [account_id, message_id],
        ),
        (
            "select u.person_id from message m join staff_user u on u.account_id = m.account_id and u.id = m.staff_user_id"
            " where m.account_id = %s and m.id = %s and m.origin = 'written'",
            [account_id, message_id],
        ),
    )
    body = open_body(key, sealed, account_id, "message", message_id)
    letters = _letters(earlier, key, account_id, inst.settings.mail_domain)
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
            files=[await _file(inst, key, account_id, *file) for file in files],
            signature=await _signature(inst, writers),
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


async def _file(
    inst: Installation, key: SealKey, account_id: UUID, file_id: UUID, name: bytes, type_: str
) -> File:
    content = await inst.files.get(key, account_id, file_id)
    return File(key.open_text(name, account_id, "attachment", "name", file_id), type_, content)


async def _remember(inst: Installation, account_id: UUID, conversation_id: UUID, message_id: UUID) -> None:
    """Answers to this letter will name its id: they shall find the conversation."""
    blind = await reference_blind(inst, account_id, message_id_of(message_id, inst.settings.mail_domain))
    await inst.db.run(
        account_id,
        (
            "insert into mail_reference (account_id, blind, conversation_id, message_id) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            [account_id, blind, conversation_id, message_id],
        ),
    )
