"""The one way out. Whatever leaves passes here: a typed request, a ledger row before the bytes, then the bytes."""

import ssl
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

import httpx

from chatinbox.core.db import Database
from chatinbox.core.egress.desk import DeskGate, Handing
from chatinbox.core.egress.http import HttpGate, TooMuch, Withheld
from chatinbox.core.egress.ledger import Asked, Ledger, NobodyAsked
from chatinbox.core.egress.mail import Declined, Insecure, Letter, MailGate, Unreachable
from chatinbox.core.egress.mailbox import MailboxGate
from chatinbox.core.egress.names import Names
from chatinbox.core.egress.recipients import REGISTER, Basis, Errand, Guard, Named
from chatinbox.core.vault import Vault

__all__ = [
    "REGISTER",
    "Asked",
    "Basis",
    "Declined",
    "Egress",
    "Errand",
    "Handing",
    "Insecure",
    "Letter",
    "Named",
    "Names",
    "NobodyAsked",
    "TooMuch",
    "Unreachable",
    "Withheld",
]


class Egress:
    """The gates: mail, HTTP, mailboxes elsewhere, the desk, and `names`, where name servers are asked."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        smtp_url: str | None,
        inside: bool = False,
        trust: ssl.SSLContext | None = None,
        names: Names | None = None,
    ) -> None:
        ledger = Ledger(db, vault)
        self.names = names or Names()
        self._mail, self._http = MailGate(db, ledger, smtp_url, trust), HttpGate(ledger, inside, trust)
        self._mailbox, self._inside = MailboxGate(ledger), inside
        self._desk = DeskGate(ledger)

    async def mail(self, letter: Letter) -> None:
        """Sends one letter; raises Unreachable, Declined, or NobodyAsked. The ledger row is there before the first byte."""
        await self._mail.send(letter)

    def client(self, errand: Errand, once_a_day: bool = False) -> httpx.AsyncClient:
        """A client whose requests are for one errand. Raises Withheld and TooMuch beside httpx's own errors. What anybody can
        have us ask again and again has one row of the ledger, `once_a_day`.
        """
        return self._http.client(errand, once_a_day)

    async def refuse(self, errand: Errand, where: str, reason: str) -> None:
        """Writes down that nothing was sent to what is no address that a request can be made to."""
        await self._http.refuse(errand, where, reason)

    async def by_browser(self, errand: Errand, where: str) -> UUID:
        """Writes down that somebody's browser is sent with this to an address that the account chose; the row, for `arrived`."""
        return await self._http.by_browser(errand, where)

    async def arrived(self, account_id: UUID, row_id: UUID) -> None:
        """Writes down that what a browser carried came there: whoever got it sent the browser back."""
        await self._http.ledger.end(account_id, row_id, "taken")

    def transport(self, errand: Errand) -> httpx.AsyncBaseTransport:
        """The same as a transport, for libraries that make their own client."""
        return self._http.transport(errand)

    def mailbox(
        self, errand: Errand, host: str, port: int, user: str, inside: bool
    ) -> AbstractAsyncContextManager[list[str]]:
        """The addresses of a mailbox's server to connect to, while `user`'s is asked. Raises Withheld."""
        return self._mailbox.reach(errand, host, port, user, inside or self._inside)

    def hand_over(
        self, errand: Errand, recipient: str, shown_from: datetime | None
    ) -> AbstractAsyncContextManager[Handing]:
        """While the block runs, something is put together for a court or an authority; its row is in the ledger before."""
        return self._desk.hand_over(errand, recipient, shown_from)

    def place(self, name: str, base: str) -> None:
        """Says where the operator has a named recipient of the register. Raises KeyError for one that is not in it."""
        self._http.bases[REGISTER[name].name] = base

    def begin(self, name: str, at: datetime) -> None:
        """Says from when a named recipient may get anything: the day that was announced. Without it, from the start."""
        self._http.begins[REGISTER[name].name] = at

    def guarded_by(self, guard: Guard) -> None:
        """Has somebody asked before anything of an account leaves by mail or to a named recipient."""
        self._mail.guard = self._http.guard = guard
