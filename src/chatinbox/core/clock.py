"""The one clock. Times are aware and in UTC; tests and the demo may move it."""

import time
from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

_offset = _jumped = timedelta(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """The current time, moved by what `travel` says."""
    return datetime.now(UTC) + _offset + _jumped


def elapsed() -> timedelta:
    """Time that passed since some moment, by a clock that nobody sets, sleep of the machine included where it says so."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return timedelta(seconds=time.clock_gettime(source)) + _offset


def this_day() -> datetime:
    """The day (UTC) and nothing finer: a minute beside the security log's would say which connection was whose."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def offset_seconds() -> float:
    """How far the clock is moved, in seconds; 0 in ordinary life."""
    return _offset.total_seconds()


@contextmanager
def travel(by: timedelta) -> Iterator[None]:
    """Moves the clock of this process while the block runs."""
    global _offset
    before, _offset = _offset, _offset + by
    try:
        yield
    finally:
        _offset = before


@contextmanager
def jump(by: timedelta) -> Iterator[None]:
    """Sets the clock of this process wrong while the block runs: no time passes by it."""
    global _jumped
    before, _jumped = _jumped, _jumped + by
    try:
        yield
    finally:
        _jumped = before


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or that month's last (Regulation 1182/71 Art. 3(2)(c))."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def millis(at: datetime) -> int:
    """Milliseconds since 1970, as the browser counts."""
    return (at - _EPOCH) // _MILLISECOND
