"""Receive: a customer's words arrive, by whatever door."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, NotNullViolation, UniqueViolation
from psycopg.types.json import Jsonb

from chatinbox.conversations.attachments import link, name_them, stored
from chatinbox.conversations.body import preview, seal_body
from chatinbox.conversations.change import EVENT, FEED, change
from chatinbox.conversations.checked import TRUSTED, verdict_of
from chatinbox.conversations.collection import NOTHING, takes_statement
from chatinbox.conversations.incoming import Incoming, Received
from chatinbox.conversations.let_in import let_in
from chatinbox.conversations.who import customer_of, remember
from chatinbox.conversations.withheld import write_withheld
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey
from chatinbox.customers.addresses import find_by_email, write_address, write_customer
from chatinbox.customers.erased import IS_GOING, came_back
from chatinbox.customers.source import Source

# To whom is being erased nothing is given any more: it would go unread. A message without words is none, so all of it fails.
_IS_GOING = IS_GOING.format(
    account="%(account)s",
    customer="changed.customer_id",
    reach="(g.conversations is null or %(conversation)s::uuid = any(g.conversations))",
)
_MESSAGE = f"""message_in as (
  insert into message (account_id, id, conversation_id, position, author, via, origin, body_sealed, sender_check, at)
  select %(account)s, %(subject)s, %(conversation)s, changed.position, 'customer', %(via)s, %(origin)s,
    case when not {_IS_GOING} then %(body)s::bytea end,
    %(sender_check)s::text, %(at)s
    from changed)"""

_REOPEN = """last_at = %(at)s, preview_sealed = %(preview)s, preview_by = 'customer',
  spoken_position = c.position + 1, spoken_by = null"""
_TURN = """, snoozed_until = null, status = 'todo',
  waiting_since = case when c.status = 'todo' then coalesce(c.waiting_since, %(at)s) else %(at)s end"""

_START = f"""with numbered as (
  update counter set last = last + 1 where account_id = %(account)s and kind = 'conversation' returning last),
{FEED},
changed as (
  insert into conversation (account_id, id, number, customer_id, channel_id, via, subject_sealed, preview_sealed, status,
    spam_at, waiting_since, last_at, position, spoken_position, feed, created_at)
  select %(account)s, %(conversation)s, numbered.last, %(customer)s, %(channel)s, %(via)s, %(title)s::bytea, %(preview)s,
    %(status)s, %(spam_at)s::timestamptz, %(waiting)s::timestamptz, %(at)s, 1, 1, feed.last, %(at)s from numbered, feed
  returning position, customer_id, channel_id, via, feed),
{_MESSAGE},
{EVENT.format(position="null")}
select position, feed from changed"""


async def receive(inst: Installation, account_id: UUID, incoming: Incoming) -> Received:
    """Stores a customer's message: in its conversation, or in a new one of a known or new customer.

    One transaction; durable when this returns. The same message twice is stored once. What nobody needs, or its channel does
    not take, is kept out before anything is written. What was erased is not stored again: that is refused (410). Raises
    not-found when `conversation_id` is not this account's, or it or the customer that was named is being erased, and a sentence
    (422) for files where none are taken.
    """
    for _ in range(3):
        first, takes = await _first_copy(inst, account_id, incoming)
        if first:
            return first
        try:
            return await _place(inst, account_id, await let_in(incoming, takes))
        except (
            UniqueViolation
        ):  # another copy, or another mail of the same new customer, was faster: look again
            continue
        except (Erased, NotNullViolation, ForeignKeyViolation) as error:
            if not _is_gone(error):
                raise
            if incoming.conversation_id or incoming.sender.customer_id:
                raise not_found() from None
    raise RuntimeError("a message could not be placed because others of its kind were faster three times")


def _is_gone(error: Exception) -> bool:
    """Whether it could not be placed because whom it was for is being erased, or just was."""
    if isinstance(error, NotNullViolation):
        return error.diag.table_name == "message" and error.diag.column_name == "body_sealed"
    return True


async def _first_copy(
    inst: Installation, account_id: UUID, incoming: Incoming
) -> tuple[Received | None, frozenset[str]]:
    """The message that is there already, and what the channel takes: asked in one trip."""
    batch: list[Statement] = [
        takes_statement(account_id, incoming.channel_id),
        (
            "select m.conversation_id, m.id, c.customer_id, m.position, null from message m join conversation c"
            " on c.account_id = m.account_id and c.id = m.conversation_id where m.account_id = %s and m.id = %s",
            [account_id, incoming.message_id],
        ),
    ]
    if incoming.key:
        batch.append(
            (
                "select m.conversation_id, m.id, c.customer_id, m.position, r.erased_at from received r"
                " left join message m on m.account_id = r.account_id and m.id = r.message_id"
                " left join conversation c on c.account_id = m.account_id and c.id = m.conversation_id"
                " where (m.id is not null or r.erased_at is not null) and r.account_id = %s and r.channel_id = %s and r.key = %s",
                [account_id, incoming.channel_id, incoming.key],
            )
        )
    channel, *copies = await inst.db.run(account_id, *batch)
    takes = frozenset(channel[0][0]) if channel else NOTHING
    for rows in copies:
        if rows:
            conversation_id, message_id, customer_id, position, erased_at = rows[0]
            if erased_at:
                raise Refused(410, "This was erased, and is not stored again.", "erased")
            return Received(conversation_id, message_id, customer_id, position, 0, duplicate=True), takes
    return None, takes


async def _place(inst: Installation, account_id: UUID, incoming: Incoming) -> Received:
    at = incoming.at or now()
    before: list[Statement] = []
    if incoming.conversation_id:
        customer_id = await customer_of(inst, account_id, incoming.conversation_id)
        key = await inst.vault.customer_key(account_id, customer_id)
    else:
        customer_id, key, before = await _customer(inst, account_id, incoming, at)
    conversation_id = incoming.conversation_id or new_id()
    files = await stored(
        inst, key, account_id, conversation_id, incoming.files, message_id=incoming.message_id
    )
    after = files + link(account_id, conversation_id, incoming.attachment_ids, message_id=incoming.message_id)
    after += _look_ups(account_id, conversation_id, incoming)
    after += write_withheld(account_id, conversation_id, incoming.message_id, incoming.withheld)
    main = _write(key, account_id, conversation_id, customer_id, incoming, at)
    rows = (await name_them(inst, account_id, files, *before, main, *after))[len(before)]
    if not rows:
        raise not_found()
    position, feed, *_ = rows[0]
    feed += bool(incoming.withheld.get("file"))  # that a file was left out is told under the next number
    remember(account_id, conversation_id, customer_id)
    inst.bell.ring(account_id, feed, conversation_id)
    return Received(conversation_id, incoming.message_id, customer_id, position, feed)


async def _customer(
    inst: Installation, account_id: UUID, incoming: Incoming, at: datetime
) -> tuple[UUID, SealKey, list[Statement]]:
    """The customer's id and key, and what must be written first when they are new."""
    sender = incoming.sender
    known = sender.customer_id
    if known is None and sender.email:
        known = await find_by_email(inst, account_id, sender.email)
    if known:
        return known, await inst.vault.customer_key(account_id, known), []
    customer_id = new_id()
    key = await inst.vault.create_customer_key(account_id, customer_id)
    source = Source("api" if incoming.via == "api" else sender.source, incoming.channel_id, at)
    if sender.passed_on_by:
        source = Source("colleague", sender.passed_on_by, at)
    before = [write_customer(key, account_id, customer_id, sender.name, source)]
    if sender.email:
        verdict = verdict_of(incoming.body.checked)
        proven = verdict != "denied"  # else it is not they who wrote from it
        before += await write_address(inst, key, account_id, customer_id, sender.email, source, proven)
        if verdict in TRUSTED and not sender.passed_on_by:  # else anybody could have written it
            before.append(await came_back(inst, account_id, sender.email))
    return customer_id, key, before


