"""Reading the security log, as the one role that may. A reading without a reason is none, and each is noted first."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg

from chatinbox.core.vault import Erased, Vault
from chatinbox.watch.security_log import Place, open_place


@dataclass(frozen=True, slots=True)
class Read:
    """An entry, opened. `place` is None where none was kept, or its day's key is gone."""

    minute: datetime
    place: Place | None
    route: str
    status: int
    defect: str | None
    count: int

    @property
    def said_device(self) -> str:
        """What a stranger says of their device, without anything a terminal or a page would obey."""
        said = self.place.device if self.place else ""
        return "".join(char if char.isprintable() else "?" for char in said)


@dataclass(frozen=True, slots=True)
class ReadDefect:
    """A defect on a day."""

    day: date
    fingerprint: str
    kind: str
    places: list[str]
    count: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Who read, when and why."""

    at: datetime
    reader: str
    reason: str
    first_day: date
    last_day: date


def read_entries(dsn: str, vault: Vault, reader: str, reason: str, first: date, last: date) -> list[Read]:
    """The entries of some days, by the minute. Raises psycopg's CheckViolation for a reason that says nothing."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "select day, id, minute, place_sealed, route, status, defect, entry_count from seclog.read(%s, %s, %s, %s)",
            [reader, reason, first, last],
        ).fetchall()
    return [
        Read(minute, _place(vault, day, row_id, sealed), route, status, defect, count)
        for day, row_id, minute, sealed, route, status, defect, count in rows
    ]


def _place(vault: Vault, day: date, row_id: UUID, sealed: bytes | None) -> Place | None:
    if sealed is None:
        return None
    try:
        return open_place(vault.day_key(day), sealed, row_id)
    except Erased:
        return None


def read_defects(dsn: str, first: date, last: date) -> list[ReadDefect]:
    """The defects of some days; nothing of anybody is in them."""
    ask = "select day, fingerprint, kind, places, defect_count from seclog.read_defects(%s, %s)"
    with psycopg.connect(dsn) as conn:
        return [ReadDefect(*row) for row in conn.execute(ask, [first, last]).fetchall()]


def read_readings(dsn: str) -> list[Reading]:
    """The last readings, the newest first."""
    ask = "select at, reader, reason, first_day, last_day from seclog.readings()"
    with psycopg.connect(dsn) as conn:
        return [Reading(*row) for row in conn.execute(ask).fetchall()]
