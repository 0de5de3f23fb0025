"""A wish about one's own data (clause C57): whoever asks is answered at the address we know them by, and at no other.

What somebody types is no proof of who they are, and neither is the sender of a letter. So before the link is opened nothing is
kept and nothing is wished: not even of what kind the wish would have been.
"""

from datetime import date
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.leave import deactivate_person, delete_person, need_no_last_owner
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import look, make_link, use
from chatinbox.accounts.people import Person
from chatinbox.accounts.regimes import EU, Regime, regime_of
from chatinbox.accounts.rename import rename_person
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.said import said

Kind: TypeAlias = Literal["correct", "update", "delete", "deactivate"]
KINDS: dict[Kind, str] = {
    "correct": said("Correct what you hold about me"),
    "update": said("Update what you hold about me"),
    "delete": said("Delete what you hold about me"),
    "deactivate": said("Deactivate my sign-in"),
}


async def send_wish(inst: Installation, person_id: UUID, language: str = ENGLISH) -> None:
    """Sends the link; nothing for an id that nobody has."""
    places = await people.works_in(inst, person_id)
    if not places:
        return
    person = await people.read_person(inst, person_id)
    token = await make_link(inst, "wish", person_id)
    text = said(
        "Somebody asked, with your address, about the data we hold about you. If it was you, open this link and say what"
        " you wish:\n\n%(link)s\n\n"
        "It is good for one day. If it was not you, ignore this letter: nothing was changed, and nothing will be.\n",
        link=f"{inst.settings.public_url}/wish/{token}",
    )
    subject, occasion = said("About your data"), "wish about own data"
    await write_to(
        inst, places[0][0], person_id, person.email, subject, text, occasion, ("link",), language=language
    )


async def read_wisher(inst: Installation, token: str) -> Person:
    """Who a link belongs to. Raises for one that is no longer good."""
    link = await look(inst, "wish", token)
    assert link.person_id
    return await people.read_person(inst, link.person_id)


async def why_by_people(inst: Installation, person_id: UUID, kind: Kind, name: str) -> str | None:
    """Why a wish is carried out by people; None where the program does it at once.

    A link shows a mailbox. Whoever also has a second factor wanted more than that to stand before their sign-in.
    """
    if kind in ("correct", "update"):
        return None if name else "What is to be changed is not among what a link can change."
    try:
        await need_no_last_owner(inst, person_id)
    except Refused:  # without the account's name: it is not the operator's to read
        return "They are the last owner of an account, which has to be handed over or closed first."
    if (await read_factors(inst, person_id)).second:
        return "They sign in with a second factor, and a link shows only that somebody reads the mailbox."
    return None


async def carry_out(
    inst: Installation, person_id: UUID, kind: Kind, name: str, language: str = ENGLISH
) -> str:
    """Does what is wished, by what settings do as well; what was done. Raises as it does."""
    told_by = (await people.works_in(inst, person_id))[0][0]
    if kind == "delete":
        await delete_person(inst, person_id, told_by)
        return said("The sign-in is deleted, and its key destroyed.")
    if kind == "deactivate":
        await deactivate_person(inst, person_id, told_by)
        return said("The sign-in is deactivated in every account.")
    await rename_person(inst, person_id, name)
    await tell_wisher(
        inst, person_id, said("Your name is changed"), said("Your name is changed, as you asked.\n"), language
    )
    return said("The name is changed.")


async def tell_wisher(
    inst: Installation, person_id: UUID, subject: str, text: str, language: str = ENGLISH
) -> None:
    """The receipt, to the address they are known by."""
    person, places = await people.read_person(inst, person_id), await people.works_in(inst, person_id)
    await write_to(
        inst, places[0][0], person_id, person.email, subject, text, "receipt of a wish", ("what was done",),
        language=language,
    )  # fmt: skip


async def law_of_wisher(inst: Installation, wisher: Person, asked: date) -> Regime:
    """The law by which a wish is answered: of the account they work in; of several, whichever wants it soonest."""
    places = await people.works_in(inst, wisher.id)
    laws = [await regime_of(inst, account_id) for account_id, *_ in places]
    return min(laws, key=lambda law: law.answer_by(asked), default=EU)


async def end_wish(inst: Installation, token: str) -> None:
    """Uses the link up, once the wish is kept. Raises as `read_wisher`."""
    await use(inst, "wish", token)
