"""What is handed over by a person: put together at the operator's desk for a court, an authority, or who averts a danger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from chatinbox.core.egress.http import Withheld
from chatinbox.core.egress.ledger import Entry, Ledger, Outcome
from chatinbox.core.egress.recipients import Errand


@dataclass(slots=True)
class Handing:
    """What is being handed over: whether bytes of it are out already."""

    is_leaving: bool = False


class DeskGate:
    """The way over the desk. Its bases are the law and rights, property or safety; no other."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @asynccontextmanager
    async def hand_over(
        self, errand: Errand, recipient: str, shown_from: datetime | None
    ) -> AsyncIterator[Handing]:
        """The row is there before the block begins; `shown_from` is the day until which an order forbids to tell. What is
        about no account stands in the house's own ledger. What breaks off when bytes are out already stays begun. Raises Withheld.
        """
        if errand.basis not in ("law", "rights"):
            raise Withheld("basis")
        entry = Entry(
            errand.account_id, "desk", recipient, "account", errand.account_id, errand.basis, errand.instruction,
            errand.fields, named="supervisor" if errand.account_id is None else None, shown_from=shown_from,
        )  # fmt: skip
        row_id = await self._ledger.begin(entry)
        outcome: Outcome = "withheld"
        handing = Handing()
        try:
            yield handing
            outcome = "taken"
        finally:
            if outcome == "taken" or not handing.is_leaving:
                ending = self._ledger.end(errand.account_id, row_id, outcome, None, "desk", shown_from)
                await asyncio.shield(asyncio.ensure_future(ending))
