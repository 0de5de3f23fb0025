"""Numbers that everybody may see: what left for which reason, and who of the operator may look now. They name no account: few are
not shown, and what is not shown is not kept (docs/decisions/0046-numbers-that-name-nobody.md).
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from chatinbox.accounts.every_account import every_account
from chatinbox.core.clock import now
from chatinbox.core.egress.recipients import Basis
from chatinbox.core.installation import Installation

LEAST = 10
OPEN = "open"
Kind: TypeAlias = Basis | Literal["open"]

_OF_ONE = """
select basis, count(*) from ledger where account_id = %(account)s and at >= %(first)s and at < %(last)s
  and outcome is distinct from 'withheld' group by basis
union all
select 'open', count(*) from operator_grant g where account_id = %(account)s and opens_at <= %(at)s and closes_at > %(at)s
  and ended_at is null and (permission_id is null or exists (select from permission p where p.account_id = g.account_id
    and p.id = g.permission_id and p.taken_back_at is null and p.until_at > %(at)s))"""
_KEEP = """
insert into work.evidence (kind, shown, until_day, at) values (%(kind)s, %(shown)s, %(until_day)s, %(at)s)
on conflict (kind) do update set shown = excluded.shown, until_day = excluded.until_day, at = excluded.at"""


@dataclass(frozen=True, slots=True)
class Number:
    """One of them. `shown` is None where it is too few to show, else 0 or rounded down; `until` is the day before which it counts."""

    kind: Kind
    shown: int | None
    until: date
    at: datetime


async def count(inst: Installation) -> None:
    """Asks each account, and keeps what may be shown."""
    at = now()
    first, last = _twelve_months(at)
    sums: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    everybody = 0
    async for found in _of_each(inst, first, last, at):
        everybody += 1
        for kind, many in found:
            sums[kind] += many
            accounts[kind] += many > 0
    for kind in (*get_args(Basis), OPEN):
        shown = may_be_shown(sums[kind], accounts[kind], everybody)
        until = at.date() if kind == OPEN else last.date()
        await inst.db.directory(_KEEP, {"kind": kind, "shown": shown, "until_day": until, "at": at})


def may_be_shown(sum_: int, of_accounts: int, everybody: int) -> int | None:
    """What of a sum over accounts points at none of them."""
    if everybody < LEAST:
        return None
    if not sum_:
        return 0
    if sum_ < LEAST or of_accounts < LEAST:
        return None
    digit = int("1".ljust(len(str(sum_)), "0"))
    return sum_ // digit * digit


async def read(inst: Installation) -> dict[Kind, Number]:
    """What was counted last; nothing where it never was."""
    rows = await inst.behind.directory("select kind, shown, until_day, at from work.evidence")
    return {row[0]: Number(*row) for row in rows}


async def _of_each(
    inst: Installation, first: datetime, last: datetime, at: datetime
) -> AsyncIterator[list[tuple[str, int]]]:
    async for account_id in every_account(inst):
        yield await _of_one(inst, account_id, {"account": account_id, "first": first, "last": last, "at": at})


async def _of_one(inst: Installation, account_id: UUID, asked: dict[str, object]) -> list[tuple[str, int]]:
    [rows] = await inst.db.run(account_id, (_OF_ONE, asked))
    return [(kind, many) for kind, many in rows]


def _twelve_months(at: datetime) -> tuple[datetime, datetime]:
    """The first second of the last twelve whole months, and the one after their last."""
    last = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return last.replace(year=last.year - 1), last
