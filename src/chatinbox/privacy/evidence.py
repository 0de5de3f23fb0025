"""Numbers that everybody may see: what left for which reason, and who of the operator may look now. They name no account: few are
not shown, and what is not shown is not kept (docs/decisions/0046-numbers-that-name-nobody.md).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from chatinbox.accounts.every_account import every_account
from chatinbox.core.clock import now
from chatinbox.core.egress.recipients import Basis
from chatinbox.core.installation import Installation

LEAST = 10
OPEN: Literal["open"] = "open"
_A_DAY = timedelta(days=1)
Kind: TypeAlias = Basis | Literal["open"]

_LEFT = """
select basis, count(*) from ledger where account_id = %(account)s and at >= %(first)s and at < %(last)s
  and outcome is distinct from 'withheld' group by basis"""
_OPEN = """
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
    """Asks each account, and keeps what may be shown: who may look now, and once a day what left."""
    at = now()
    first, last = _twelve_months(at)
    kept = (await read(inst)).get("service")
    is_new = kept is not None and kept.until == last.date() and kept.at > at - _A_DAY
    kinds: tuple[Kind, ...] = (OPEN,) if is_new else (*get_args(Basis), OPEN)
    sums: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    everybody = 0
    asked = {"first": first, "last": last, "at": at}
    async for account_id in every_account(inst):
        everybody += 1
        for kind, many in await _of_one(inst, account_id, asked, *(() if is_new else (_LEFT,)), _OPEN):
            sums[kind] += many
            accounts[kind] += many > 0
    for kind in kinds:
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


async def _of_one(
    inst: Installation, account_id: UUID, asked: Mapping[str, object], *texts: str
) -> list[tuple[str, int]]:
    found = await inst.db.run(account_id, *((text, {**asked, "account": account_id}) for text in texts))
    return [(kind, many) for rows in found for kind, many in rows]


def _twelve_months(at: datetime) -> tuple[datetime, datetime]:
    """The first second of the last twelve whole months, and the one after their last."""
    last = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return last.replace(year=last.year - 1), last
