"""The record of a breach: what was exposed, when it was noticed, which accounts it touched, and which were told (Art. 33(5)).

The clock of Art. 33 runs from the moment it was noticed: an authority hears within 72 hours where the operator is the
controller, an account without undue delay where it is (Art. 33(2)).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from chatinbox.accounts import owners
from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.regimes import regime_of
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.privacy.breach import Exposure, Touched, measure, notice
from chatinbox.privacy.left.read import OUTCOME

_FIELDS = ("what was exposed", "when it was noticed", "counts of rows and people")
_NOBODY = "it has no owner"
_GONE = "it was destroyed meanwhile"


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach or drill as it was recorded."""

    id: UUID
    purpose: str
    exposure: Exposure
    noticed_at: datetime

    @property
    def is_drill(self) -> bool:
        """Whether nothing happened."""
        return self.purpose == "drill"


@dataclass(frozen=True, slots=True)
class Telling:
    """What came of telling: how many accounts were told now, and of those that could not be reached, how many for which
    reason.
    """

    told_count: int
    unreached: Counter[str]


@purpose.work(Use("Works out what of each account an exposure touched", "protect", "6"))
async def record(
    inst: Installation, exposure: Exposure, noticed_at: datetime, drill: bool = False
) -> tuple[Breach, list[Touched]]:
    """Works out what was touched, account by account, and keeps it: the exposure for the operator, its part for each."""
    breach = Breach(new_id(), "drill" if drill else "breach", exposure, noticed_at)
    await inst.db.directory(
        "insert into work.breach (id, purpose, kind, exposed, noticed_at, recorded_at) values (%s, %s, %s, %s, %s, %s)",
        [breach.id, breach.purpose, exposure.kind, exposure.exposed, noticed_at, now()],
    )
    touched = []
    async for account_id in every_account(inst):
        if one := await measure(inst, account_id, exposure):
            touched.append(one)
            await _keep(inst, breach, one)
    return breach, touched


async def _keep(inst: Installation, breach: Breach, one: Touched) -> None:
    row = [one.account_id, new_id(), breach.id, Jsonb(one.counts), one.customers, one.staff, now()]
    add = (
        "insert into breach_notice (account_id, id, breach_id, counts, customer_count, staff_count, recorded_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)"
    )
    touched = "insert into work.touched (breach_id, account_id) values (%s, %s)"
    await inst.db.run(one.account_id, (add, row), (touched, [breach.id, one.account_id]))


async def read_breaches(inst: Installation) -> list[Breach]:
    """Every recorded one, the latest first."""
    rows = await inst.db.directory(
        "select id, purpose, kind, exposed, noticed_at from work.breach order by noticed_at desc, id desc"
    )
    return [Breach(row[0], row[1], Exposure(row[2], row[3]), row[4]) for row in rows]


async def told(inst: Installation) -> dict[UUID, tuple[int, int]]:
    """Of each breach that touched any, how many of its accounts were told, and how many there are."""
    rows = await inst.db.directory(
        "select breach_id, count(told_at), count(*) from work.touched group by breach_id"
    )
    return {breach_id: (told_count, count) for breach_id, told_count, count in rows}


@purpose.work(Use("Tells each account's owners of a breach", "protect", "6"))
async def tell(inst: Installation, breach: Breach, answers: str) -> Telling:
    """Sends each touched account's owners its own notice, once. An account is told when a letter left to one of them at
    least. Told again, it goes on with the others.
    """
    ask = "select account_id from work.touched where breach_id = %s and told_at is null order by account_id"
    told_count, unreached = 0, Counter[str]()
    for (account_id,) in await inst.db.directory(ask, [breach.id]):
        if why := await _tell(inst, breach, account_id, answers):
            unreached[why] += 1
        else:
            told_count += 1
    return Telling(told_count, unreached)


async def _tell(inst: Installation, breach: Breach, account_id: UUID, answers: str) -> str | None:
    """None when the account was told, or why not."""
    ask = "select counts, customer_count, staff_count from breach_notice where account_id = %s and breach_id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, breach.id]))
    if not rows:
        return _GONE
    law, touched = await regime_of(inst, account_id), Touched(account_id, *rows[0])
    text = notice(breach.exposure, touched, breach.noticed_at, law, answers, breach.is_drill)
    subject = "Drill: data of your account" if breach.is_drill else "Data of your account was exposed"
    ended = await owners.tell(inst, account_id, subject, text, "notice of a breach", _FIELDS)
    if not ended["taken"]:
        return ", ".join(OUTCOME[one] for one in sorted(ended)) or _NOBODY
    marked = "update work.touched set told_at = %s where breach_id = %s and account_id = %s"
    await inst.db.directory(marked, [now(), breach.id, account_id])
    return None
