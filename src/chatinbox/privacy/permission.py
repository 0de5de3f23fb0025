"""Permissions: an account lets somebody have or see something of it, for a purpose, until a day; taking back is one step (C34).

What leaves on a permission asks for it at that moment (`core/egress/ledger.py`), and so does the operator's console.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.egress.ledger import receiver_blind
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.vault import SealKey

Object: TypeAlias = Literal["conversation", "customer", "settings", "account"]
RECEIVERS = {
    "support": "The operator's support, to look at it here",
    "address": "An address that it may be sent to",
}
OBJECTS: dict[str, str] = {
    "conversation": "One conversation",
    "customer": "One customer: their details and conversations",
    "settings": "The settings of the channels",
    "account": "The whole account",
}
FIELDS = {
    "words": "what was written",
    "name": "names",
    "e-mail address": "addresses",
    "settings": "settings of channels, without passwords",
}
OF: dict[str, tuple[str, ...]] = {
    "conversation": ("words", "name", "e-mail address"),
    "customer": ("words", "name", "e-mail address"),
    "settings": ("settings",),
    "account": ("words", "name", "e-mail address", "settings"),
}
"""What can be in each thing; support is shown all of it."""
LONGEST = {"support": timedelta(days=7), "address": timedelta(days=366)}
_ADDRESS = re.compile(r"[^\s@,]+@[^\s@,]+\.[^\s@,]+|https://[^\s/@]+")
_READ = (
    "select id, staff_user_id, receiver, receiver_sealed, purpose_sealed, object, object_id, fields, given_at, until_at,"
    " taken_back_at, (select number from conversation c where c.account_id = p.account_id and c.id = p.object_id)"
    " from permission p where account_id = %s order by given_at desc limit 200"
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission. `to` is an address, or empty for support."""

    id: UUID
    staff_user_id: UUID
    receiver: str
    to: str
    purpose: str
    object: str
    object_id: UUID | None
    fields: list[str]
    given_at: datetime
    until_at: datetime
    taken_back_at: datetime | None
    number: int | None

    @property
    def holds(self) -> bool:
        """Whether it holds now."""
        return self.taken_back_at is None and self.until_at > now()


async def give(
    inst: Installation,
    by: Staff,
    receiver: str,
    to: str,
    thing: str,
    number: int | None,
    purpose: str,
    days: int,
    fields: list[str],
) -> UUID:
    """Gives one; its id. Raises not-permitted, and a sentence for a purpose that says nothing or what is not there."""
    by.need("account")
    words = _purpose(purpose)
    if receiver not in RECEIVERS or thing not in OBJECTS or (receiver == "support" and thing == "account"):
        raise bad_request("Choose to whom, and what: for support one thing, not the whole account.", "object")
    if not 1 <= days <= LONGEST[receiver].days:
        raise bad_request(f"Between 1 and {LONGEST[receiver].days} days.", "days")
    fields = list(OF[thing]) if receiver == "support" else [one for one in OF[thing] if one in fields]
    if not fields:
        raise bad_request("Choose what of it may be seen.", "fields")
    object_id = await _thing(inst, by, thing, number)
    permission_id, key, at = new_id(), await inst.vault.account_key(by.account_id), now()
    sealed, blind = await _receiver(inst, key, by.account_id, permission_id, receiver, to)
    await inst.db.run(
        by.account_id,
        (
            "insert into permission (account_id, id, staff_user_id, receiver, receiver_sealed, receiver_blind, purpose_sealed, object,"
            " object_id, fields, given_at, until_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [by.account_id, permission_id, by.staff_user_id, receiver, sealed, blind,
             key.seal(words, by.account_id, "permission", "purpose", permission_id), thing, object_id, fields, at,
             at + timedelta(days=days)],
        ),
        noted(key, by, "permission.given", after=f"{RECEIVERS[receiver]}: {OBJECTS[thing].lower()}"),
    )  # fmt: skip
    return permission_id


async def take_back(inst: Installation, by: Staff, permission_id: UUID) -> None:
    """Takes one back: from now on nothing leaves on it, and whoever looks by it sees nothing more. Raises not-found."""
    by.need("account")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        done = await tx.one(
            "update permission set taken_back_at = coalesce(taken_back_at, %s), taken_back_by = coalesce(taken_back_by, %s)"
            " where account_id = %s and id = %s returning id",
            [now(), by.staff_user_id, by.account_id, permission_id],
        )
        if done is None:
            raise not_found()
        await tx.execute(*noted(key, by, "permission.taken_back", subject_id=permission_id))


async def read_permissions(inst: Installation, account_id: UUID) -> list[Permission]:
    """Every permission of an account, the newest first."""
    [rows] = await inst.db.run(account_id, (_READ, [account_id]))
    key = await inst.vault.account_key(account_id) if rows else None
    return [_opened(key, account_id, row) for row in rows] if key else []


@purpose.work(Use("Finds what accounts let support look at", "protect", "2"))
async def for_support(inst: Installation) -> list[tuple[UUID, str, Permission]]:
    """What support may look at now: account, its name, permission. Whoever gave it addressed it to them."""
    found = []
    async for account_id in every_account(inst):
        held = [
            one for one in await read_permissions(inst, account_id) if one.receiver == "support" and one.holds
        ]
        if held:
            name = await read_account_name(inst, account_id)
            found += [(account_id, name, one) for one in held]
    return found


def _opened(key: SealKey, account_id: UUID, row: tuple[Any, ...]) -> Permission:
    row_id, staff_user_id, receiver, to, purpose, *rest = row
    return Permission(
        row_id, staff_user_id, receiver,
        key.open_text(to, account_id, "permission", "receiver", row_id) if to else "",
        key.open_text(purpose, account_id, "permission", "purpose", row_id), *rest,
    )  # fmt: skip


def _purpose(text: str) -> str:
    words = " ".join(text.split())
    if not 10 <= len(words) <= 500:
        raise bad_request("Say what for, in ten letters or more.", "purpose")
    return words


async def _thing(inst: Installation, by: Staff, thing: str, number: int | None) -> UUID | None:
    if thing not in ("conversation", "customer"):
        return None
    ask = "select id, customer_id, channel_id from conversation where account_id = %s and number = %s"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, number]))
    if not rows or rows[0][2] in by.kept_out:
        raise bad_request("There is no conversation with this number.", "number")
    return UUID(str(rows[0][0 if thing == "conversation" else 1]))


async def _receiver(
    inst: Installation, key: SealKey, account_id: UUID, permission_id: UUID, receiver: str, to: str
) -> tuple[bytes | None, bytes | None]:
    if receiver == "support":
        return None, None
    if not _ADDRESS.fullmatch(to.strip()):
        raise Refused(422, "To an e-mail address, or to an address such as https://partner.example.", "to")
    place = to.strip()
    known = f"{place}:443" if place.startswith("https://") and place.count(":") == 1 else place
    sealed = key.seal(place, account_id, "permission", "receiver", permission_id)
    return sealed, await receiver_blind(inst.vault, account_id, known)
