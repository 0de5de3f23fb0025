"""The work report: answers, notes, conversations done and how long customers waited; by person, team, channel and day.

A conversation counts once as done, for whoever closed it last in the period, so that parts add up to the whole. What
somebody did counts once in each of their teams, so teams need not add up to it.
"""

from datetime import date
from statistics import median
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.installation import Installation
from chatinbox.reports.period import Period

FEWEST = 3  # sums over fewer people would tell about one of them

# What is counted, each row a deed; `behind` lists the conversations of the same rows.
# Two statements whatever the number of staff: by person, by channel, by day, and the whole; and by team.
COUNTED = """
with recorded as (
  select kind, staff_user_id, conversation_id, channel_id, seconds, at from staff_record
   where account_id = %(account)s and kind = any('{answer,note,done,assignment}') and at >= %(since)s and at < %(until)s
     and (%(channel)s::uuid is null or channel_id = %(channel)s)),
closed as (select distinct on (conversation_id) * from recorded where kind = 'done' order by conversation_id, at desc),
counted as (
  select *, (at at time zone %(zone)s)::date as day from (
    select * from recorded where kind <> 'done' union all select * from closed) all_of_them
  where %(only)s::uuid is null or staff_user_id = %(only)s)
"""
_FIGURES = """
  count(*) filter (where kind = 'answer'), count(distinct conversation_id) filter (where kind = 'answer'),
  count(*) filter (where kind = 'note'), count(*) filter (where kind = 'done'),
  count(*) filter (where kind = 'assignment'),
  percentile_disc(0.5) within group (order by seconds) filter (where kind = 'answer'),
  percentile_disc(0.9) within group (order by seconds) filter (where kind = 'answer'),
  percentile_disc(0.5) within group (order by seconds) filter (where kind = 'done'),
  percentile_disc(0.9) within group (order by seconds) filter (where kind = 'done'),
  count(distinct staff_user_id)
"""
_ASK = f"""{COUNTED} select grouping(staff_user_id, channel_id, day), staff_user_id, channel_id, day, {_FIGURES}
from counted group by grouping sets ((staff_user_id), (channel_id), (day), ())
"""
_BY_TEAM = f"""{COUNTED} select team_id, {_FIGURES} from (select counted.*, m.team_id from counted
  join team_member m on m.account_id = %(account)s and m.staff_user_id = counted.staff_user_id) t group by team_id
"""
_PERSON, _CHANNEL, _DAY, _WHOLE = 0b011, 0b101, 0b110, 0b111


class Work(msgspec.Struct, frozen=True):
    """What was done. Times in seconds: of a hundred customers, fifty or ninety waited no longer; None: nobody waited."""

    answers: int = 0
    answered: int = 0
    notes: int = 0
    done: int = 0
    assignments: int = 0
    first_median: int | None = None
    first_90: int | None = None
    whole_median: int | None = None
    whole_90: int | None = None
    people: int = 0


class WorkReport(msgspec.Struct, frozen=True):
    """The whole, and its parts. Parts that could tell about one person are empty when only sums are shown."""

    whole: Work
    by_person: dict[UUID, Work]
    by_channel: dict[UUID, Work]
    by_day: dict[date, Work]
    by_team: dict[UUID, Work] = {}


async def read_work(
    inst: Installation,
    account_id: UUID,
    period: Period,
    only: UUID | None = None,
    channel_id: UUID | None = None,
) -> WorkReport:
    """The report of an account, or of one person in it."""
    ask: dict[str, Any] = {"account": account_id, "since": period.since, "until": period.until}
    ask |= {"zone": period.zone.key, "only": only, "channel": channel_id}
    rows, teams = await inst.db.run(account_id, (_ASK, ask), (_BY_TEAM, ask))
    parts: dict[int, dict[Any, Work]] = {_PERSON: {}, _CHANNEL: {}, _DAY: {}, _WHOLE: {}}
    for grouped, person_id, channel, day, *counts in rows:
        parts[grouped][person_id or channel or day] = Work(*counts)
    whole = parts[_WHOLE].get(None, Work())
    by_team = {team_id: Work(*counts) for team_id, *counts in teams}
    return WorkReport(whole, parts[_PERSON], parts[_CHANNEL], parts[_DAY], by_team)


def without_persons(report: WorkReport) -> WorkReport:
    """Only sums over at least three people; a split of which one part is too small is left out whole, for the rest
    would tell it.
    """
    if report.whole.people < FEWEST:
        return WorkReport(Work(people=report.whole.people), {}, {}, {})

    def large(parts: dict[Any, Work]) -> dict[Any, Work]:
        return parts if all(one.people >= FEWEST for one in parts.values()) else {}

    teams = large(report.by_team)
    if any(0 < report.whole.people - one.people < FEWEST for one in teams.values()):
        teams = {}  # who is not in the team would be told by the difference
    return WorkReport(report.whole, {}, large(report.by_channel), large(report.by_day), teams)


def unusual_days(report: WorkReport, period: Period) -> list[tuple[date, int, int]]:
    """Days with less than 40 or more than 200 of 100 usual answers: the day, its answers, what such a weekday has.

    A difference below eight is not told. Usual is the median of at least three other days with the same name; today is not over and is left out.
    """
    days = period.days()
    counts = {day: report.by_day.get(day, Work()).answers for day in days}
    found = []
    for day in days[:-1]:
        others = [counts[one] for one in days[:-1] if one != day and one.weekday() == day.weekday()]
        if len(others) < 3:
            continue
        usual = median(others)
        if abs(counts[day] - usual) >= 8 and not 0.4 * usual <= counts[day] <= 2 * usual:
            found.append((day, counts[day], round(usual)))
    return found
