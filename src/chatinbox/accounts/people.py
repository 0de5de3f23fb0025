"""People: humans who sign in. Found by a keyed hash of their address; everything they are called is sealed."""

from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts.passwords import is_right, make_hash
from chatinbox.core.addresses import in_letters, normal_email
from chatinbox.core.clock import now
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey


async def works_in(inst: Installation, person_id: UUID) -> list[tuple[UUID, UUID]]:
    """Where a person works, or worked: accounts, and which staff user they are there."""
    rows = await inst.db.directory(
        "select account_id, staff_user_id from directory.memberships(%s)", [person_id]
    )
    return [(account_id, staff_user_id) for account_id, staff_user_id in rows]


@dataclass(frozen=True, slots=True)
class Person:
    """A human with their name and address."""

    id: UUID
    name: str
    email: str
    confirmed: bool


def email_blind(inst: Installation, email: str) -> bytes:
    """What a person is found by: a keyed hash of the address's normal form."""
    return inst.vault.blind_installation("person-email", normal_email(email))


def _blinds(inst: Installation, email: str) -> list[bytes]:
    """The same, and of the forms that were kept before, in which people of then still stand: as it was typed, folded."""
    before = {email.strip().casefold(), in_letters(email).casefold()}
    return [
        email_blind(inst, email),
        *(inst.vault.blind_installation("person-email", one) for one in sorted(before)),
    ]


async def _find(inst: Installation, email: str) -> tuple[UUID, bytes | None, bool] | None:
    """Who has this address: id, password, whether it is confirmed. The form of before took letters for others (ß for ss), so
    who is found by it alone is looked at.
    """
    ask = "select id, password_sealed, confirmed_at is not null, email_sealed, is_normal from directory.find_person(%s)"
    for row_id, password, confirmed, email_sealed, is_normal in await inst.db.directory(
        ask, [_blinds(inst, email)]
    ):
        if is_normal or await _is_same(inst, row_id, email_sealed, email):
            return row_id, password, confirmed
    return None


async def _is_same(inst: Installation, person_id: UUID, email_sealed: bytes, email: str) -> bool:
    try:
        key = await inst.vault.person_key(person_id)
    except Erased:
        return False
    theirs = key.open_text(email_sealed, NOBODY, "person", "email", person_id)
    return normal_email(theirs) == normal_email(email)


async def add_person(
    inst: Installation, name: str, email: str, password: str | None, confirmed: bool
) -> UUID | None:
    """Makes a person, with a password unless they sign in another way; None when the address is taken."""
    if await is_held_back(inst, email) or await find_person(inst, email):
        return None
    person_id = new_id()
    key = await inst.vault.create_person_key(person_id)
    kept = None if password is None else await make_hash(password)
    [[added]] = await inst.db.directory(
        "select directory.add_person(%s, %s, %s, %s, %s, %s, %s)",
        [
            person_id,
            email_blind(inst, email),
            *sealed(key, person_id, name, email, kept),
            now(),
            now() if confirmed else None,
        ],
    )
    if not added:
        await inst.vault.destroy("person", NOBODY, person_id)
        return None
    return person_id


async def is_held_back(inst: Installation, email: str) -> bool:
    """Whether somebody who gave this address up may still take it back."""
    ask = "select directory.is_held_back(%s, %s)"
    [[held_back]] = await inst.db.directory(ask, [_blinds(inst, email), now()])
    return bool(held_back)


def sealed(
    key: SealKey, person_id: UUID, name: str, email: str, password_hash: str | None
) -> tuple[bytes, bytes, bytes | None]:
    """Address, name and password as they stand in a person's row."""
    hashed = password_hash and key.seal(password_hash, NOBODY, "person", "password", person_id)
    return (
        key.seal(email.strip(), NOBODY, "person", "email", person_id),
        key.seal(name, NOBODY, "person", "name", person_id),
        hashed or None,
    )


async def find_person(inst: Installation, email: str) -> UUID | None:
    """Who has this address."""
    found = await _find(inst, email)
    return found[0] if found else None


async def read_person(inst: Installation, person_id: UUID) -> Person:
    """A person by id."""
    [row] = await inst.db.directory("select * from directory.read_person(%s)", [person_id])
    key = await inst.vault.person_key(person_id)
    return Person(
        person_id,
        key.open_text(row[1], NOBODY, "person", "name", person_id),
        key.open_text(row[0], NOBODY, "person", "email", person_id),
        row[3] is not None,
    )


async def prove(inst: Installation, email: str, password: str) -> tuple[UUID, bool] | None:
    """The person with this address and password, and whether the address is confirmed.

    Costs one Argon2 run whether the address is known or not, and whether or not they have a password.
    """
    found, kept = await _find(inst, email), None
    if found and found[1] is not None:
        try:
            key = await inst.vault.person_key(found[0])
            kept = key.open_text(found[1], NOBODY, "person", "password", found[0])
        except Erased:
            kept = None
    if not await is_right(password, kept):
        return None
    assert found
    return found[0], found[2]


async def set_password(inst: Installation, person_id: UUID, password: str) -> None:
    """Sets a new password."""
    key = await inst.vault.person_key(person_id)
    sealed = key.seal(await make_hash(password), NOBODY, "person", "password", person_id)
    await inst.db.directory("select directory.set_password(%s, %s)", [person_id, sealed])


async def confirm(inst: Installation, person_id: UUID) -> None:
    """The address is theirs."""
    await inst.db.directory("select directory.confirm_person(%s, %s)", [person_id, now()])
