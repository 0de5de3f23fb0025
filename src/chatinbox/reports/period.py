"""Periods: whole days in the reader's zone, never into the future."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chatinbox.core.clock import now

KEPT_MONTHS = 13
DAYS = {"7d": 7, "28d": 28}


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day's beginning to the last day's end; `until` is not part of it."""

    name: str
    zone: ZoneInfo
    first: date
    last: date

    @property
    def since(self) -> datetime:
        """When it begins."""
        return _begins(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """When it is over, or now."""
        return min(_begins(self.last + timedelta(days=1), self.zone), now())

    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def words(self) -> str:
        """As it is read: 26 October to 22 November 2026."""
        if self.first == self.last:
            return day_words(self.first)
        begins = f"{self.first:%-d %B}" + ("" if self.first.year == self.last.year else f" {self.first.year}")
        return f"{begins} to {day_words(self.last)}"


def day_words(day: date) -> str:
    """A day as it is read: 26 October 2026."""
    return f"{day:%-d %B %Y}"


def read_zone(name: str | None) -> ZoneInfo:
    """A time zone by its name in the IANA list; UTC for anything else."""
    return ZoneInfo(name) if name in zoneinfo.available_timezones() else ZoneInfo("UTC")


def read_period(name: str | None, zone: ZoneInfo, months_only: bool = False) -> Period:
    """The period somebody asks for; anything unreadable is the usual one: four weeks, or the month."""
    today = now().astimezone(zone).date()
    if name in DAYS and not months_only:
        return Period(name, zone, today - timedelta(days=DAYS[name] - 1), today)
    if name and name in (one for one, _ in months(zone)):
        first = date.fromisoformat(f"{name}-01")
        return Period(name, zone, first, min(_next_month(first) - timedelta(days=1), today))
    return read_period(f"{today:%Y-%m}" if months_only else "28d", zone, months_only)


def months(zone: ZoneInfo) -> list[tuple[str, str]]:
    """The months of which something is still kept, the latest first: `2026-11`, and as it is read."""
    first = now().astimezone(zone).date().replace(day=1)
    found = []
    for _ in range(KEPT_MONTHS):
        found.append((f"{first:%Y-%m}", f"{first:%B %Y}"))
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def kept_since() -> datetime:
    """Before this moment nothing is kept: thirteen months ago."""
    moment = now()
    year, month = divmod(moment.year * 12 + moment.month - 1 - KEPT_MONTHS, 12)
    day = min(moment.day, (_next_month(date(year, month + 1, 1)) - timedelta(days=1)).day)
    return moment.replace(year=year, month=month + 1, day=day)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