def _write(
    key: SealKey, account_id: UUID, conversation_id: UUID, customer_id: UUID, incoming: Incoming, at: datetime
) -> Statement:
    words: dict[str, Any] = {
        "via": incoming.via,
        "origin": "automatic" if incoming.automatic else "written",
        "body": seal_body(key, incoming.body, account_id, "message", incoming.message_id),
        "preview": key.seal(
            preview(incoming.body.text), account_id, "conversation", "preview", conversation_id
        ),
        "sender_check": verdict_of(incoming.body.checked) if incoming.via == "email" else None,
        "at": at,
    }
    if incoming.conversation_id:
        return change(
            account_id,
            conversation_id,
            "message.received",
            sets=_REOPEN + ("" if incoming.automatic else _TURN),
            extra=_MESSAGE,
            place_event=False,
            subject_id=incoming.message_id,
            **words,
        )
    title = (
        key.seal(incoming.subject, account_id, "conversation", "subject", conversation_id)
        if incoming.subject
        else None
    )
    return _START, words | {
        "account": account_id,
        "conversation": conversation_id,
        "customer": customer_id,
        "channel": incoming.channel_id,
        "title": title,
        "status": "done" if incoming.automatic else "todo",
        "spam_at": at if incoming.spam else None,
        "waiting": None if incoming.automatic else at,
        "event": new_id(),
        "kind": "message.received",
        "subject": incoming.message_id,
        "staff": None,
        "data": Jsonb({}),
    }


def _look_ups(account_id: UUID, conversation_id: UUID, incoming: Incoming) -> list[Statement]:
    batch: list[Statement] = []
    if incoming.key:
        batch.append(
            (
                "insert into received (account_id, channel_id, key, message_id, conversation_id)"
                " select account_id, %s, %s, id, conversation_id from message where account_id = %s and id = %s",
                [incoming.channel_id, incoming.key, account_id, incoming.message_id],
            )
        )
    for blind in incoming.references:
        batch.append(
            (
                "insert into mail_reference (account_id, blind, conversation_id, message_id) values (%s, %s, %s, %s)"
                " on conflict do nothing",
                [account_id, blind, conversation_id, incoming.message_id],
            )
        )
    return batch
