"""The one way out. Whatever leaves passes here: a typed request, a ledger row before the bytes, then the bytes.

The ledger says who got what, on which basis and on whose instruction, and how it ended. It is written in a
transaction of its own, so that a crash while sending leaves the row `begun`, never a letter without a row.
"""

import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.ids import new_id
from chatinbox.core.vault import SealKey, Vault


class Unreachable(Exception):
    """The other side could not be reached or asked us to come again (SMTP 4yz); try later."""


class Declined(Exception):
    """The other side said no for good (SMTP 5yz). `reason` is its code and words, without addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail about to leave for one recipient, whole (RFC 5322) with its envelope (RFC 5321)."""

    account_id: UUID
    subject_kind: Literal["customer", "person"]
    subject_id: UUID
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    basis: str
    instruction: str
    fields: tuple[str, ...]


class Egress:
    """The gate for mail: the operator's SMTP server, or the built-in outbox when none is named."""

    def __init__(self, db: Database, vault: Vault, smtp_url: str | None) -> None:
        self._db, self._vault, self._smtp_url = db, vault, smtp_url

    async def mail(self, letter: Letter) -> None:
        """Sends one letter; raises Unreachable or Declined. The ledger row is there before the first byte."""
        key = await self._key(letter)
        row_id = await self._begin(letter, key)
        if self._smtp_url is None:
            await self._keep(letter, key)
            await self._end(letter, row_id, "taken")
            return
        try:
            await self._send(self._smtp_url, letter)
        except Declined:
            await self._end(letter, row_id, "refused")
            raise
        except Unreachable:
            await self._end(letter, row_id, "unreachable")
            raise
        await self._end(letter, row_id, "taken")

    async def _key(self, letter: Letter) -> SealKey:
        if letter.subject_kind == "customer":
            return await self._vault.customer_key(letter.account_id, letter.subject_id)
        return await self._vault.person_key(letter.subject_id)

    async def _begin(self, letter: Letter, key: SealKey) -> UUID:
        row_id = new_id()
        who = key.seal(", ".join(letter.recipients), letter.account_id, "ledger", "recipient", row_id)
        await self._db.run(
            letter.account_id,
            (
                "insert into ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction,"
                " fields, at) values (%s, %s, 'mail', %s, %s, %s, %s, %s, %s, %s)",
                [letter.account_id, row_id, who, letter.subject_kind, letter.subject_id, letter.basis,
                 letter.instruction, list(letter.fields), now()],
            ),
        )  # fmt: skip
        return row_id

    async def _end(self, letter: Letter, row_id: UUID, outcome: str) -> None:
        await self._db.run(
            letter.account_id,
            (
                "update ledger set outcome = %s where account_id = %s and id = %s",
                [outcome, letter.account_id, row_id],
            ),
        )

    async def _keep(self, letter: Letter, key: SealKey) -> None:
        kept_id = new_id()
        sealed = key.seal(letter.raw, letter.account_id, "kept_mail", "raw", kept_id)
        await self._db.run(
            letter.account_id,
            (
                "insert into kept_mail (account_id, id, subject_kind, subject_id, raw_sealed, at) values (%s, %s, %s, %s, %s, %s)",
                [letter.account_id, kept_id, letter.subject_kind, letter.subject_id, sealed, now()],
            ),
        )

    async def _send(self, url: str, letter: Letter) -> None:
        parts = urlsplit(url)
        try:
            await aiosmtplib.send(
                letter.raw,
                sender=letter.sender,
                recipients=list(letter.recipients),
                hostname=parts.hostname or "127.0.0.1",
                port=parts.port or (465 if parts.scheme == "smtps" else 25),
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=parts.scheme == "smtps",
                tls_context=ssl.create_default_context() if parts.scheme == "smtps" else None,
                timeout=60,
            )
        except aiosmtplib.SMTPResponseException as error:
            raise _verdict(error.code, error.message) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            worst = max((r.code for r in error.recipients), default=550)
            raise _verdict(worst, "the recipient was refused") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unreachable(type(error).__name__) from error


def _verdict(code: int, words: str) -> Exception:
    if 500 <= code < 600:
        kept = " ".join(word for word in words.split() if "@" not in word)
        return Declined(f"{code} {kept}"[:300])
    return Unreachable(str(code))
