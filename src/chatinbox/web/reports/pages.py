"""The report pages: each reads its report and makes words, shapes and a sheet of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from chatinbox.accounts.opening_hours import DAYS
from chatinbox.accounts.teams import read_teams
from chatinbox.conversations.channels import read_channels
from chatinbox.core.installation import Installation
from chatinbox.reports.activity import ActivityReport, read_activity
from chatinbox.reports.sign_ins import SignInReport, read_sign_ins
from chatinbox.reports.work import Work, WorkReport, read_work, unusual_days, without_persons
from chatinbox.web.reports.charts import bar, bars, heat
from chatinbox.web.reports.reader import Reader
from chatinbox.web.reports.words import duration, hours, moment, number, weekday

HOW = {"password": "password", "passkey": "passkey", "sso": "company sign-on"}
PARTS = ((0, 8), (8, 13), (13, 18), (18, 24))


@dataclass(frozen=True, slots=True)
class Shown:
    """A page's words, and the same as a sheet: its head and its rows."""

    words: dict[str, Any]
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = field(default_factory=list)


Page: TypeAlias = Callable[[Installation, Reader], Awaitable[Shown]]


async def work(inst: Installation, reader: Reader) -> Shown:
    """Answers and conversations."""
    report = await read_work(
        inst, reader.by.account_id, reader.period, channel_id=reader.channel_id if reader.lines else None
    )
    if not reader.lines:
        report = without_persons(report)
    teams = [team for team in await read_teams(inst, reader.by.account_id) if team.id in report.by_team]
    lines = [(one, report.by_team[one.id]) for one in sorted(teams, key=lambda one: one.name.casefold())]
    words = await _work_words(inst, reader, report) | {"teams": lines, "of_channel": reader.channel_id}
    rows = work_rows(reader, report, teams=[(team.name, did) for team, did in lines])
    return Shown(words, WORK_HEAD, rows)


WORK_HEAD = (
    "Name", "Answers", "Conversations answered", "Notes", "Done", "Assigned", "First answer, median (s)",
    "First answer, 90 of 100 within (s)", "Until done, median (s)", "Until done, 90 of 100 within (s)",
)  # fmt: skip


def work_rows(
    reader: Reader, report: WorkReport, only: UUID | None = None, teams: Sequence[tuple[str, Work]] = ()
) -> list[list[Any]]:
    """A line a person, a line a team, and the whole; the whole alone without lines per person."""

    def cells(one: Work) -> list[Any]:
        counts = [one.answers, one.answered, one.notes, one.done, one.assignments]
        return [*counts, one.first_median, one.first_90, one.whole_median, one.whole_90]

    people = [one for one in reader.alphabetical() if one.id in report.by_person or one.id == only]
    lines = [[one.name, *cells(report.by_person.get(one.id, Work()))] for one in people]
    together = [[f"Team {name}", *cells(did)] for name, did in teams]
    return [*lines, *together, *([] if only else [["Everybody", *cells(report.whole)]])]


async def _work_words(inst: Installation, reader: Reader, report: WorkReport) -> dict[str, Any]:
    days, none = reader.period.days(), Work()
    by_day = [report.by_day.get(day, none) for day in days]
    told = [f"{one.answers} answers, {one.done} done" for one in by_day]
    most = max([0, *(one.answers for one in report.by_person.values())])
    channels = await read_channels(inst, reader.by.account_id)
    return {
        "whole": report.whole,
        "too_few": not reader.lines and report.whole == Work(people=report.whole.people),
        "chart": bars(days, [[one.answers for one in by_day], [one.done for one in by_day]], told)
        if report.by_day
        else None,
        "by_day": list(zip(days, by_day, strict=True)),
        "unusual": [
            f"{weekday(day)}: {count} answers, usually about {usual}"
            for day, count, usual in unusual_days(report, reader.period)
        ],
        "people": [
            (one, report.by_person.get(one.id, none), bar(report.by_person.get(one.id, none).answers, most))
            for one in reader.alphabetical()
            if one.active or one.id in report.by_person
        ],
        "channels": [(one, report.by_channel[one.id]) for one in channels if one.id in report.by_channel],
        "all_channels": channels,
    }


async def activity(inst: Installation, reader: Reader) -> Shown:
    """Hours in which people worked with the inbox."""
    if not reader.lines:
        return Shown({"report": None})
    report = await read_activity(inst, reader.by.account_id, reader.period)
    people = [one for one in reader.alphabetical() if one.active or one.id in report.by_person]
    most = max([0, *(one.seconds for one in report.by_person.values())])
    words = _activity_words(reader, report)
    words["people"] = [
        (one, report.by_person.get(one.id), bar(_seconds(report, one.id), most)) for one in people
    ]
    return Shown(words, *activity_sheet(reader, report))


