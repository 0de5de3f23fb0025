"""When things happened in the demo: words like `4d 16:08` turned into times before now, in order, never to come."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone

BUSINESS_TIME = timezone(timedelta(hours=1))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([+-])?(\d+)([smhd])")
_DAY = re.compile(r"(\d+)d (\d\d):(\d\d)")


def resolve(whens: Iterable[str], now: datetime) -> Iterator[datetime]:
    """The times of one thread's steps: each at least 15 seconds after the one before, the last before `now`."""
    before = now - timedelta(days=400)
    for when in whens:
        at = max(_time(when, before, now), before + timedelta(seconds=15))
        before = min(at, now)
        yield before


def until(words: str, at: datetime, now: datetime) -> datetime:
    """The end of a snooze: `46h` after its beginning, or `now+3d`: the morning of that day."""
    if words.startswith("now+"):
        morning = (now.astimezone(BUSINESS_TIME) + span(words[4:])).replace(hour=8, minute=0, second=0)
        return max(morning.astimezone(UTC), now + timedelta(hours=1))
    return at + span(words)


def span(words: str) -> timedelta:
    """`20m`, `5h`, `3d` as a length of time."""
    found = _SPAN.fullmatch(words)
    if not found:
        raise ValueError(f"not a time: {words!r}")
    return timedelta(seconds=int(found[2]) * _UNITS[found[3]])


def _time(when: str, before: datetime, now: datetime) -> datetime:
    day = _DAY.fullmatch(when)
    if day:
        return working_day(now, int(day[1])).replace(hour=int(day[2]), minute=int(day[3])).astimezone(UTC)
    return before + span(when) if when.startswith("+") else now - span(when)


def working_day(now: datetime, back: int) -> datetime:
    """The same time so many working days (Monday to Friday) ago."""
    day = now.astimezone(BUSINESS_TIME)
    while back:
        day -= timedelta(days=1)
        back -= day.weekday() < 5
    return day
