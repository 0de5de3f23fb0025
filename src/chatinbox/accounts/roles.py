"""Roles: the built-in ones, and those an account makes of the list of permissions. Nobody gives what they do not have."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts import sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.free_name import free_name
from chatinbox.accounts.permissions import ALL, OF, WORDS, Permission
from chatinbox.accounts.staff import Role, Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id, read_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said

MOST = 50
NAMES: dict[Role, str] = {
    "owner": said("Owner"),
    "admin": said("Admin"),
    "staff": said("Staff"),
    "viewer": said("Viewer"),
}
_OWNERS = Refused(403, "Only an owner changes an owner.", "owners_only")
_HANDED_OVER = Refused(
    403, "Somebody becomes an owner when an owner hands the account over to them.", "owners_only"
)
_MORE = Refused(
    403, "You cannot give what you may not do yourself. Ask an owner of the account.", "more_than_own"
)


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role an account made itself."""

    id: UUID
    name: str
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody becomes: a built-in role, or one of the account's own (which counts as staff, a paid seat)."""

    role: Role
    role_id: UUID | None
    name: str


async def read_roles(inst: Installation, account_id: UUID) -> list[CustomRole]:
    """The roles an account made, the oldest first."""
    ask = "select id, name_sealed, permissions from role where account_id = %s order by created_at, id"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    key = await inst.vault.account_key(account_id)
    return [
        CustomRole(
            row_id, key.open_text(sealed, account_id, "role", "name", row_id), ALL.intersection(permissions)
        )
        for row_id, sealed, permissions in rows
    ]


async def read_role_name(inst: Installation, staff: Staff) -> str:
    """What somebody's role is called in their account."""
    if staff.custom is None:
        return NAMES[staff.role]
    ask = (
        "select r.id, r.name_sealed from staff_user u join role r on r.account_id = u.account_id and r.id = u.role_id"
        " where u.account_id = %s and u.id = %s"
    )
    [rows] = await inst.db.run(staff.account_id, (ask, [staff.account_id, staff.staff_user_id]))
    key = await inst.vault.account_key(staff.account_id)
    return key.open_text(rows[0][1], staff.account_id, "role", "name", rows[0][0]) if rows else "Staff"


async def given(inst: Installation, by: Staff, asked: str) -> Given:
    """What a form asks for: a built-in role's word or the id of an own one. Raises for more than `by` may give;
    owners are made by `hand_over` alone.
    """
    if asked in get_args(Role):
        role: Role = asked  # type: ignore[assignment]
        if role == "owner":
            raise _HANDED_OVER
        _need_all(by, OF[role])
        return Given(role, None, NAMES[role])
    wanted = read_id(asked)
    for one in await read_roles(inst, by.account_id):
        if one.id == wanted:
            _need_all(by, one.permissions)
            return Given("staff", one.id, one.name)
    raise not_found()


def need_over(by: Staff, role: Role) -> None:
    """Raises when somebody who is no owner changes an owner."""
    if role == "owner" and by.role != "owner":
        raise _OWNERS


def _need_all(by: Staff, permissions: frozenset[Permission]) -> None:
    if not permissions <= by.permissions:
        raise _MORE


async def create_role(inst: Installation, by: Staff, name: str, permissions: Collection[str]) -> UUID:
    """Makes a role; its id. Raises unless `by` may, and a sentence for a name that is empty, too long or taken."""
    by.need("staff")
    may, known = ALL.intersection(permissions), await read_roles(inst, by.account_id)
    _need_all(by, may)
    name = free_name(name, "role", (*NAMES.values(), *(role.name for role in known)))
    if len(known) >= MOST:
        raise Refused(409, f"An account has at most {MOST} roles of its own.", "role")
    key, role_id = await inst.vault.account_key(by.account_id), new_id()
    sealed = key.seal(name, by.account_id, "role", "name", role_id)
    await inst.db.run(
        by.account_id,
        (
            "insert into role (account_id, id, name_sealed, permissions, created_at) values (%s, %s, %s, %s, %s)",
            [by.account_id, role_id, sealed, sorted(may), now()],
        ),
        noted(key, by, "role.made", after=f"{name}: {in_words(may)}", subject_id=role_id),
    )
    return role_id


async def change_role(inst: Installation, by: Staff, role_id: UUID, permissions: Collection[str]) -> None:
    """What a role lets somebody do. Raises unless `by` may and may do all of it, before and after; not-found."""
    by.need("staff")
    role, may = await _role(inst, by, role_id), ALL.intersection(permissions)
    _need_all(by, role.permissions | may)
    key = await inst.vault.account_key(by.account_id)
    before, after = (f"{role.name}: {in_words(one)}" for one in (role.permissions, may))
    await inst.db.run(
        by.account_id,
        (
            "update role set permissions = %s where account_id = %s and id = %s",
            [sorted(may), by.account_id, role_id],
        ),
        noted(key, by, "role.changed", before, after, role_id),
    )
    await sessions.staff_changed(inst, by.account_id)


async def remove_role(inst: Installation, by: Staff, role_id: UUID) -> None:
    """Removes a role that nobody has. Raises unless `by` may, and a sentence when somebody has it."""
    by.need("staff")
    role = await _role(inst, by, role_id)
    key = await inst.vault.account_key(by.account_id)
    try:
        await inst.db.run(
            by.account_id,
            ("delete from role where account_id = %s and id = %s", [by.account_id, role_id]),
            noted(key, by, "role.removed", before=role.name, subject_id=role_id),
        )
    except ForeignKeyViolation:
        raise Refused(
            409,
            "Somebody has this role, or had it when they left. Give them another one first.",
            "role_in_use",
        ) from None


def in_words(permissions: Collection[Permission]) -> str:
    """Permissions as people read them."""
    return ", ".join(words for one, words in WORDS.items() if one in permissions) or "look only"


async def _role(inst: Installation, by: Staff, role_id: UUID) -> CustomRole:
    for role in await read_roles(inst, by.account_id):
        if role.id == role_id:
            return role
    raise not_found()
