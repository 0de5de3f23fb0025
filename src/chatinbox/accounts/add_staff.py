"""Add staff: a person joins an account."""

from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.agreements import accepted
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.staff import Role, Staff
from chatinbox.accounts.staff_event import staff_changed
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def write_staff(
    inst: Installation, account_id: UUID, person_id: UUID, name: str, email: str, role: Role
) -> tuple[Staff, Statement]:
    """A staff user and the statement that writes them."""
    key, staff_user_id = await inst.vault.person_key(person_id), new_id()
    photo_id = (await read_profile(inst, person_id)).photo_id
    statement: Statement = (
        "insert into staff_user (account_id, id, person_id, role, name_sealed, email_sealed, joined_at, photo_id)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            account_id,
            staff_user_id,
            person_id,
            role,
            key.seal(name, account_id, "staff_user", "name", staff_user_id),
            key.seal(email, account_id, "staff_user", "email", staff_user_id),
            now(),
            photo_id,
        ],
    )
    return Staff(account_id, staff_user_id, person_id, role, name), statement


async def join(inst: Installation, account_id: UUID, person_id: UUID, role: Role) -> Staff:
    """A known person joins an account. Raises when they work there already."""
    person = await people.read_person(inst, person_id)
    await not_here(inst, account_id, person_id)
    staff, statement = await write_staff(inst, account_id, person_id, person.name, person.email, role)
    await inst.db.run(account_id, statement, accepted(staff), staff_changed(account_id))
    await inst.db.directory(
        "select directory.add_membership(%s, %s, %s)", [person_id, account_id, staff.staff_user_id]
    )
    return staff


async def not_here(inst: Installation, account_id: UUID, person_id: UUID) -> None:
    """Raises when a person works in an account already."""
    if account_id in dict(await people.works_in(inst, person_id)):
        raise Refused(409, "You work in this account already. Sign in to go on.", "member")


async def add_staff(
    inst: Installation, account_id: UUID, name: str, email: str, role: Role, password: str
) -> Staff:
    """A new person with a password joins an account. Raises when the address is known, and for a weak password."""
    check_strength(password, name, email)
    person_id = await people.add_person(inst, name, email, password, confirmed=True)
    if person_id is None:
        raise Refused(409, "This address is known already.", "known")
    return await join(inst, account_id, person_id, role)
