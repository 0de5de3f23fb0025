"""Mailboxes elsewhere: what is said to one (a user name, a password) leaves, too, so it is judged and written down.

The name is looked up once, and the addresses that were judged are those that are connected to. A mailbox is asked every
minute, with the same words each time: the ledger has one row for each mailbox (its server and whose it is there), day and
process, and how it ended last.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from chatinbox.core.egress.addresses import is_inside, is_public
from chatinbox.core.egress.daily import Daily
from chatinbox.core.egress.http import Withheld, look_up
from chatinbox.core.egress.ledger import Entry, Ledger, Outcome
from chatinbox.core.egress.recipients import Errand


class Asked(NamedTuple):
    """A mailbox: who asks, where, and under which user name; the name stays in memory."""

    account_id: UUID
    server: str
    user: str


class MailboxGate:
    """The way to mailboxes."""

    def __init__(self, ledger: Ledger) -> None:
        self._daily = Daily(ledger)

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
        handed_out, reason = False, "stopped"
        outcome: Outcome = "unreachable"
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
            await self._daily.end(name, name.account_id, row_id, outcome, reason or None)

    async def _row(self, errand: Errand, name: Asked) -> UUID:
        entry = Entry(
            errand.account_id, "mailbox", name.server, errand.subject_kind, errand.subject_id,
            errand.basis, errand.instruction, errand.fields,
        )  # fmt: skip
        return await self._daily.begin(name, entry)
