"""The one clock. Times are aware and in UTC; tests and the demo may move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """The current time, moved by what `travel` says."""
    return datetime.now(UTC) + _offset


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


def millis(at: datetime) -> int:
    """Milliseconds since 1970, as the browser counts."""
    return (at - _EPOCH) // _MILLISECOND
