"""The activity report: hours in which somebody worked with the inbox, by person and day, and by hour of the week.

Overlapping intervals (two machines, two processes) are one. An open one ends at its last sign, never in the future.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.activity import LONGEST, pace
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.reports.period import Period

# `slice` is an hour of the reader's clock, as it began there; grouped twice, so that nothing is split in the process.
_ASK = """
with merged as (
  select staff_user_id, unnest(range_agg(tstzrange(greatest(began_at, %(since)s), least(last_at, %(until)s)))) as span
    from staff_activity where account_id = %(account)s and began_at >= %(reach)s and began_at < %(until)s
     and last_at > %(since)s and (%(only)s::uuid is null or staff_user_id = %(only)s)
   group by staff_user_id),
sliced as (
  select staff_user_id, slice at time zone %(zone)s as local,
    extract(epoch from least(upper(span), slice + interval '1 hour') - greatest(lower(span), slice)) as seconds
  from merged, generate_series(date_trunc('hour', lower(span), %(zone)s), upper(span), interval '1 hour') slice
  where slice < upper(span)),
named as (select staff_user_id, local::date as day, extract(isodow from local)::integer as weekday,
  extract(hour from local)::integer as hour, seconds from sliced)
select staff_user_id, day, weekday, hour, round(sum(seconds))::bigint
  from named group by grouping sets ((staff_user_id, day), (weekday, hour))
"""
_LAST = """select staff_user_id, max(last_at) from staff_activity where account_id = %s and began_at >= %s
  and (%s::uuid is null or staff_user_id = %s) group by staff_user_id"""


class Active(msgspec.Struct):
    """One person: seconds of each day, and whether they are at work now."""

    by_day: dict[date, int] = {}
    now: bool = False

    @property
    def seconds(self) -> int:
        """All of it."""
        return sum(self.by_day.values())


class ActivityReport(msgspec.Struct):
    """Each person, and seconds by hour of the week: weekday from 1 for Monday (ISO 8601), hour from 0."""

    by_person: dict[UUID, Active]
    by_hour: dict[tuple[int, int], int]

    def of_day(self, day: date) -> int:
        """Everybody's seconds of a day."""
        return sum(one.by_day.get(day, 0) for one in self.by_person.values())


async def read_activity(
    inst: Installation, account_id: UUID, period: Period, only: UUID | None = None
) -> ActivityReport:
    """The report of an account, or of one person in it."""
    ask: dict[str, Any] = {"account": account_id, "since": period.since, "until": period.until, "only": only}
    ask |= {"zone": period.zone.key, "reach": period.since - LONGEST - timedelta(hours=1)}
    lately = now() - LONGEST - timedelta(hours=1)
    rows, last = await inst.db.run(account_id, (_ASK, ask), (_LAST, [account_id, lately, only, only]))
    report = ActivityReport({}, {})
    for person_id, day, weekday, hour, seconds in rows:
        if person_id:
            report.by_person.setdefault(person_id, Active()).by_day[day] = seconds
        else:
            report.by_hour[weekday, hour] = seconds
    for person_id, last_at in last:
        report.by_person.setdefault(person_id, Active()).now = is_now(last_at)
    return report


def is_now(last_at: datetime) -> bool:
    """Whether a last sign is so young that the next may just not be written yet."""
    return now() - last_at < timedelta(seconds=pace.write + pace.lost)
