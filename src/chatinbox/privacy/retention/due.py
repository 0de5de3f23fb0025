"""Due: the conversations that a rule would erase now. What is set aside, held, or being erased already is none of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.installation import Installation
from chatinbox.customers.names import shown_name
from chatinbox.customers.restricted import FREE
from chatinbox.privacy.hold import IS_HELD

Counted: TypeAlias = Literal["age", "silence"]
SAMPLES = 5
_OLD = """
  from conversation c join customer cu on cu.account_id = c.account_id and cu.id = c.customer_id
 where c.account_id = %(account)s and {since} < %(before)s
   and (%(channel)s::uuid is null or c.channel_id = %(channel)s)
   and (%(tag)s::uuid is null or exists (select from conversation_tag t where t.account_id = c.account_id
     and t.conversation_id = c.id and t.tag_id = %(tag)s))"""
_NOT_HELD = f"""
   and not exists (select from hold h where {IS_HELD} and h.customer_id = coalesce(cu.merged_into, cu.id)
     and (h.conversation_id is null or h.conversation_id = c.id))"""
_NOT_UNDER_WAY = """
   and not exists (select from erasure e where e.account_id = c.account_id
     and e.customer_id = coalesce(cu.merged_into, cu.id) and e.done_at is null)"""
_SINCE = {"age": "c.created_at", "silence": "c.last_at"}
# Of each customer what is due, and how many conversations there are of them in all.
_BY_CUSTOMER = """
select d.root, d.ids, (select count(*) from conversation o join customer f on f.account_id = o.account_id and f.id = o.customer_id
    where o.account_id = %(account)s and (f.id = d.root or f.merged_into = d.root))
  from (select coalesce(cu.merged_into, cu.id) as root, array_agg(c.id) as ids {due} group by 1 limit %(most)s) d"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule says: so many days after what, of which channel and tag (None: any)."""

    counted: Counted
    days: int
    channel_id: UUID | None = None
    tag_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What goes of one customer: these conversations, or, when there are no others, the customer."""

    customer_id: UUID
    conversations: list[UUID]
    is_all: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation that would go."""

    customer_id: UUID
    number: int
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """How much a rule would erase if it were followed now, how much it leaves because it is held or set aside, and the oldest."""

    conversations: int
    customers: int
    kept: int
    samples: list[Sample]


async def read_due(inst: Installation, account_id: UUID, asked: Asked, most: int) -> list[Due]:
    """What is due, of so many customers at most."""
    [rows] = await inst.db.run(account_id, _statement(account_id, asked, most))
    return [Due(root, ids, len(ids) == in_all) for root, ids, in_all in rows]


async def count_kept(inst: Installation, account_id: UUID, asked: Asked) -> int:
    """How many conversations are old enough and stay, because they are held or set aside."""
    old, values = _OLD.replace("{since}", _SINCE[asked.counted]), _values(account_id, asked)
    ask = f"select count(*) {old} and not (true{FREE}{_NOT_HELD})"
    [rows] = await inst.db.run(account_id, (ask, values))
    return int(rows[0][0])


async def preview(inst: Installation, account_id: UUID, asked: Asked) -> Preview:
    """What following a rule now would do. Counted, not remembered."""
    since = _SINCE[asked.counted]
    due = _due(asked)
    counted, whole, oldest = await inst.db.run(
        account_id,
        (f"select count(*) {due}", _values(account_id, asked)),
        (
            "select count(*) from ("
            + _BY_CUSTOMER.replace("{due}", due)
            + ") x (root, ids, in_all) where cardinality(ids) = in_all",
            _values(account_id, asked) | {"most": 1_000_000},
        ),
        (
            f"select c.number, c.customer_id, cu.name_sealed, {since} {due} order by {since}, c.id limit {SAMPLES}",
            _values(account_id, asked),
        ),
    )
    keys = inst.vault.known_customer_keys(account_id, {row[1] for row in oldest})
    samples = [
        Sample(
            who,
            number,
            shown_name(
                keys[who].open_text(name, account_id, "customer", "name", who) if name else None, None, who
            ),
            at,
        )
        for number, who, name, at in oldest
        if who in keys
    ]
    return Preview(counted[0][0], whole[0][0], await count_kept(inst, account_id, asked), samples)


def _due(asked: Asked) -> str:
    return _OLD.replace("{since}", _SINCE[asked.counted]) + FREE + _NOT_HELD + _NOT_UNDER_WAY


def _statement(account_id: UUID, asked: Asked, most: int) -> Statement:
    return _BY_CUSTOMER.replace("{due}", _due(asked)), _values(account_id, asked) | {"most": most}


def _values(account_id: UUID, asked: Asked) -> dict[str, Any]:
    at = now()
    return {
        "account": account_id,
        "at": at,
        "before": at - timedelta(days=asked.days),
        "channel": asked.channel_id,
        "tag": asked.tag_id,
    }