def activity_sheet(
    reader: Reader, report: ActivityReport, only: UUID | None = None
) -> tuple[Sequence[str], list[list[Any]]]:
    """A line a person and day, in minutes."""
    people = [one for one in reader.alphabetical() if one.id in report.by_person and only in (None, one.id)]
    rows = [
        [one.name, day.isoformat(), round(seconds / 60)]
        for one in people
        for day, seconds in sorted(report.by_person[one.id].by_day.items())
    ]
    return ("Name", f"Day ({reader.zone.key})", "Active minutes"), rows


def _seconds(report: ActivityReport, person_id: UUID) -> int:
    return report.by_person[person_id].seconds if person_id in report.by_person else 0


def _activity_words(reader: Reader, report: ActivityReport) -> dict[str, Any]:
    days = reader.period.days()
    by_day = [report.of_day(day) for day in days]
    told = {
        (day, hour): f"{DAYS[day - 1]} {hour}:00 to {hour + 1}:00: {hours(seconds)}"
        for (day, hour), seconds in report.by_hour.items()
    }
    parts = [
        (
            DAYS[day - 1],
            [sum(report.by_hour.get((day, h), 0) for h in range(first, last)) for first, last in PARTS],
        )
        for day in range(1, 8)
    ]
    return {
        "report": report,
        "chart": bars(days, [[one / 3600 for one in by_day]], [hours(one) for one in by_day]),
        "by_day": list(zip(days, by_day, strict=True)),
        "heat": heat(report.by_hour, told),
        "busiest": max([0, *report.by_hour.values()]),
        "parts_of": parts,
        "total": sum(by_day),
        "here_now": sum(one.now for one in report.by_person.values()),
    }


async def sign_ins(inst: Installation, reader: Reader) -> Shown:
    """When people signed in, and how."""
    if not reader.lines:
        return Shown({"report": None})
    report = await read_sign_ins(inst, reader.by.account_id, reader.period)
    people = [one for one in reader.alphabetical() if one.active or one.id in report.by_person]
    words = {"report": report, "people": [(one, report.by_person.get(one.id)) for one in people]}
    return Shown(words, *sign_in_sheet(reader, report))


def sign_in_sheet(reader: Reader, report: SignInReport) -> tuple[Sequence[str], list[list[Any]]]:
    """A line a sign-in, the latest first."""
    zone, rows = reader.zone, []
    for one in report.latest:
        name = reader.staff[one.staff_user_id].name if one.staff_user_id in reader.staff else ""
        ended = f"{one.ended_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.ended_at else ""
        rows.append([name, f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}", HOW[one.how], ended])
    return ("Name", f"Signed in ({zone.key})", "How", "Session ended"), rows


async def person(inst: Installation, reader: Reader, of: UUID) -> Shown:
    """Everything that is counted about one person: the same for them and for whoever may see it."""
    account_id, period = reader.by.account_id, reader.period
    if not reader.lines:
        return Shown({"of": reader.staff[of], "report": None})
    done = await read_work(inst, account_id, period, only=of)
    words = await _work_words(inst, reader, done) | {"of": reader.staff[of], "of_channel": None}
    active = await read_activity(inst, account_id, period, only=of)
    signed = await read_sign_ins(inst, account_id, period, only=of)
    words |= {"work_chart": words["chart"], "by_day_work": words["by_day"], **_activity_words(reader, active)}
    words |= {"signed": signed, "own": signed.by_person.get(of), "active": active.by_person.get(of)}
    return Shown(words, *person_sheet(reader, done, active, signed))


def person_sheet(
    reader: Reader, done: WorkReport, active: ActivityReport, signed: SignInReport
) -> tuple[Sequence[str], list[list[Any]]]:
    """A line a day."""
    rows = []
    for day in reader.period.days():
        one = done.by_day.get(day, Work())
        count = sum(s.at.astimezone(reader.zone).date() == day for s in signed.latest)
        rows.append(
            [day.isoformat(), count, round(active.of_day(day) / 60), one.answers, one.notes, one.done]
        )
    return (
        f"Day ({reader.zone.key})",
        "Sign-ins",
        "Active minutes",
        "Answers",
        "Notes",
        "Done",
    ), rows


PAGES: Mapping[str, tuple[str, Page]] = {
    "work": ("Work", work),
    "activity": ("Activity", activity),
    "sign-ins": ("Sign-ins", sign_ins),
}
SPOKEN = {"duration": duration, "hours": hours, "number": number, "weekday": weekday, "moment": moment}
