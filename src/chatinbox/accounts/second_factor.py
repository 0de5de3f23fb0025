"""Set up and take away second factors. Each change is told by letter; what was opened without it ends."""

from uuid import UUID

from chatinbox.accounts import authenticator, passkeys, people, recovery_codes, sessions
from chatinbox.accounts.factors import Factors, read_factors
from chatinbox.accounts.passwords import SHORTEST, is_long
from chatinbox.accounts.safety_letters import Change, tell
from chatinbox.accounts.second_factor_rule import is_required_of
from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


async def add_authenticator(inst: Installation, session: Session, token: str, code: str) -> list[str]:
    """Turns the app on with its first code; the recovery codes, when this is the first second factor."""
    before = await read_factors(inst, session.staff.person_id)
    await authenticator.add(inst, session.staff.person_id, token, code)
    return await _added(inst, session, before, "authenticator added")


async def add_passkey(inst: Installation, session: Session, name: str, token: str, answer: str) -> list[str]:
    """Adds a passkey; the recovery codes, when this is the first second factor."""
    before = await read_factors(inst, session.staff.person_id)
    await passkeys.add(inst, session.staff.person_id, name, token, answer)
    return await _added(inst, session, before, "passkey added")


async def remove_authenticator(inst: Installation, session: Session, password: str) -> None:
    """Turns the app off. When nothing else is left, asks for a password long enough to stand alone."""
    factors = await read_factors(inst, session.staff.person_id)
    if factors.has_authenticator and not factors.passkey_count:
        await _may_be_without(inst, session, factors, password)
    await authenticator.remove(inst, session.staff.person_id)
    await _removed(inst, session, "authenticator removed")


async def remove_passkey(inst: Installation, session: Session, passkey_id: UUID, password: str) -> None:
    """Removes a passkey, as `remove_authenticator`. Raises not-found."""
    factors = await read_factors(inst, session.staff.person_id)
    if factors.passkey_count == 1 and not factors.has_password:
        raise Refused(409, "This passkey is your only way in. Set a password first.", "only_way")
    if factors.passkey_count == 1 and not factors.has_authenticator:
        await _may_be_without(inst, session, factors, password)
    await passkeys.remove(inst, session.staff.person_id, passkey_id)
    await _removed(inst, session, "passkey removed")


async def new_codes(inst: Installation, session: Session) -> list[str]:
    """Ten new recovery codes instead of the former ones. Raises when there is no second factor they would stand in for."""
    if not (await read_factors(inst, session.staff.person_id)).second:
        raise Refused(409, "Set up an authenticator app or a passkey first.", "second")
    codes = await recovery_codes.make(inst, session.staff.person_id)
    await tell(inst, session.staff.person_id, "recovery codes made")
    return codes


async def take_away(inst: Installation, person_id: UUID) -> None:
    """Takes away all of a person's second factors, for the operator, when they are lost. Their sessions end."""
    await authenticator.remove(inst, person_id)
    for one in await passkeys.read(inst, person_id):
        await passkeys.remove(inst, person_id, one.id)
    await recovery_codes.drop(inst, person_id)
    await sessions.end_others(inst, person_id, None)
    await tell(inst, person_id, "taken away")


async def _added(inst: Installation, session: Session, before: Factors, change: Change) -> list[str]:
    person_id, codes = session.staff.person_id, list[str]()
    if not before.second:
        codes = await recovery_codes.make(inst, person_id)
        await sessions.end_others(inst, person_id, session.session_id)
        await sessions.free(inst, person_id)
    await tell(inst, person_id, change)
    return codes


async def _removed(inst: Installation, session: Session, change: Change) -> None:
    person_id = session.staff.person_id
    if not (await read_factors(inst, person_id)).second:
        await recovery_codes.drop(inst, person_id)
    await sessions.end_others(inst, person_id, session.session_id)
    await tell(inst, person_id, change)


async def _may_be_without(inst: Installation, session: Session, factors: Factors, password: str) -> None:
    person_id = session.staff.person_id
    if await is_required_of(inst, person_id):
        raise Refused(
            409,
            "An account you work in asks everybody for a second factor. Set up another one first.",
            "required",
        )
    if not factors.has_password:
        return
    person = await people.read_person(inst, person_id)
    if await people.prove(inst, person.email, password) is None:
        raise Refused(422, "This is not your password.", "alone")
    if not is_long(password):
        raise Refused(
            409,
            f"Your password is shorter than {SHORTEST} characters, so it cannot stand alone. Choose a longer one first.",
            "alone",
        )
