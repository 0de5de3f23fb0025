"""Reply: staff answer where the customer wrote; who hears the event sets its delivery out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.errors import UniqueViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.attachments import link
from chatinbox.conversations.body import Body, preview, seal_body
from chatinbox.conversations.change import change
from chatinbox.conversations.who import in_sight, key_of
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.restricted import FREE

_MESSAGE = """message_out as (
  insert into message (account_id, id, conversation_id, position, author, staff_user_id, via, body_sealed, at)
  select %(account)s, %(subject)s, %(conversation)s, changed.position, 'staff', %(staff)s, changed.via, %(body)s, %(at)s
    from changed),
written as (
  delete from draft where account_id = %(account)s and staff_user_id = %(staff)s and conversation_id = %(conversation)s
    and exists (select from changed))"""

_SETS = """status = %(status)s, snoozed_until = null, waiting_since = null, last_at = %(at)s, failed_at = null,
  preview_sealed = %(preview)s, preview_by = 'staff', spoken_position = c.position + 1, spoken_by = %(staff)s,
  assignee_id = coalesce(c.assignee_id, %(staff)s)"""

# What the writer has not seen holds the answer back: somebody else spoke after the last position they saw.
_FREE = "(%(knowingly)s or" + FREE.removeprefix(" and") + ")"
# Who objected is answered when they wrote since.
_WANTED = """exists (select from customer cu where cu.account_id = c.account_id and cu.id = c.customer_id
  and (cu.objected_at is null or exists (select from message m where m.account_id = c.account_id
    and m.conversation_id = c.id and m.author = 'customer' and m.at > cu.objected_at)))"""
_SEEN = "(c.spoken_position <= %(seen)s or c.spoken_by = %(staff)s)"


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer is stored and on its way."""

    message_id: UUID
    position: int
    feed: int
    via: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The answer was not sent: something new stands after `seen_position`, or the conversation is not there."""

    seen_position: int


async def reply(
    inst: Installation,
    by: Staff,
    conversation_id: UUID,
    message_id: UUID,
    body: Body,
    *,
    seen_position: int,
    attachment_ids: Sequence[UUID] = (),
    send_anyway: bool = False,
    knowingly: bool = False,
    then: Literal["waiting", "done"] = "waiting",
) -> Replied | Held:
    """Stores the answer. Sending the same `message_id` again changes nothing. Raises not-found, and a sentence (409) for
    who objected and has not written since, and for who is set aside, unless it is sent `knowingly`.
    """
    by.need("answer")
    await in_sight(inst, by, conversation_id)
    key, at = await key_of(inst, by.account_id, conversation_id), now()
    statement = change(
        by.account_id,
        conversation_id,
        "message.sent",
        sets=_SETS,
        guard=f"{_FREE} and {_WANTED}" + ("" if send_anyway else f" and {_SEEN}"),
        knowingly=knowingly,
        extra=_MESSAGE,
        place_event=False,
        subject_id=message_id,
        staff_user_id=by.staff_user_id,
        data={"status": then} if then == "done" else None,
        body=seal_body(key, body, by.account_id, "message", message_id),
        preview=key.seal(preview(body.text), by.account_id, "conversation", "preview", conversation_id),
        status=then,
        seen=seen_position,
        at=at,
    )
    files = link(by.account_id, conversation_id, attachment_ids, message_id=message_id)
    taken = False
    try:
        rows, *_ = await inst.db.run(by.account_id, statement, *files)
    except UniqueViolation:
        rows, taken = [], True
    if not rows:  # the same answer again, because ours was lost on its way; or something new stands there
        earlier = await _earlier(inst, by, conversation_id, message_id)
        if taken and earlier is None:
            raise not_found()
        if earlier is None:
            await _why_not(inst, by, conversation_id, knowingly)
        return earlier or Held(seen_position)
    position, feed, via = rows[0]
    inst.bell.ring(by.account_id, feed, conversation_id)
    return Replied(message_id, position, feed, via, at)


async def _why_not(inst: Installation, by: Staff, conversation_id: UUID, knowingly: bool) -> None:
    """Raises when it was held back for the customer's sake."""
    ask = f"select {_FREE}, {_WANTED} from conversation c where c.account_id = %(account)s and c.id = %(conversation)s"
    asked = {"account": by.account_id, "conversation": conversation_id, "knowingly": knowingly}
    [rows] = await inst.db.run(by.account_id, (ask, asked))
    for is_free, is_wanted in rows:
        if not is_wanted:
            raise Refused(
                409, "They objected to being written to. You can answer when they write.", "objected"
            )
        if not is_free:
            raise Refused(
                409,
                "Their data is set aside: this has to be sent knowingly.",
                "restricted",
            )


async def _earlier(inst: Installation, by: Staff, conversation_id: UUID, message_id: UUID) -> Replied | None:
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select m.position, c.feed, m.via, m.at from message m join conversation c on c.account_id = m.account_id"
            " and c.id = m.conversation_id where m.account_id = %s and m.id = %s and m.conversation_id = %s"
            " and m.staff_user_id = %s",
            [by.account_id, message_id, conversation_id, by.staff_user_id],
        ),
    )
    return Replied(message_id, *rows[0]) if rows else None
