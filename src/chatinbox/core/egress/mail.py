"""Mail on its way out: by the operator's server, or into the built-in outbox."""

import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import aiosmtplib
from psycopg.errors import ForeignKeyViolation

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.egress.ledger import Asked, Entry, Ledger, NoPermission, Outcome
from chatinbox.core.egress.recipients import Basis, Guard, pass_all
from chatinbox.core.here import is_this_machine
from chatinbox.core.ids import new_id
from chatinbox.core.mail_server import MailServer, read_mail_server
from chatinbox.core.vault import Erased

_WITHHELD = (
    "The outgoing mail server is in a country for which the operator named no standard contractual clauses."
)
_NOT_SAFE = "no TLS that could be verified"


class Unreachable(Exception):
    """The other side could not be reached or asked us to come again (SMTP 4yz); try later."""


class Insecure(Unreachable):
    """The other side showed no TLS that could be verified, so nothing was handed over; try later: who stands between may go."""


class Declined(Exception):
    """The other side said no for good (SMTP 5yz), or we did. `reason` is its code and words, without addresses."""

    def __init__(self, reason: str, outcome: Outcome = "refused") -> None:
        super().__init__(reason)
        self.reason, self.outcome = reason, outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail about to leave for one recipient, whole (RFC 5322) with its envelope (RFC 5321).

    `sender` is empty where nobody is to hear that it could not be delivered (RFC 5321 §4.5.5). `asked`: who of the business
    asked for it; without that none goes to a customer (C45). Without an account it is the house's own, to a mailbox that
    somebody merely named: the ledger then says so, and not whose it is.
    """

    account_id: UUID | None
    subject_kind: Literal["customer", "person", "account"]
    subject_id: UUID | None
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    basis: Basis
    instruction: str
    fields: tuple[str, ...]
    asked: Asked | None = None
    kept_in: UUID | None = None  # whose outbox keeps one of the house's, where no server is named
    permission_id: UUID | None = None


class MailGate:
    """The operator's SMTP server, or the built-in outbox when none is named."""

    def __init__(
        self, db: Database, ledger: Ledger, smtp_url: str | None, trust: ssl.SSLContext | None = None
    ) -> None:
        self._db, self._ledger, self._trust = db, ledger, trust
        self._server = read_mail_server(smtp_url) if smtp_url else None
        self.guard: Guard = pass_all
        self.is_here: Callable[[str], bool] = is_this_machine

    async def send(self, letter: Letter) -> None:
        """Sends one letter; raises Unreachable, Declined, or NobodyAsked. The ledger row is there before the first byte."""
        row_id = await self._begin(letter)
        if self._server and letter.account_id and (reason := await self.guard(letter.account_id, "mail")):
            await self._ledger.end(letter.account_id, row_id, "withheld", reason)
            raise Declined(_WITHHELD, "withheld")
        try:
            if self._server is None:
                await self._keep(letter)
            else:
                await self._hand_over(self._server, letter)
        except Declined:
            await self._ledger.end(letter.account_id, row_id, "refused")
            raise
        except Insecure:
            await self._ledger.end(letter.account_id, row_id, "withheld", _NOT_SAFE)
            raise
        except Unreachable:
            await self._ledger.end(letter.account_id, row_id, "unreachable")
            raise
        await self._ledger.end(letter.account_id, row_id, "taken")

    async def _begin(self, letter: Letter) -> UUID:
        entry = Entry(
            letter.account_id,
            "mail",
            ", ".join(letter.recipients) if letter.account_id else "the mailbox that was named",
            letter.subject_kind,
            letter.subject_id,
            letter.basis,
            letter.instruction,
            letter.fields,
            named=None if letter.account_id else "mailbox",
            permission_id=letter.permission_id,
            asked=letter.asked,
        )
        try:
            return await self._ledger.begin(entry)
        except NoPermission:
            raise Declined("No permission of this account holds for this.") from None

    async def _keep(self, letter: Letter) -> None:
        account_id = letter.account_id or letter.kept_in
        if account_id is None:
            raise Unreachable("no server")
        kept_id, subject_id = new_id(), letter.subject_id or account_id
        key = await self._ledger.key(account_id, letter.subject_kind, subject_id)
        sealed = key.seal(letter.raw, account_id, "kept_mail", "raw", kept_id)
        values = [account_id, kept_id, letter.subject_kind, subject_id, sealed, now()]
        text = "insert into kept_mail (account_id, id, subject_kind, subject_id, raw_sealed, at) values (%s, %s, %s, %s, %s, %s)"
        try:
            await self._db.run(account_id, (text, values))
        except ForeignKeyViolation:  # they were erased while it was written
            raise Erased(letter.subject_kind) from None

    async def _hand_over(self, server: MailServer, letter: Letter) -> None:
        try:
            client = aiosmtplib.SMTP(
                hostname=server.host,
                port=server.port,
                use_tls=server.speaks_tls,
                start_tls=False,  # by hand, below
                tls_context=self._trust or (ssl.create_default_context() if server.speaks_tls else None),
                timeout=60,
            )
            async with client:  # the library's shorter way knows no letters without a sender
                await self._close(client, server)
                if server.username is not None:
                    await client.login(server.username, server.password or "")
                await client.sendmail(letter.sender, list(letter.recipients), letter.raw)
        except aiosmtplib.SMTPResponseException as error:
            raise _verdict(error.code, error.message) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            worst = max((r.code for r in error.recipients), default=550)
            raise _verdict(worst, "the recipient was refused") from error
        except (
            UnicodeEncodeError
        ) as error:  # a mailbox outside ASCII, which not every server takes (RFC 6531)
            raise Declined("553 the address has letters that this server does not take") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _close(self, client: aiosmtplib.SMTP, server: MailServer) -> None:
        """Has nobody listen in from here on: STARTTLS (RFC 3207), which who stands between can take out of what is offered. Only
        this machine's own server, and one that the operator says may be open, get a letter without. Raises Insecure.
        """
        if server.speaks_tls:
            return
        is_here = self.is_here(server.host)
        with contextlib.suppress(aiosmtplib.SMTPHeloError):  # then it offers nothing
            await client.ehlo()
        if (is_here or (server.may_be_open and not server.username)) and not client.supports_extension(
            "starttls"
        ):
            return
        try:
            await client.starttls()
        except (aiosmtplib.SMTPException, OSError) as error:
            if is_here:
                raise
            raise Insecure(type(error).__name__) from error


def _verdict(code: int, words: str) -> Exception:
    if 500 <= code < 600:
        kept = " ".join(word for word in words.split() if "@" not in word)
        return Declined(f"{code} {kept}"[:300])
    return Unreachable(str(code))
