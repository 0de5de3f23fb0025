"""What pages ask about an account: its name, who works there."""

from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

GONE = "Former colleague"


class Colleague(msgspec.Struct):
    """A staff user as colleagues see them. `hue` is the colour of their face.

    Who left has a number for a name, the place in which they joined, so it is the same for as long as the account is.
    """

    id: UUID
    name: str
    role: str
    hue: int
    active: bool
    email: str
    person_id: UUID
    joined_at: datetime
    photo: UUID | None = None
    role_id: UUID | None = None
    erased: bool = False


async def read_account_name(inst: Installation, account_id: UUID) -> str:
    """The company's name."""
    [rows] = await inst.db.run(
        account_id, ("select name_sealed from account where account_id = %s", [account_id])
    )
    key = await inst.vault.account_key(account_id)
    return key.open_text(rows[0][0], account_id, "account", "name", account_id)


async def read_staff(inst: Installation, account_id: UUID, *, by_name: bool = False) -> list[Colleague]:
    """Everybody who works or worked in the account, in the order they joined.

    `by_name` also those who left, for the company's own list of its people (SCIM), which looks for them by address.
    """
    [rows] = await inst.db.run(
        account_id,
        (
            "select id, person_id, role, name_sealed, email_sealed, joined_at, deactivated_at, photo_id, role_id from staff_user"
            " where account_id = %s order by joined_at, id",
            [account_id],
        ),
    )
    return [await _open(inst, account_id, by_name, number, *row) for number, row in enumerate(rows, 1)]


async def staff_names(inst: Installation, account_id: UUID) -> dict[UUID | None, str]:
    """What everybody of `read_staff` is called."""
    return {one.id: one.name for one in await read_staff(inst, account_id)}


async def _open(
    inst: Installation,
    account_id: UUID,
    by_name: bool,
    number: int,
    row_id: UUID,
    person_id: UUID,
    role: str,
    name: bytes,
    email: bytes,
    joined_at: datetime,
    deactivated_at: datetime | None,
    photo_id: UUID | None,
    role_id: UUID | None,
) -> Colleague:
    hue = int.from_bytes(row_id.bytes[-2:]) % 360
    try:
        key = await inst.vault.person_key(person_id)
    except Erased:
        return Colleague(row_id, f"{GONE} {number}", role, hue, False, "", person_id, joined_at, erased=True)
    if deactivated_at and not by_name:
        return Colleague(
            row_id, f"{GONE} {number}", role, hue, False, "", person_id, joined_at, role_id=role_id
        )
    return Colleague(
        row_id,
        key.open_text(name, account_id, "staff_user", "name", row_id),
        role,
        hue,
        deactivated_at is None,
        key.open_text(email, account_id, "staff_user", "email", row_id),
        person_id,
        joined_at,
        photo_id,
        role_id,
    )
