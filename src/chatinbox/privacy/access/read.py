"""Reading the access ledger: who looked at what, filtered, a page at a time, as a sheet, and beside one customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.accounts.access import WORDS
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import SIGHT
from chatinbox.core.db import Rows
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.names import shown_name
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.link import link

PAGE = 50
MOST_CSV = 50_000
OPERATOR = "The operator"
HEAD = (
    "Row",
    "In the quarter of an hour from (UTC)",
    "Who",
    "What",
    "Customer",
    "Customer’s id",
    "Conversation",
    "How many",
)

_LOOKS = """
select a.number, a.at, a.staff_user_id, a.grant_id, a.deed, s.customer_id, c.number, s.subject_id, s.row_count,
  s.erased_at is not null, cu.name_sealed, ad.id, ad.value_sealed
  from access a join access_subject s on s.account_id = a.account_id and s.id = a.id
  left join conversation c on c.account_id = a.account_id and c.id = s.conversation_id
  left join customer cu on cu.account_id = a.account_id and cu.id = s.customer_id
  left join lateral (select id, value_sealed from address where account_id = %(account)s and customer_id = s.customer_id
    and cu.name_sealed is null limit 1) ad on true
 where a.account_id = %(account)s and {where} order by a.number desc limit %(most)s"""
# Of a channel that is closed to somebody they see no row; of a customer only where one of their conversations is in sight.
_IN_SIGHT = (
    "(s.customer_id is null and s.conversation_id is null or exists (select from conversation c where"
    " c.account_id = %(account)s and c.customer_id = s.customer_id and (s.conversation_id is null or c.id = s.conversation_id)"
    f"{SIGHT}))"
)
_FAMILY = (
    "s.customer_id in (with recursive family as (select coalesce(merged_into, id) as id from customer"
    " where account_id = %(account)s and id = %(customer)s union select c.id from customer c join family f on c.merged_into = f.id"
    " where c.account_id = %(account)s) select id from family)"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None asks for everything. `operator`: only what the operator did. `before` is a row's number."""

    staff_user_id: UUID | None = None
    operator: bool = False
    deed: str | None = None
    customer_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """One row, opened. `staff_user_id` is None where the operator looked. `customer` is None for an erased one, too."""

    number: int
    at: datetime
    staff_user_id: UUID | None
    grant_id: UUID | None
    deed: str
    customer_id: UUID | None
    customer: str | None
    conversation: int | None
    subject_id: UUID | None
    count: int | None
    erased: bool


async def read_looked(inst: Installation, by: Staff, asked: Filter, most: int = PAGE) -> list[Looked]:
    """The rows, the newest first. Raises unless they may read the ledgers."""
    by.need("ledger")
    await link(inst, ACCESS, by.account_id)
    clauses, values = _where(by, asked)
    ask = _LOOKS.replace("{where}", " and ".join(clauses))
    [rows] = await inst.db.run(by.account_id, (ask, values | {"most": most}))
    return _open(inst, by.account_id, rows)


async def seen_by(inst: Installation, by: Staff, customer_id: UUID, most: int = 6) -> list[Looked]:
    """The last who looked at a customer, each once for what they did, but for what browsers fetched ahead. Raises not-found, and
    unless they may read the ledgers.
    """
    ask = f"select 1 from conversation c where c.account_id = %(account)s and c.customer_id = %(customer)s{SIGHT} limit 1"
    values = {"account": by.account_id, "customer": customer_id, "kept_out": list(by.kept_out)}
    there, seen = await inst.db.run(
        by.account_id,
        ("select 1 from customer where account_id = %(account)s and id = %(customer)s", values),
        (ask, values),
    )
    if not there or (by.kept_out and not seen):
        raise not_found()
    by.need("ledger")
    found = await read_looked(inst, by, Filter(customer_id=customer_id), 200)
    last: dict[tuple[UUID | None, str], Looked] = {}
    for one in found:
        if one.deed != "ahead":
            last.setdefault((one.staff_user_id, one.deed), one)
    return list(last.values())[:most]


def _where(by: Staff, asked: Filter) -> tuple[list[str], dict[str, Any]]:
    wanted: list[tuple[str, str, Any]] = [
        ("a.staff_user_id = %(who)s", "who", asked.staff_user_id),
        ("a.grant_id is not null", "operator", asked.operator or None),
        ("a.deed = %(deed)s", "deed", asked.deed),
        (_FAMILY, "customer", asked.customer_id),
        ("a.at >= %(since)s", "since", asked.since),
        ("a.at < %(until)s", "until", asked.until),
        ("a.number < %(before)s", "before", asked.before),
    ]
    clauses, values = ["true"], {"account": by.account_id, "kept_out": list(by.kept_out)}
    for clause, name, value in wanted:
        if value is not None:
            clauses.append(clause)
            values[name] = value
    if by.kept_out:
        clauses.append(_IN_SIGHT)
    return clauses, values


def _open(inst: Installation, account_id: UUID, rows: Rows) -> list[Looked]:
    keys = inst.vault.known_customer_keys(account_id, {row[5] for row in rows if row[5]})

    def called(
        customer_id: UUID | None, name: bytes | None, address_id: UUID, address: bytes | None
    ) -> str | None:
        key = keys.get(customer_id) if customer_id else None
        if key is None or customer_id is None:
            return None
        known = key.open_text(name, account_id, "customer", "name", customer_id) if name else None
        reached = key.open_text(address, account_id, "address", "value", address_id) if address else None
        return shown_name(known, reached, customer_id)

    return [
        Looked(
            number, at, who, grant, deed, customer, called(customer, name, address_id, address), conversation,
            subject, count, erased,
        )
        for number, at, who, grant, deed, customer, conversation, subject, count, erased, name, address_id, address in rows
    ]  # fmt: skip


def cells(one: Looked, names: dict[UUID | None, str], gone: str) -> Sequence[Any]:
    """A row as a line of a sheet."""
    who = names.get(one.staff_user_id, gone) if one.staff_user_id else OPERATOR
    return (
        one.number, one.at.isoformat(timespec="minutes"), who, WORDS[one.deed],  # type: ignore[index]
        "erased" if one.erased else one.customer, str(one.customer_id) if one.customer_id else None,
        f"#{one.conversation}" if one.conversation else None, one.count,
    )  # fmt: skip
