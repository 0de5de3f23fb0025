"""How a verb changes a conversation: one statement that takes the account's next feed number, changes the
conversation, writes the event under that number and leaves the outbox row. Every verb's SQL is built on it, so the
order of locks (counter, then conversation) is the same everywhere and numbers follow commit order. A closed account
gives no number, so nothing changes in it by any verb.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

FEED = "feed as (update counter set last = last + 1 where account_id = %(account)s and kind = 'feed' and closed_at is null returning last)"
EVENT = """
happened as (insert into event (account_id, id, feed, kind, conversation_id, position, subject_id, staff_user_id, data, at)
  select %(account)s, %(event)s, changed.feed, %(kind)s, %(conversation)s::uuid, {position}, %(subject)s::uuid, %(staff)s::uuid, %(data)s::jsonb, %(at)s
    from changed),
left_to_do as (insert into work.outbox (account_id, event_id, kind, conversation_id, subject_id)
  select %(account)s, %(event)s, %(kind)s, %(conversation)s::uuid, %(subject)s::uuid from changed)
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """Where a change ended up: the timeline's position after it and the account's feed number."""

    position: int
    feed: int


def change(
    account_id: UUID,
    conversation_id: UUID,
    kind: str,
    *,
    sets: str,
    guard: str = "true",
    extra: str = "",
    shown: bool = True,
    place_event: bool = True,
    subject_id: UUID | None = None,
    staff_user_id: UUID | None = None,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> Statement:
    """One conversation's change. `sets` and `guard` are SQL over `c`; `extra` are further CTEs that may use
    `changed` (position, customer_id, channel_id, via, feed); `shown` takes a place in the timeline, which is the
    event's own unless `place_event` is off (a message or note takes it then).
    """
    step = ", position = c.position + 1" if shown else ""
    text = f"""with {FEED},
changed as (update conversation c set feed = feed.last{step}{", " + sets if sets else ""} from feed
  where c.account_id = %(account)s and c.id = %(conversation)s and {guard}
  returning c.position, c.customer_id, c.channel_id, c.via, c.feed){", " + extra if extra else ""},
{EVENT.format(position="changed.position" if shown and place_event else "null")}
select position, feed, via from changed"""
    params = {
        "account": account_id,
        "conversation": conversation_id,
        "kind": kind,
        "event": new_id(),
        "subject": subject_id,
        "staff": staff_user_id,
        "data": Jsonb(data or {}),
        "at": now(),
        **values,
    }
    return text, params


def tell(account_id: UUID, kind: str, staff_user_id: UUID | None, subject_id: UUID | None) -> Statement:
    """An event of the account that is about no conversation: lists that ask by feed number learn of it."""
    text = f"""with {FEED}, changed as (select last as feed from feed),
{EVENT.format(position="null")}
select feed from changed"""
    return text, {
        "account": account_id,
        "conversation": None,
        "kind": kind,
        "event": new_id(),
        "subject": subject_id,
        "staff": staff_user_id,
        "data": Jsonb({}),
        "at": now(),
    }


async def apply(
    inst: Installation, account_id: UUID, conversation_id: UUID, statement: Statement
) -> Changed | None:
    """Makes the change and rings; None when the guard said no or there is no such conversation."""
    [rows] = await inst.db.run(account_id, statement)
    if not rows:
        return None
    changed = Changed(*rows[0][:2])
    inst.bell.ring(account_id, changed.feed, conversation_id)
    return changed


async def apply_or_refuse(
    inst: Installation, account_id: UUID, conversation_id: UUID, statement: Statement
) -> Changed | None:
    """As `apply`, but raises the not-found answer when the conversation is not there; None when it was so already."""
    changed = await apply(inst, account_id, conversation_id, statement)
    if changed is None:
        [rows] = await inst.db.run(
            account_id,
            ("select 1 from conversation where account_id = %s and id = %s", [account_id, conversation_id]),
        )
        if not rows:
            raise not_found()
    return changed
