"""A wish about one's own data (clause C57): whoever asks is answered at the address we know them by, and at no other.

What somebody types is no proof of who they are, and neither is the sender of a letter. So before the link is opened nothing is
kept and nothing is wished: not even of what kind the wish would have been.
"""

from datetime import timedelta
from typing import Literal, TypeAlias

from chatinbox.accounts import people
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import look, make_link, use
from chatinbox.accounts.people import Person
from chatinbox.core.installation import Installation

Kind: TypeAlias = Literal["correct", "update", "delete", "deactivate"]
KINDS: dict[Kind, str] = {
    "correct": "Correct what you hold about me",
    "update": "Update what you hold about me",
    "delete": "Delete what you hold about me",
    "deactivate": "Deactivate my sign-in",
}
ANSWERED_WITHIN = timedelta(days=30)  # a month at most (GDPR Art. 12(3))


async def ask_for_wish(inst: Installation, email: str) -> None:
    """Sends the link, when the address is known; says nothing either way."""
    person_id = await people.find_person(inst, email)
    places = person_id and await people.works_in(inst, person_id)
    if not person_id or not places:
        return
    person = await people.read_person(inst, person_id)
    token = await make_link(inst, "wish", person_id)
    text = (
        "Somebody asked, with your address, about the data we hold about you. If it was you, open this link and say what"
        f" you wish:\n\n{inst.settings.public_url}/wish/{token}\n\n"
        "It is good for one day. If it was not you, ignore this letter: nothing was changed, and nothing will be.\n"
    )
    occasion = "wish about own data"
    await write_to(inst, places[0][0], person_id, person.email, "About your data", text, occasion, ("link",))


async def read_wisher(inst: Installation, token: str) -> Person:
    """Who a link belongs to. Raises for one that is no longer good."""
    link = await look(inst, "wish", token)
    assert link.person_id
    return await people.read_person(inst, link.person_id)


async def end_wish(inst: Installation, token: str) -> None:
    """Uses the link up, once the wish is kept. Raises as `read_wisher`."""
    await use(inst, "wish", token)
