"""Ids: UUIDv7 made by the application, known before the insert and ordered by time (RFC 9562 §5.7)."""

from datetime import datetime
from uuid import UUID

from uuid_utils import uuid7

from chatinbox.core import clock

NOBODY = UUID(int=0)
"""The id that no row has: of no account, of no person, before the first; and what a malformed one is taken for."""


def new_id() -> UUID:
    """A fresh UUIDv7 at the time the clock shows."""
    if clock.offset_seconds():
        return UUID(int=uuid7(nanoseconds=int(clock.now().timestamp() * 1e9)).int)
    return UUID(int=uuid7().int)


def id_at(at: datetime) -> UUID:
    """A fresh UUIDv7 of a given time, for a row that must not tell a finer one than it says."""
    return UUID(int=uuid7(nanoseconds=int(at.timestamp()) * 1_000_000_000).int)


def read_id(text: object) -> UUID | None:
    """The id that a stranger wrote, or None when it is not one."""
    if not isinstance(text, str) or len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
