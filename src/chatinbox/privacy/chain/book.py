"""A book: one kind of ledger, what is told of it, where its rows and heads are, and how rows come into its chain."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from uuid import UUID

from chatinbox.core.canonical import canonical
from chatinbox.core.db import Tx
from chatinbox.core.installation import Installation

NOTHING = bytes(32)
"""What stands before the first row."""


class Linked(Protocol):
    """One row of a chain."""

    @property
    def number(self) -> int:
        """Its place, from 1."""

    @property
    def hash_before(self) -> bytes:
        """The hash of the row before it."""

    def hashed(self, account_id: UUID) -> bytes:
        """Its own hash, which the next one carries."""


@dataclass(slots=True)
class Verdict:
    """What was found. `erased`: rows of which it was erased whom they were about. No fault: the chain is whole."""

    first: int = 0
    last: int = 0
    hash: bytes = NOTHING
    rows: int = 0
    erased: int = 0
    heads: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


class Book(ABC):
    """One kind of ledger. `name` stands in its signed heads, `words` is what people read, `lock` tells its lock from others'.

    `rows`, `waiting` and `heads` are tables: of the chain, of what is on its way into it, of what was signed.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    purpose: ClassVar[str]
    lock: ClassVar[int]
    rows: ClassVar[str]
    waiting: ClassVar[str]
    heads: ClassVar[str]
    columns: ClassVar[str]
    """Of a row, what `read` takes: its number first, and last the hash of the row before it."""
    add: ClassVar[str]
    """Adds rows to an account's chain: takes the account, then a list for each of `columns`."""
    whole: ClassVar[str]
    """Asks for the account's rows after a number, in order and so many at most: `columns`, then what `look` takes beside."""

    @abstractmethod
    def read(self, row: Sequence[Any]) -> Linked:
        """A row of the chain, as the database has it."""

    @abstractmethod
    async def take(self, inst: Installation, tx: Tx) -> int:
        """Takes the next of what waits into the chain, under the book's lock; how many."""

    @abstractmethod
    def look(self, account_id: UUID, row: Linked, beside: Sequence[Any], found: Verdict) -> None:
        """Whether what stands beside a row is what the row commits to."""

    async def look_beside(self, inst: Installation, account_id: UUID, found: Verdict) -> None:  # noqa: B027
        """What no row of the chain tells of. Nothing, where everything stands in the chain itself."""


def hash_of(mark: bytes, told: dict[str, Any]) -> bytes:
    """SHA-256 of a mark and an object; the mark tells one kind of thing that is hashed from another."""
    return hashlib.sha256(mark + canonical(told)).digest()


def follow(
    account_id: UUID, rows: Iterable[Linked], number: int, before: bytes
) -> tuple[int, bytes, str | None]:
    """Goes along rows after row `number`, whose hash is `before`: the last number and hash, and the first fault."""
    for row in rows:
        if row.number != number + 1:
            return number, before, f"after row {number} comes row {row.number}"
        if row.hash_before != before:
            return (
                number,
                before,
                f"row {row.number} does not follow on row {number}: one of them was changed",
            )
        number, before = row.number, row.hashed(account_id)
    return number, before, None
