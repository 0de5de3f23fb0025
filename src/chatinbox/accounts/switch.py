"""Switch: somebody who works in several accounts goes from one to another. No account learns of the others."""

from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.accounts.people import works_in
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.roles import read_role_name
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso.compulsory import must_use_sso
from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation


@dataclass(frozen=True, slots=True)
class Place:
    """An account one works in."""

    account_id: UUID
    company: str
    role_name: str
    is_here: bool


async def list_places(inst: Installation, by: Staff) -> list[Place]:
    """Where a person works, in the order of the companies' names. A look into each: no statement sees two accounts."""
    places = [
        Place(
            there.account_id,
            await read_account_name(inst, there.account_id),
            await read_role_name(inst, there),
            there.account_id == by.account_id,
        )
        for there in await _everywhere(inst, by.person_id)
    ]
    return sorted(places, key=lambda place: place.company.casefold())


async def switch(inst: Installation, session: Session, account_id: UUID) -> str:
    """Goes on in another account; the new session's token. The one until now ends. Raises not-found for an account one
    does not work in, and says so where one has to come by a company's own sign-in.
    """
    there = next(
        (one for one in await _everywhere(inst, session.staff.person_id) if one.account_id == account_id),
        None,
    )
    if there is None:
        raise not_found()
    if session.stays_here:
        sentence = "You came by your company’s own sign-in, which is good for its account alone. Sign out, and sign in for the other one."
        raise Refused(403, sentence, "use_sso")
    if await must_use_sso(inst, there):
        sentence = "That account asks its people to come by its own sign-in. Sign out, and choose “Sign in with your company”."
        raise Refused(403, sentence, "use_sso")
    person_id, ours = session.staff.person_id, session.session_id
    browsers = {one.id: one.device for one in await sessions.list_sessions(inst, person_id)}
    token = await sessions.start(inst, there, browsers.get(ours, ""), goes_on=session)
    await sessions.end(inst, person_id, ours)
    return token


async def _everywhere(inst: Installation, person_id: UUID) -> list[Staff]:
    places = await works_in(inst, person_id)
    found = [await sessions.read_active(inst, account_id, own_id, person_id) for account_id, own_id in places]
    return [staff for staff in found if staff]
