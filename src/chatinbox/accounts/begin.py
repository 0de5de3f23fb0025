"""Beginning: who signed up without a password opens the letter and says then how they will sign in.

Whoever has the letter decides it, and nobody before them: that is why it asks for no password, as confirming an address
with one does (`sign_in.confirm_address`).
"""

from chatinbox.accounts import passkeys, people, sessions
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.links import gone, look, use
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.people import Person
from chatinbox.accounts.sign_in import first_staff
from chatinbox.accounts.staff_record import How
from chatinbox.core.installation import Installation

FIRST_PASSKEY = "My first passkey"


async def read_beginner(inst: Installation, token: str) -> Person | None:
    """Who stands behind a confirmation link and has no way to sign in yet; None for who has one. Raises as `look`."""
    link = await look(inst, "confirm", token)
    assert link.person_id
    factors = await read_factors(inst, link.person_id)
    has_one = factors.has_password or factors.second
    return None if has_one else await people.read_person(inst, link.person_id)


async def begin_with_passkey(inst: Installation, token: str, challenge: str, answer: str, device: str) -> str:
    """Adds the first passkey, confirms the address, signs in; the session's token. Raises as `look` and `passkeys.add`."""
    person = await _beginner(inst, token)
    await passkeys.add(inst, person.id, FIRST_PASSKEY, challenge, answer)
    await use(inst, "confirm", token)
    return await _begin(inst, person, device, "passkey")


async def begin_with_password(inst: Installation, token: str, password: str, device: str) -> str:
    """As `begin_with_passkey`, with a password. Raises a sentence for a weak one."""
    person = await _beginner(inst, token)
    check_strength(password, person.name, person.email)
    await use(inst, "confirm", token)  # before it: of two at once one says what the password is
    await people.set_password(inst, person.id, password)
    return await _begin(inst, person, device, "password")


async def _beginner(inst: Installation, token: str) -> Person:
    person = await read_beginner(inst, token)
    if person is None:
        raise gone()
    return person


async def _begin(inst: Installation, person: Person, device: str, how: How) -> str:
    await people.confirm(inst, person.id)
    staff = await first_staff(inst, person.id)
    if staff is None:
        raise gone()
    return await sessions.start(inst, staff, device, how=how)
