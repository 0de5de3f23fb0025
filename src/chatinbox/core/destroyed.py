"""The ledger of destroyed keys: what an older copy must not undo, in a file that can lie on another disk.

Each key that is destroyed is written here first, by its random ids, and is on disk before it goes; and so is what began for
somebody, or ended, that a copy from before knows nothing of. The lines are a chain under a key of the installation, so a line
that was changed, dropped, moved or invented is noticed; that the end was cut off is noticed by whoever kept a later head.
"""

import contextlib
import fcntl
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.disk import keep, open_private

ALL = "all"  # as a kind: every key of an account
MARK = "mark"  # as a kind: the keyed hash of a letter that was erased, and must stay away
TALK = "conversation"  # as a kind: one that was erased while its customer's key stays
ASIDE, TAKEN_UP = "aside", "taken_up"  # as kinds: by the id of a restriction; `more` is whose
OBJECTED, OBJECTION_ENDED = "objected", "objection_ended"  # by the id of who objected; `more` is since when
HELD, HOLD_ENDED = (
    "held",
    "hold_ended",
)  # by the id of a hold; `more` is whose, which conversation or "-", until when
CLOSED, OPENED = "closed", "opened"  # of an account, by its own id; `more` is since when it is closed
STANDING = frozenset({ASIDE, TAKEN_UP, OBJECTED, OBJECTION_ENDED, HELD, HOLD_ENDED, CLOSED, OPENED})
"""The kinds that say what began or ended, and destroy nothing."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: the number of its last line, and that line's hash. Nothing is line 0."""

    number: int = 0
    hash: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def read(cls, words: str) -> Self:
        """From what `str` gave. Raises ValueError."""
        number, _, told = words.strip().partition(":")
        return cls(int(number), told)


@dataclass(frozen=True, slots=True)
class Line:
    """One destroyed key, or mark, or what began or ended. `more` is what its kind says besides."""

    head: Head
    at: datetime
    kind: str
    account_id: UUID
    subject_id: UUID
    more: tuple[str, ...] = ()


class Broken(Exception):
    """The ledger is not what was written: the number of the first line that does not hold."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number}")
        self.number = number


class Destroyed:
    """The ledger in one file. Several processes may write to it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key

    def begin(self) -> None:
        """Makes the file, so that one with nothing in it can be told from one that is missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(0o600)

    def add(self, names: Iterable[tuple[str, UUID, UUID]], more: Sequence[str] = ()) -> Head:
        """Writes kinds, accounts and subjects down, each with `more`, words without a space; on disk when this returns."""
        with self._locked(), open_private(self.path, "ab") as file:
            head, lines = self._end(), []
            for kind, account_id, subject_id in names:
                named = (kind, account_id.hex, subject_id.hex, *more)
                told = " ".join((str(head.number + 1), now().isoformat(), *named))
                head = Head(head.number + 1, self._hash(head.hash, told))
                lines.append(f"{told} {head.hash}\n")
            file.write("".join(lines).encode())
            keep(file)
        return head

    def head(self) -> Head:
        """Where it ends now."""
        with self._locked():
            return self._end()

    def heads(self) -> list[Head]:
        """Every head that it had and can still be asked for: where what was let go ended, and each line since. Raises Broken."""
        with self._locked():
            raw = self.path.read_text()
            told, _, hash_ = raw.partition("\n")[0].rpartition(" ")
            begun = [self._begun(told, hash_)] if told.startswith("from ") else []
            return begun + [one.head for one in self._read(raw)]

    def read(self) -> list[Line]:
        """Every line that is kept, oldest first. Raises Broken."""
        with self._locked():
            return self._read(self.path.read_text())

    def _read(self, raw: str) -> list[Line]:
        lines: list[Line] = []
        before: Head | None = None
        for written in raw.splitlines():
            told, _, hash_ = written.rpartition(" ")
            number = (before or Head()).number + 1
            if before is None and told.startswith("from "):  # older lines were let go
                before = self._begun(told, hash_)
                continue
            if not hmac.compare_digest(hash_, self._hash((before or Head()).hash, told)):
                raise Broken(number)
            at, kind, account, subject, *more = _parts(told, number)
            before = Head(number, hash_)
            lines.append(
                Line(
                    before,
                    datetime.fromisoformat(at),
                    kind,
                    UUID(hex=account),
                    UUID(hex=subject),
                    tuple(more),
                )
            )
        return lines

    def forget_before(self, kept: datetime) -> int:
        """Lets go of lines older than `kept`, which no copy that may still be used can need; how many."""
        with (
            self._locked()
        ):  # from reading to writing: of two backups at once, neither lets go of what the other kept
            self._end()
            whole = self.path.read_text()
            gone = [one for one in self._read(whole) if one.at < kept]
            if not gone:
                return 0
            last = gone[-1].head
            raw = whole.splitlines(keepends=True)
            begun = f"from {last.number} {last.hash}"
            left = raw[len(gone) + raw[0].startswith("from ") :]
            fresh = self.path.with_suffix(".new")
            with open_private(fresh, "w") as file:
                file.write(f"{begun} {self._hash('', begun)}\n" + "".join(left))
                keep(file)
            fresh.rename(self.path)
        return len(gone)

    def _begun(self, told: str, hash_: str) -> Head:
        if not hmac.compare_digest(hash_, self._hash("", told)):
            raise Broken(0)
        _, number, last = told.split(" ")
        return Head(int(number), last)

    def _end(self) -> Head:
        """The head, from the last line; a line that a crash cut off was never acknowledged and is taken away."""
        size = self.path.stat().st_size
        with self.path.open("rb") as whole:
            whole.seek(max(0, size - 4096))
            tail = whole.read()
        if tail and not tail.endswith(b"\n"):
            kept = tail.rfind(b"\n") + 1
            os.truncate(self.path, size - len(tail) + kept)
            tail = tail[:kept]
        if not tail:
            return Head()
        words = tail.splitlines()[-1].decode().split(" ")
        return Head(int(words[1]), words[2]) if words[0] == "from" else Head(int(words[0]), words[-1])

    def _hash(self, before: str, told: str) -> str:
        return hmac.digest(self._key, f"{before}\n{told}".encode(), "sha256").hex()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open_private(self.path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _parts(told: str, number: int) -> list[str]:
    words = told.split(" ")
    if len(words) < 5 or words[0] != str(number):
        raise Broken(number)
    return words[1:]


def begun(lines: Iterable[Line], kind: str, ended: str) -> tuple[list[Line], list[UUID]]:
    """What began by lines of `kind` and did not end by one of `ended`, the newest line of each; and the ids of what ended."""
    lines = list(lines)
    over = {one.subject_id for one in lines if one.kind == ended}
    newest = {one.subject_id: one for one in lines if one.kind == kind and one.subject_id not in over}
    return list(newest.values()), list(over)
