"""Letters to a person when what opens their sign-in has changed. Plain words, the time, what to do; no address of a machine."""

from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.letters import write_to
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import Part, said

Change: TypeAlias = Literal[
    "password",
    "passkey added",
    "passkey removed",
    "authenticator added",
    "authenticator removed",
    "recovery code used",
    "recovery codes made",
    "taken away",
]
_WORDS: dict[Change, tuple[str, str]] = {
    "password": (said("Your password was changed"), said("A new password was set for your sign-in.")),
    "passkey added": (said("A passkey was added"), said("A new passkey can open your sign-in.")),
    "passkey removed": (
        said("A passkey was removed"),
        said("One of your passkeys no longer opens your sign-in."),
    ),
    "authenticator added": (
        said("Your authenticator app was turned on"),
        said("From now on your sign-in asks for a code of your authenticator app."),
    ),
    "authenticator removed": (
        said("Your authenticator app was turned off"),
        said("Your sign-in no longer asks for codes of your authenticator app."),
    ),
    "recovery code used": (
        said("A recovery code was used"),
        said("Somebody signed in with one of your recovery codes. It is used up; the others are still good."),
    ),
    "recovery codes made": (
        said("You have new recovery codes"),
        said("Ten new recovery codes were made for your sign-in. The former ones are no longer good."),
    ),
    "taken away": (
        said("Your second factors were taken away"),
        said(
            "Whoever runs this installation was asked to take away your passkeys, your authenticator app and your"
            " recovery codes, because they were lost. Your password opens your sign-in until you set up new ones."
        ),
    ),
}


async def tell(inst: Installation, person_id: UUID, change: Change) -> None:
    """Tells a person what was changed, once it is. A letter that cannot be sent takes nothing back."""
    places = await people.works_in(inst, person_id)
    if not places:
        return
    person = await people.read_person(inst, person_id)
    subject, words = _WORDS[change]
    text = said(
        "%(what)s\n\nThis was on %(day)s at %(time)s UTC. If it was you, there is nothing to do.\n\n"
        "If it was not you, choose a new password now; that ends every session:\n\n%(link)s\n",
        what=Part(words), day=now(), time=f"{now():%H:%M}", link=f"{inst.settings.public_url}/reset",
    )  # fmt: skip
    fields = ("what was changed", "time", "link")
    await write_to(inst, places[0][0], person_id, person.email, subject, text, "sign-in safety", fields)
