"""Agreements: which versions of terms, privacy policy and data-processing agreement hold for an account, and who said so.

An account and its agreement are written in one transaction; the database refuses one without the other.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts import documents
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

MadeBy: TypeAlias = Literal["sign_up", "renewal", "upgrade"]
WIDEST = (
    45  # characters of the longest address (RFC 4291 §2.2); all are sealed at this length and so look alike
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement of an account. Seals are None where an account was taken over at an upgrade."""

    id: UUID
    made_by: MadeBy
    staff_user_id: UUID | None
    terms: str | None
    privacy: str | None
    dpa: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One staff user's acceptance of terms and privacy policy."""

    staff_user_id: UUID
    terms: str
    privacy: str
    at: datetime


def agreed(by: Staff, agreement_id: UUID, made_by: MadeBy) -> Statement:
    """The row by which an account agrees to the documents in force now."""
    at = now()
    seals = [documents.in_force(kind, at).seal for kind in ("terms", "privacy", "dpa")]
    return (
        "insert into agreement (account_id, id, staff_user_id, made_by, terms_seal, privacy_seal, dpa_seal, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [by.account_id, agreement_id, by.staff_user_id, made_by, *seals, at],
    )


def accepted(by: Staff) -> Statement:
    """The row by which a staff user accepts terms and privacy policy as they are in force now."""
    at = now()
    seals = [documents.in_force(kind, at).seal for kind in ("terms", "privacy")]
    return (
        "insert into acceptance (account_id, id, staff_user_id, terms_seal, privacy_seal, at)"
        " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
        [by.account_id, new_id(), by.staff_user_id, *seals, at],
    )


def came_from(key: SealKey, account_id: UUID, address: str | None) -> list[Statement]:
    """Keeps where a sign-up came from, sealed under the account's key; nothing when there is no network address."""
    row_id = new_id()
    sealed = sealed_origin(key, account_id, row_id, address)
    return [keeps_origin(account_id, row_id, sealed)] if sealed else []


def sealed_origin(key: SealKey, account_id: UUID, row_id: UUID, address: str | None) -> bytes | None:
    """A network address as it is kept in that row; None for what is none."""
    try:
        known = str(ipaddress.ip_address(address or ""))
    except ValueError:
        return None
    return key.seal(known.ljust(WIDEST)[:WIDEST], account_id, "sign_up_origin", "ip", row_id)


def keeps_origin(account_id: UUID, row_id: UUID, sealed: bytes) -> Statement:
    """The row by which it is kept."""
    return (
        "insert into sign_up_origin (account_id, id, purpose, ip_sealed, created_at)"
        " values (%s, %s, 'account_creation_record', %s, %s)",
        [account_id, row_id, sealed, now()],
    )


async def renew(inst: Installation, by: Staff) -> None:
    """The account agrees to the documents in force now; nothing when it did already. Raises unless `by` may."""
    by.need("account")
    [present, *_] = await read_agreements(inst, by.account_id)
    at, agreement_id = now(), new_id()
    if present.terms and all(
        getattr(present, kind) == documents.in_force(kind, at).seal for kind in documents.KINDS
    ):
        return
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        agreed(by, agreement_id, "renewal"),
        accepted(by),
        ("update account set agreement_id = %s where account_id = %s", [agreement_id, by.account_id]),
        noted(key, by, "account.agreement", None, "accepted the documents in force", agreement_id),
    )


async def read_agreements(inst: Installation, account_id: UUID) -> list[Agreement]:
    """Every agreement of an account, the present one first."""
    ask = (
        "select g.id, made_by, staff_user_id, terms_seal, privacy_seal, dpa_seal, at from agreement g"
        " join account a on a.account_id = g.account_id where g.account_id = %s"
        " order by g.id = a.agreement_id desc, at desc"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    return [Agreement(*row) for row in rows]


async def read_acceptances(inst: Installation, account_id: UUID) -> list[Acceptance]:
    """What the account's staff accepted, the latest first."""
    ask = (
        "select staff_user_id, terms_seal, privacy_seal, at from acceptance where account_id = %s"
        " order by at desc, id desc limit 500"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    return [Acceptance(*row) for row in rows]
