"""The record of a breach: what was exposed, when it was noticed, which accounts it touched, and which were told (Art. 33(5)).

The clock of Art. 33 runs from the moment it was noticed: an authority hears within 72 hours where the operator is the
controller, an account without undue delay where it is (Art. 33(2)).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from chatinbox.accounts import owners
from chatinbox.accounts.every_account import every_account
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.breach import Exposure, Touched, measure, notice

WITHIN = timedelta(hours=72)


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
    await inst.db.run(one.account_id, (add, row))


async def read_breaches(inst: Installation) -> list[Breach]:
    """Every recorded one, the latest first."""
    rows = await inst.db.directory(
        "select id, purpose, kind, exposed, noticed_at from work.breach order by noticed_at desc, id desc"
    )
    return [Breach(row[0], row[1], Exposure(row[2], row[3]), row[4]) for row in rows]


async def told(inst: Installation, breach: Breach) -> tuple[int, int]:
    """How many of the touched accounts were told, and how many there are."""
    done = count = 0
    async for account_id in every_account(inst):
        ask = "select told_at is not null from breach_notice where account_id = %s and breach_id = %s"
        [rows] = await inst.db.run(account_id, (ask, [account_id, breach.id]))
        count += len(rows)
        done += sum(row[0] for row in rows)
    return done, count


async def tell(inst: Installation, breach: Breach, answers: str) -> int:
    """Sends each touched account's owners its own notice, once; how many accounts. Told again, it goes on where it was."""
    sent = 0
    async for account_id in every_account(inst):
        sent += await _tell(inst, breach, account_id, answers)
    return sent


async def _tell(inst: Installation, breach: Breach, account_id: UUID, answers: str) -> int:
    ask = (
        "select counts, customer_count, staff_count from breach_notice where account_id = %s and breach_id = %s"
        " and told_at is null"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, breach.id]))
    if not rows:
        return 0
    text = notice(breach.exposure, Touched(account_id, *rows[0]), breach.noticed_at, answers, breach.is_drill)
    subject = "Drill: data of your account" if breach.is_drill else "Data of your account was exposed"
    fields = ("what was exposed", "when it was noticed", "counts of rows and people")
    await owners.tell(inst, account_id, subject, text, "notice of a breach", fields)
    marked = "update breach_notice set told_at = %s where account_id = %s and breach_id = %s"
    await inst.db.run(account_id, (marked, [now(), account_id, breach.id]))
    return 1
