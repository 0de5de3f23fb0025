"""The built-in outbox: letters that would have left, kept where an owner can look at them (no outgoing server is named)."""

import email
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.policy import default
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey

KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept letter: its headers in order, its text and HTML, the names of its files; the customer it is to, where it is to one."""

    id: UUID
    customer_id: UUID | None
    at: datetime
    headers: list[tuple[str, str]]
    text: str
    html: str | None
    files: list[str]

    def header(self, name: str) -> str:
        """One header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


async def list_kept(inst: Installation, by: Staff) -> list[Kept]:
    """The last fifty letters to customers, and those to oneself: a colleague's links are theirs alone. Those of the house itself,
    which the operator's account keeps, are for its owners.

    Who is kept out of a channel sees none to customers: a letter does not say by which channel it left.
    """
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, subject_kind, subject_id, raw_sealed, at from kept_mail where account_id = %s"
            " and (subject_kind = 'customer' and %s or subject_kind = 'account' and %s or subject_id = %s)"
            " order by at desc limit 50",
            [by.account_id, not by.kept_out, by.may("account"), by.person_id],
        ),
    )
    opened = [await _open(inst, by.account_id, *row) for row in rows]
    return [kept for kept in opened if kept]


async def read_kept(inst: Installation, by: Staff, kept_id: UUID) -> Kept:
    """One letter. Raises not-found."""
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, subject_kind, subject_id, raw_sealed, at from kept_mail where account_id = %s and id = %s"
            " and (subject_kind = 'customer' and %s or subject_kind = 'account' and %s or subject_id = %s)",
            [by.account_id, kept_id, not by.kept_out, by.may("account"), by.person_id],
        ),
    )
    kept = await _open(inst, by.account_id, *rows[0]) if rows else None
    if kept is None:
        raise not_found()
    return kept


async def _open(
    inst: Installation,
    account_id: UUID,
    row_id: UUID,
    kind: str,
    subject_id: UUID,
    sealed: bytes,
    at: datetime,
) -> Kept | None:
    try:
        key: SealKey = (
            await inst.vault.customer_key(account_id, subject_id)
            if kind == "customer"
            else await inst.vault.account_key(account_id)
            if kind == "account"
            else await inst.vault.person_key(subject_id)
        )
    except Erased:
        return None
    raw = key.open(sealed, account_id, "kept_mail", "raw", row_id)
    message = email.message_from_bytes(raw, policy=default)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    return Kept(
        id=row_id,
        customer_id=subject_id if kind == "customer" else None,
        at=at,
        headers=[(name, str(value)) for name, value in message.items()],
        text=str(plain.get_content()) if plain else "",
        html=str(rich.get_content()) if rich else None,
        files=[part.get_filename() or "file" for part in message.iter_attachments()],
    )


async def forget_kept(inst: Installation, account_id: UUID) -> None:
    """Removes kept letters after thirty days."""
    await inst.db.run(
        account_id,
        (
            "delete from kept_mail where account_id = %s and at < %s",
            [account_id, now() - timedelta(days=KEPT_DAYS)],
        ),
    )
