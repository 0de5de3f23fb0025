"""How reports say durations, days and times."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def duration(seconds: int | None) -> str:
    """A span of time in two parts at most: 45 s, 14 min, 1 h 06, 2 d 3 h; a dash when there is none to tell."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02}"
    return f"{hours // 24} d {hours % 24} h"


def hours(seconds: int) -> str:
    """Hours and minutes of work: 6 h 05, 45 min, 0 for none."""
    if seconds < 60:
        return "0" if seconds == 0 else "under 1 min"
    whole, minutes = divmod(seconds // 60, 60)
    return f"{whole:,} h {minutes:02}" if whole else f"{minutes} min"


def number(count: int) -> str:
    """A count with thousands apart: 1,223."""
    return f"{count:,}"


def weekday(day: date) -> str:
    """A day with its name: Monday 26 Oct."""
    return f"{day:%A %-d %b}"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment in the reader's zone: 23 Nov 10:04."""
    return "" if at is None else f"{at.astimezone(zone):%-d %b %H:%M}"
