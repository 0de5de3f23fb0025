"""Mailboxes elsewhere: what is said to one (a user name, a password) leaves, too, so it is judged and written down.

The name is looked up once, and the addresses that were judged are those that are connected to. A mailbox is asked every
minute, with the same words each time: the ledger has one row for each mailbox (its server and whose it is there), day and
process, and how it ended last.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import NamedTuple
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.egress.addresses import is_inside, is_public
from chatinbox.core.egress.http import Withheld, look_up
from chatinbox.core.egress.ledger import Entry, Ledger, Outcome
from chatinbox.core.egress.recipients import Errand

MOST = 10_000  # mailboxes whose row of the day is remembered


class Asked(NamedTuple):
    """A mailbox: who asks, where, and under which user name; the name stays in memory."""

    account_id: UUID
    server: str
    user: str


class MailboxGate:
    """The way to mailboxes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: dict[Asked, tuple[date, UUID, Outcome]] = {}

    @asynccontextmanager
    async def reach(
        self, errand: Errand, host: str, port: int, user: str, inside: bool
    ) -> AsyncIterator[list[str]]:
        """The addresses to connect to, while it is asked. `inside`: one of the operator's own network may be asked, too.

        Raises Withheld for a name that leads nowhere, or where it may not.
        """
        if errand.account_id is None:  # the house asks no mailboxes
            raise Withheld("unknown_recipient")
        name = Asked(errand.account_id, f"imap://{host}:{port}", user)
        row_id = await self._row(errand, name)
        handed_out, outcome, reason = False, "unreachable", "stopped"
        try:
            found = await look_up(host, port)
            if not all(is_public(one) or (inside and is_inside(one)) for one in found):
                raise Withheld("address")
            handed_out = True
            yield [str(one) for one in found]
            outcome, reason = "taken", ""
        except Withheld as error:
            outcome, reason = "withheld", error.reason
            raise
        except OSError:
            reason = "network"
            raise
        except Exception:
            if handed_out:  # it was reached, for nothing of the network failed: something there said no
                outcome, reason = "refused", "answer"
            raise
        finally:
            await self._ended(name, row_id, outcome, reason)

    async def _row(self, errand: Errand, name: Asked) -> UUID:
        known = self._rows.get(name)
        if known and known[0] == now().date():
            return known[1]
        entry = Entry(
            errand.account_id, "mailbox", name.server, errand.subject_kind, errand.subject_id,
            errand.basis, errand.instruction, errand.fields,
        )  # fmt: skip
        return await self._ledger.begin(entry)

    async def _ended(self, name: Asked, row_id: UUID, outcome: str, reason: str) -> None:
        told: Outcome = outcome  # type: ignore[assignment]
        known = self._rows.get(name)
        if known is None or known[1:] != (row_id, told):
            await self._ledger.end(name.account_id, row_id, told, reason or None)
        if len(self._rows) > MOST:
            self._rows.clear()
        self._rows[name] = (now().date(), row_id, told)
