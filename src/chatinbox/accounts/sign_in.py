"""Sign in, and everything around a forgotten password. Known and unknown addresses get the same answers."""

from uuid import UUID

from chatinbox.accounts import passkeys, people, second_step, sessions
from chatinbox.accounts.factors import Factors, read_factors
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import GOOD_FOR, end_links, look, make_link, use
from chatinbox.accounts.passwords import SHORTEST, SHORTEST_WITH_SECOND, check_strength
from chatinbox.accounts.safety_letters import tell
from chatinbox.accounts.second_step import Halfway
from chatinbox.accounts.sso.compulsory import must_use_sso
from chatinbox.accounts.staff import Staff
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.said import said


def _wrong() -> Refused:
    return Refused(
        422, "This address and password do not belong together. Check both, or reset the password.", "sign_in"
    )


async def sign_in(inst: Installation, email: str, password: str, device: str) -> str | Halfway:
    """A new session's token, or the second step where there is a second factor.

    Raises one sentence for an unknown address, a wrong password and no account alike.
    """
    proven = await people.prove(inst, email, password)
    if proven is None:
        raise _wrong()
    person_id, confirmed = proven
    if not confirmed:
        raise Refused(403, "Confirm your address first: open the link in the letter we sent.", "unconfirmed")
    staff = await first_staff(inst, person_id)
    if staff is None:
        raise _wrong()
    return await enter(inst, staff, device)


async def enter(inst: Installation, staff: Staff, device: str) -> str | Halfway:
    """A session for somebody whose password was right, or the second step where there is a second factor."""
    if (await read_factors(inst, staff.person_id)).second:
        return await second_step.begin(inst, staff)
    return await sessions.start(inst, staff, device)


async def sign_in_with_passkey(inst: Installation, challenge: str, answer: str, device: str) -> str:
    """A new session's token by a passkey alone: it is something one has, opened by something one is or knows."""
    person_id = await passkeys.prove(inst, "open", challenge, answer)
    staff = await first_staff(inst, person_id)
    if staff is None:
        raise _wrong()
    return await sessions.start(inst, staff, device, how="passkey")


async def first_staff(inst: Installation, person_id: UUID) -> Staff | None:
    """The staff user a person begins as: of the first account in which they are active and need not come by their
    company's own sign-in. Raises when that is the only way in; nobody hears it who has not proven who they are.
    """
    elsewhere = False
    for account_id, staff_user_id in await people.works_in(inst, person_id):
        staff = await sessions.read_active(inst, account_id, staff_user_id, person_id)
        if staff and not await must_use_sso(inst, staff):
            return staff
        elsewhere = elsewhere or staff is not None
    if elsewhere:
        sentence = said(
            "Your company asks you to come by its own sign-in. Choose “Sign in with your company”."
        )
        raise Refused(403, sentence, "use_sso")
    return None


async def send_confirmation(
    inst: Installation,
    account_id: UUID,
    person_id: UUID,
    email: str,
    language: str = ENGLISH,
    also: tuple[Statement, ...] = (),
) -> None:
    """Sends the link that confirms an address, in the language the page was read in; `also` as in `write_to`."""
    token = await make_link(inst, "confirm", person_id)
    text = said(
        "Open this link to confirm your address and begin:\n\n%(link)s\n\n"
        "It is good for three days. If you did not sign up, ignore this letter.\n",
        link=f"{inst.settings.public_url}/confirm/{token}",
    )
    subject = said("Confirm your address")
    await write_to(
        inst, account_id, person_id, email, subject, text, "sign-up", ("link",), language=language, also=also
    )


async def confirm_address(inst: Installation, token: str, password: str, device: str) -> str | Halfway:
    """Confirms the address behind a link and signs in, as `sign_in`.

    Only with the password of the sign-up: otherwise somebody could sign up with another's address, wait until they
    press the button in the letter, and be in. Raises for a link no longer good and for another password.
    """
    link = await look(inst, "confirm", token)
    assert link.person_id
    person = await people.read_person(inst, link.person_id)
    if await people.prove(inst, person.email, password) is None:
        sentence = said(
            "This is not the password of the sign-up. If it was not you, ignore the letter; or reset the password."
        )
        raise Refused(422, sentence, "password")
    await use(inst, "confirm", token)
    await people.confirm(inst, link.person_id)
    staff = await first_staff(inst, link.person_id)
    if staff is None:
        raise _wrong()
    return await enter(inst, staff, device)


async def send_reset(
    inst: Installation, person_id: UUID, language: str = ENGLISH, also: tuple[Statement, ...] = ()
) -> None:
    """Sends a person a link to set a new password; nothing for an id that nobody has. `also` as in `write_to`."""
    places = await people.works_in(inst, person_id)
    if not places:
        return
    person = await people.read_person(inst, person_id)
    text = said(
        "Open this link to choose a new password:\n\n%(link)s\n\n"
        "It is good for one hour. If you did not ask for it, ignore this letter; nothing changes.\n",
        link=await _reset_link(inst, person_id),
    )
    subject, occasion, good_for = said("Choose a new password"), "password reset", GOOD_FOR["reset"]
    await write_to(
        inst, places[0][0], person_id, person.email, subject, text, occasion, ("link",),
        good_for=good_for, language=language, also=also,
    )  # fmt: skip


async def reset_link(inst: Installation, email: str) -> str | None:
    """The same link for the operator to hand over; None for an unknown address."""
    person_id = await people.find_person(inst, email)
    places = person_id and await people.works_in(inst, person_id)
    return await _reset_link(inst, person_id) if person_id and places else None


async def _reset_link(inst: Installation, person_id: UUID) -> str:
    return f"{inst.settings.public_url}/reset/{await make_link(inst, 'reset', person_id)}"


async def reset_password(inst: Installation, token: str, password: str) -> None:
    """Sets a new password with a link; every session ends. Raises for a link no longer good or a weak password."""
    link = await look(inst, "reset", token)
    assert link.person_id
    person = await people.read_person(inst, link.person_id)
    check_strength(
        password, person.name, person.email, shortest=shortest(await read_factors(inst, link.person_id))
    )
    await use(inst, "reset", token)
    await end_links(inst, link.person_id, "reset")
    await people.set_password(inst, link.person_id, password)
    await people.confirm(inst, link.person_id)
    await sessions.end_others(inst, link.person_id, None)
    await tell(inst, link.person_id, "password")


async def change_password(inst: Installation, by: Staff, session_id: UUID, old: str, new: str) -> None:
    """Changes one's own password, or sets the first; the other sessions end.

    Who has none yet proves otherwise that it is they, before this is called.
    """
    person, factors = await people.read_person(inst, by.person_id), await read_factors(inst, by.person_id)
    if factors.has_password and await people.prove(inst, person.email, old) is None:
        raise Refused(422, "This is not your present password.", "old")
    check_strength(new, person.name, person.email, shortest=shortest(factors))
    await end_links(inst, by.person_id, "reset")
    await people.set_password(inst, by.person_id, new)
    await sessions.end_others(inst, by.person_id, session_id)
    await tell(inst, by.person_id, "password")


def shortest(factors: Factors) -> int:
    """How many characters a person's password has at least."""
    return SHORTEST_WITH_SECOND if factors.second else SHORTEST
