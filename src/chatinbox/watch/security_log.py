"""The security log (plane S): who connected, to what, and how it ended, by the minute; and which defects were met.

Written once a minute, all together, so no entry has a finer time; alike connections of a minute are one entry. An entry has
no id, no name, no cookie and no path with something in it: nothing by which it could be joined to an account, a session or a
customer (clauses C12, C15). Address and device are sealed under the key of the day. A crash loses at most a minute.
"""

import asyncio
import uuid
from collections import Counter
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.ids import NOBODY
from chatinbox.core.vault import SealKey, Vault
from chatinbox.watch.defects import Defect
from chatinbox.watch.security_days import open_day

log = structlog.get_logger()
WRITE_SECONDS = 60.0
MOST = 20_000  # told apart between two writes; the rest is counted without an address
LONGEST_DEVICE = 200
PLACE_BYTES = 320  # of every place before it is sealed, so that its length tells nobody whose device it is


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a connection came from: its network address, and what it says of its device."""

    address: str
    device: str


class Entry(NamedTuple):
    """What is counted as one. `address` is None where too many different ones came at once."""

    minute: datetime
    address: str | None
    device: str
    route: str
    status: int
    defect: str | None


class SecurityLog:
    """The log of this process, until it is written."""

    def __init__(self) -> None:
        self._entries: Counter[Entry] = Counter()
        self._defects: Counter[tuple[date, Defect]] = Counter()

    def note(self, address: str, device: str, route: str, status: int, defect: Defect | None = None) -> None:
        """One connection: `route` is a path as the program names it, or a door's name; never what was asked for."""
        minute = now().replace(second=0, microsecond=0)
        found = defect.fingerprint if defect else None
        entry = Entry(minute, address, device[:LONGEST_DEVICE], route, status, found)
        before = self._entries.get(entry, 0)
        if not before and len(self._entries) >= MOST:
            entry = entry._replace(address=None, device="")
            before = self._entries.get(entry, 0)
        self._entries[entry] = before + 1
        if defect:
            self._defects[minute.date(), defect] += 1

    def note_defect(self, defect: Defect) -> None:
        """A defect that was met while nobody was answered."""
        self._defects[now().date(), defect] += 1

    async def write(self, db: Database, vault: Vault) -> None:
        """Writes what was noted since the last time. What cannot be written is kept for the next."""
        entries, self._entries = self._entries, Counter()
        defects, self._defects = self._defects, Counter()
        try:
            await _write(db, vault, entries, defects)
        except Exception:
            self._entries.update(entries)
            self._defects.update(defects)
            raise

    async def keep(self, db: Database, vault: Vault) -> None:
        """Writes once a minute until cancelled, and a last time then."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                try:
                    await self.write(db, vault)
                except Exception:
                    log.exception("security_log_not_written")
        finally:
            await self.write(db, vault)


async def _write(
    db: Database, vault: Vault, entries: Counter[Entry], defects: Counter[tuple[date, Defect]]
) -> None:
    for day in sorted({entry.minute.date() for entry in entries} | {day for day, _ in defects}):
        key = await open_day(db, vault, day)
        # By random ids, so that which came first is in no row's place either.
        rows = sorted(
            (uuid.uuid4(), entry, count) for entry, count in entries.items() if entry.minute.date() == day
        )
        async with db.work() as conn:
            await conn.execute(
                "select seclog.add(%s, %s::uuid[], %s::timestamptz[], %s::bytea[], %s::text[], %s::smallint[], %s::text[], %s::int[])",
                [
                    day,
                    [row_id for row_id, _, _ in rows],
                    [entry.minute for _, entry, _ in rows],
                    [_sealed(key, row_id, entry) for row_id, entry, _ in rows],
                    [entry.route[:120] for _, entry, _ in rows],
                    [entry.status for _, entry, _ in rows],
                    [entry.defect for _, entry, _ in rows],
                    [count for _, _, count in rows],
                ],
            )
            for defect, count in [(one, count) for (at, one), count in defects.items() if at == day]:
                await conn.execute(
                    "select seclog.add_defect(%s, %s, %s, %s, %s)",
                    [day, defect.fingerprint, defect.kind, list(defect.places), count],
                )


def _sealed(key: SealKey, row_id: uuid.UUID, entry: Entry) -> bytes | None:
    if entry.address is None:
        return None
    return key.seal(_filled(entry.address, entry.device), NOBODY, "seclog", "place", row_id)


def _filled(address: str, device: str) -> bytes:
    """A place in the same number of bytes, whatever it is: its length, itself, zeros. A device that says too much is cut."""
    address = address[:64]
    while len(bare := msgspec.msgpack.encode(Place(address, device))) > PLACE_BYTES - 2:
        device = device[:-10]
    return (len(bare).to_bytes(2, "big") + bare).ljust(PLACE_BYTES, b"\0")


def open_place(key: SealKey, sealed: bytes, row_id: uuid.UUID) -> Place:
    """Opens what an entry holds of where it came from."""
    raw = key.open(sealed, NOBODY, "seclog", "place", row_id)
    if len(raw) == PLACE_BYTES:  # entries of earlier versions stand as they are, for their sixty days
        raw = raw[2 : 2 + int.from_bytes(raw[:2], "big")]
    return msgspec.msgpack.decode(raw, type=Place)
