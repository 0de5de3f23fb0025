"""Alerts: a staff user who looks at, or takes along, far more in a day than they or anybody usually do. Owners hear of it, once a
day at most; nothing is done to the staff user.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.clock import now
from chatinbox.core.db import Rows
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

DAYS = 30
KNOWN = 5  # days with something in them, before somebody's usual day is known
TIMES = 4  # as much as on a usual day
FEW = 60  # conversations and customers: below, nothing is unusual
BLOCK = 50  # staff users whose usual days are read at once
EXPORTS = 5  # exports, sheets and copies in a day
QUIET = timedelta(hours=24)

# Each conversation, or customer, once a day, and a page that shows many customers as one; of a list every line that was paged to.
_DAYS = """
select a.staff_user_id, (a.at at time zone 'UTC')::date as day,
  count(distinct coalesce(s.conversation_id, case a.deed when 'customer' then s.subject_id end, s.customer_id)) + coalesce(sum(s.row_count) filter (where a.deed = 'list'), 0) as looks,
  count(*) filter (where a.deed in ('export', 'sheet', 'copy')) as exports
  from access a join access_subject s on s.account_id = a.account_id and s.id = a.id
 where a.account_id = %(account)s and a.at >= %(since)s and {who} group by 1, 2"""
# Of today only; whose day is nothing unusual in any case is read no further.
_TODAY = f"""
with days as ({_DAYS.replace("{who}", "a.staff_user_id is not null")})
select staff_user_id from days where looks >= %(few)s or exports >= %(exports)s order by 1"""
_ASK = f"""
with days as ({_DAYS.replace("{who}", "a.staff_user_id = any(%(who)s)")}), usual as (select staff_user_id, count(*) as known,
    percentile_disc(0.5) within group (order by looks) as looks, percentile_disc(0.5) within group (order by exports) as exports
    from days where day < %(today)s group by 1)
select d.staff_user_id, d.looks, d.exports, coalesce(u.known, 0), coalesce(u.looks, 0), coalesce(u.exports, 0)
  from days d left join usual u on u.staff_user_id = d.staff_user_id where d.day = %(today)s"""


@dataclass(frozen=True, slots=True)
class Alert:
    """One of them. `count` in a day (UTC) of `usual`; `what`: looks or exports."""

    staff_user_id: UUID
    day: date
    what: str
    count: int
    usual: int
    at: datetime


async def look_out(inst: Installation, account_id: UUID) -> int:
    """Notes what is far too much today; how many are new. One a staff user, day and kind."""
    today = now().date()
    begins = datetime.combine(today, time(), UTC)
    [any_] = await inst.db.run(
        account_id, ("select 1 from access where account_id = %s and at >= %s limit 1", [account_id, begins])
    )
    try:
        most = (await read_workspace(inst, account_id)).alert_looks if any_ else 0
    except Erased:  # being destroyed
        return 0
    if not most:  # nobody looked, or it is switched off
        return 0
    values = {"account": account_id, "today": today, "few": min(FEW, most), "exports": EXPORTS}
    [rows] = await inst.db.run(account_id, (_TODAY, values | {"since": begins}))
    of_note, new = [row[0] for row in rows], 0
    for first in range(0, len(of_note), BLOCK):
        who = {"since": begins - timedelta(days=DAYS), "who": of_note[first : first + BLOCK]}
        [found] = await inst.db.run(account_id, (_ASK, values | who))
        new += await _note(inst, account_id, today, most, found)
    return new


async def _note(inst: Installation, account_id: UUID, today: date, most: int, found: Rows) -> int:
    new = 0
    for who, looks, exports, known, usual_looks, usual_exports in found:
        if is_too_much(looks, usual_looks, known, most):
            new += await _add(inst, account_id, Alert(who, today, "looks", looks, usual_looks, now()))
        if exports >= EXPORTS and exports >= TIMES * usual_exports:
            new += await _add(inst, account_id, Alert(who, today, "exports", exports, usual_exports, now()))
    return new


def is_too_much(looks: int, usual: int, known: int, most: int) -> bool:
    """More than the account says, or a multiple of somebody's usual day where that is known."""
    return looks >= most or (known >= KNOWN and looks >= FEW and looks >= TIMES * usual)


async def _add(inst: Installation, account_id: UUID, alert: Alert) -> int:
    [rows] = await inst.db.run(
        account_id,
        (
            "insert into access_alert (account_id, id, staff_user_id, day, what, alert_count, usual_count, at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (account_id, staff_user_id, day, what) do nothing returning 1",
            [
                account_id,
                new_id(),
                alert.staff_user_id,
                alert.day,
                alert.what,
                alert.count,
                alert.usual,
                alert.at,
            ],
        ),
    )
    return len(rows)


async def tell_owners(inst: Installation, account_id: UUID) -> bool:
    """Writes to the owners about what they were not told yet, unless they were written to within a day; whether it did."""
    waits, told = await inst.db.run(
        account_id,
        ("select id, what from access_alert where account_id = %s and told_at is null", [account_id]),
        (
            "select 1 from access_alert where account_id = %s and told_at > %s limit 1",
            [account_id, now() - QUIET],
        ),
    )
    if not waits or told:
        return False
    kinds = {row[1] for row in waits}
    what = " and ".join(
        words for kind, words in (("looks", "looked at"), ("exports", "downloaded")) if kind in kinds
    )
    text = (
        f"Somebody who works in your account {what} far more in a day than is usual. That can be a good day’s work; it can"
        f" also be somebody who takes your customers along. Who it was, and what they looked at:\n\n"
        f"{inst.settings.public_url}/settings/looked\n\nYou hear of this once a day at most. Where it begins is set on the same page.\n"
    )
    subject = "Somebody looked at far more than usual"
    fields = ("what was done", "link")
    ended = await owners.tell(inst, account_id, subject, text, "an alert about access", fields)
    if owners.is_nobody_reached(ended):  # the next round tries again
        return False
    mark = "update access_alert set told_at = %s where account_id = %s and id = any(%s)"
    await inst.db.run(account_id, (mark, [now(), account_id, [row[0] for row in waits]]))
    return True


async def read_alerts(inst: Installation, by: Staff) -> list[Alert]:
    """The last twenty, newest first. Raises unless `by` may read the ledgers."""
    by.need("ledger")
    ask = (
        "select staff_user_id, day, what, alert_count, usual_count, at from access_alert where account_id = %s"
        " order by at desc, id desc limit 20"
    )
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [Alert(*row) for row in rows]
