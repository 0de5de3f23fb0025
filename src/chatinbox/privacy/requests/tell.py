"""What the desk writes: to the person in the name of the business that answers, and to that business's owners.

Each letter is made in one account's context and knows of no other. A letter to owners says no name: who it is stands in the
account.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.egress import Asked, Letter, Unreachable
from chatinbox.core.installation import Installation
from chatinbox.core.plain_letter import BY_ITSELF, plain_letter
from chatinbox.core.vault import BadToken
from chatinbox.privacy.requests.case import WINDOW, Case, what_is_held
from chatinbox.privacy.requests.copy import PREPARED
from chatinbox.privacy.requests.grounds import GROUNDS

WISHED = {
    "access": "to see what is held about them",
    "erasure": "to have their data erased",
    "both": "to see what is held about them, and then to have it erased",
}
YOURS = {
    "access": "to see what it holds about you",
    "erasure": "to have your data erased",
    "both": "to see what it holds about you, and then to have it erased",
}
PURPOSE = "data-case"
Answer: TypeAlias = Callable[[Installation, UUID, Case], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Business:
    """Who decides about the data, and where one asks them (clause C58)."""

    name: str
    address: str
    page: str
    postal: str

    @property
    def foot(self) -> str:
        """How they are reached, at the end of a letter."""
        where = [self.postal, self.address, self.page]
        said = "\n".join(one for one in where if one)
        return f"\n-- \n{self.name}\n{said or 'Ask at the address you wrote to.'}\n"


async def read_business(inst: Installation, account_id: UUID) -> Business:
    """Who an account is for its customers."""
    workspace = await read_workspace(inst, account_id)
    name = workspace.legal_name or await read_account_name(inst, account_id)
    return Business(name, workspace.privacy_address, workspace.privacy_page, workspace.postal_address)


def mint_case(inst: Installation, account_id: UUID, case_id: UUID) -> str:
    """What the link carries under which a person sees how their request stands."""
    return inst.vault.mint(PURPOSE, account_id.bytes + case_id.bytes)


def read_token(inst: Installation, token: str) -> tuple[UUID, UUID] | None:
    """Account and case of such a link; None for one that was made up."""
    try:
        raw = inst.vault.read(PURPOSE, token)
    except BadToken:
        return None
    return UUID(bytes=raw[:16]), UUID(bytes=raw[16:])


async def arrived(inst: Installation, account_id: UUID, case: Case, until: datetime) -> None:
    """To the person: this business has it, and by when it answers. Raises Unreachable and Declined."""
    what = YOURS[case.wish]
    if case.assurance == "mailbox":
        then = f"It can object until {until:%-d %B %Y}, with a ground that you are told. Where it does not, your wish is done."
    else:
        then = (
            "By its name, several people read this mailbox, so it does not show by itself that it is you who asks. The business"
            f" decides by {case.due_at:%-d %B %Y} whether it does; write to it what it needs to know."
        )
    await _write(inst, account_id, case, "Your request has arrived", f"You asked {what}.\n\n{then}\n")


async def decided(inst: Installation, account_id: UUID, case: Case) -> None:
    """To the person: what was decided, with the ground, and what follows. Raises as `arrived`."""
    parts = [f"You asked {YOURS[case.wish]}."]
    if case.ground:
        ground = GROUNDS[case.ground]
        what = {"nothing": "Your wish", "access": "Erasing your data", "erasure": "Your copy"}[
            case.granted or "nothing"
        ]
        parts.append(f"{what} was refused ({ground.article} GDPR). {ground.told}")
        if case.words:
            parts.append(f"It adds:\n\n{case.words}")
        parts.append(
            "You can complain to the authority for data protection where you live, or go to a court."
        )
    if case.grants("access"):
        parts.append(PREPARED)
    if case.granted == "erasure":
        parts.append(
            "Your data is erased within a day, and its keys are destroyed. After that nobody here knows your address any more, so"
            " no letter follows: the link below says when it was done, and has the signed receipt."
        )
    elif case.granted == "both":
        parts.append(
            "Your data is erased when you have fetched the copy, and seven days after it at the latest."
        )
    if case.grants("erasure") and await what_is_held(inst, account_id, case.customer_id):
        parts.append(
            "Single conversations are held for a proceeding or the law (Art. 17(3) GDPR). They stay until that ends, and go then."
        )
    await _write(inst, account_id, case, "The answer to your request", "\n\n".join(parts) + "\n")


async def extended(inst: Installation, account_id: UUID, case: Case) -> None:
    """To the person: it takes longer, why, and until when. Raises as `arrived`."""
    text = f"You asked {YOURS[case.wish]}. It needs more time, until {case.due_at:%-d %B %Y} (Art. 12(3) GDPR), because:\n\n{case.words}\n"
    await _write(inst, account_id, case, "Your request takes longer", text)


async def copy_is_ready(inst: Installation, account_id: UUID, case: Case, link: str, until: datetime) -> None:
    """To the person: the link to their copy. Raises as `arrived`."""
    text = f"Your copy is ready. Open this link to fetch it; it is good once, until {until:%-d %B %Y}:\n\n{link}\n"
    if case.copy_first_sent_at:
        text += "\nSomething that stood in the copy before this one was erased, so its link leads nowhere any more.\n"
    await _write(inst, account_id, case, "Your copy is ready", text)


async def _write(inst: Installation, account_id: UUID, case: Case, subject: str, text: str) -> None:
    if not case.address:
        return
    business = await read_business(inst, account_id)
    link = f"{inst.settings.public_url}/my-data/case/{mint_case(inst, account_id, case.id)}"
    words = f"{text}\nHow it stands: {link}\n{business.foot}"
    sender, subject = inst.settings.no_reply, f"{subject}: {business.name}"
    head = BY_ITSELF | ({"Reply-To": business.address} if business.address else {})
    raw = plain_letter(inst.settings.mail_domain, (business.name, sender), case.address, subject, words, head)
    letter = Letter(
        account_id, "customer", case.customer_id, sender, (case.address,), raw, "service", "answer to a person's own request",
        ("e-mail address", "how the request stands"), asked=Asked("request", case.id),
    )  # fmt: skip
    await inst.egress.mail(letter)


async def tell_owners(inst: Installation, account_id: UUID, case: Case, until: datetime) -> None:
    """To the owners: somebody asked, and until when they may object. Raises Unreachable when none of them was reached."""
    if case.assurance == "mailbox":
        shown = (
            "They opened a link that was sent to that address, so whoever asks reads this mailbox; more is not known of them."
            f" You can object until {until:%-d %B %Y}, with a ground. If nobody does, it is done by itself."
        )
    else:
        shown = (
            "They opened a link that was sent to that address. By its name several people read this mailbox, so it shows nobody in"
            f" particular: it is done only if you approve it, and refused if nobody does by {case.due_at:%-d %B %Y}."
        )
    text = (
        f"A customer of yours asks {WISHED[case.wish]}. {shown}\n\n"
        f"Decide here:\n\n{inst.settings.public_url}/settings/requests\n\n"
        f"The {WINDOW.days} days, and that silence does not block it, stand in your processing agreement.\n"
    )
    fields = ("what was asked", "until when it is to be decided", "link")
    subject = "A customer asks about their data"
    ended = await owners.tell(inst, account_id, subject, text, "request of a customer", fields)
    if owners.is_nobody_reached(ended):
        raise Unreachable("owners")
