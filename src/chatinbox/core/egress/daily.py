"""Daily: what is asked again and again with the same words has one row of the ledger a day and process, and how it ended last."""

from collections.abc import Hashable
from datetime import date
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.egress.ledger import Entry, Outcome, Writes

MOST = 10_000  # rows of the day that are remembered


class Daily:
    """The rows of the day, by whatever tells alike errands apart; the name stays in memory."""

    def __init__(self, ledger: Writes) -> None:
        self._ledger = ledger
        self._rows: dict[Hashable, tuple[date, UUID, Outcome]] = {}

    async def begin(self, name: Hashable, entry: Entry) -> UUID:
        """The row of today, written now where there is none yet."""
        known = self._rows.get(name)
        if known and known[0] == now().date():
            return known[1]
        return await self._ledger.begin(entry)

    async def end(
        self, name: Hashable, account_id: UUID | None, row_id: UUID, outcome: Outcome, reason: str | None
    ) -> None:
        """How it ended, written where it ended otherwise than the last time."""
        known = self._rows.get(name)
        if known is None or known[1:] != (row_id, outcome):
            await self._ledger.end(account_id, row_id, outcome, reason)
        if len(self._rows) > MOST:
            self._rows.clear()
        self._rows[name] = (now().date(), row_id, outcome)


class OnceADay:
    """A ledger for a gate whose requests are all of this kind: the same receiver and the same words are one row a day."""

    def __init__(self, ledger: Writes) -> None:
        self._daily = Daily(ledger)
        self._names: dict[UUID, Hashable] = {}

    async def begin(self, entry: Entry) -> UUID:
        """The row of today."""
        row_id = await self._daily.begin(entry, entry)
        self._names[row_id] = entry
        return row_id

    async def end(
        self, account_id: UUID | None, row_id: UUID, outcome: Outcome, reason: str | None = None
    ) -> None:
        """How it ended last."""
        await self._daily.end(self._names.pop(row_id, row_id), account_id, row_id, outcome, reason)
