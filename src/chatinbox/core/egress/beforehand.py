"""Beforehand: the ledger of what leaves before there is a database to write to. Its rows stand in a file, on disk before the bytes
go, until they can be handed on to the house's own ledger. Only what opens the database itself is written so: the root key.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.disk import keep
from chatinbox.core.egress.ledger import Entry, Outcome
from chatinbox.core.ids import new_id

log = structlog.get_logger()
ASKED = "asked"
"""The file, below `keys/`."""
_BEGUN = (
    "insert into work.house_ledger (id, recipient, basis, instruction, fields, named, at)"
    " values (%(id)s, %(recipient)s, %(basis)s, %(instruction)s, %(fields)s, %(named)s, %(at)s) on conflict (id) do nothing"
)
_ENDED = "update work.house_ledger set outcome = %(outcome)s, reason = %(reason)s where id = %(id)s"


class Beforehand:
    """Rows of the house's ledger in a file. Several processes may write to it."""

    def __init__(self, data: Path) -> None:
        self.path = data / "keys" / ASKED

    async def begin(self, entry: Entry) -> UUID:
        """Writes that this is about to leave; on disk when it returns. Only the house's own, to a named recipient."""
        if entry.account_id is not None or entry.named is None:
            raise ValueError("what is of an account waits for the database")
        row_id = new_id()
        row = {
            "id": str(row_id), "recipient": entry.recipient, "basis": entry.basis, "instruction": entry.instruction,
            "fields": list(entry.fields), "named": entry.named, "at": now().isoformat(),
        }  # fmt: skip
        self._add(row)
        return row_id

    async def end(
        self, account_id: UUID | None, row_id: UUID, outcome: Outcome, reason: str | None = None
    ) -> None:
        """Writes how it ended."""
        assert account_id is None
        self._add({"id": str(row_id), "outcome": outcome, "reason": reason})

    async def hand_on(self, db: Database) -> int:
        """Writes what stands here into the house's ledger, and empties the file; how many rows. Twice is fine. A line that
        cannot be read keeps nobody from starting: it is passed over, and the log says so.
        """
        if not self.path.exists():
            return 0
        with self._locked() as file:
            rows = list(_read(file))
            for row in rows:
                begins = "recipient" in row
                told = row | ({"at": datetime.fromisoformat(row["at"])} if begins else {})
                await db.directory(_BEGUN if begins else _ENDED, told)
            file.truncate(0)
            keep(file)
        return sum("recipient" in row for row in rows)

    def _add(self, row: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked() as file:
            _to_end(file)
            file.write(json.dumps(row).encode() + b"\n")
            keep(file)

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(fd, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def _read(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    unreadable = 0
    for line in file:
        if line.endswith(b"\n"):
            try:
                yield json.loads(line)
            except ValueError:
                unreadable += 1
    if unreadable:
        log.warning("asked_beforehand_unreadable", count=unreadable)


def _to_end(file: IO[bytes]) -> None:
    """Goes to the end; a line that a crash cut off was never acknowledged and is taken away."""
    kept = file.read().rfind(b"\n") + 1
    file.truncate(kept)
    file.seek(kept)
