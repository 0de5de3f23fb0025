"""You can also write to the privacy address below. We first answer to the address we know you by, so that nobody else deletes you."""

import re
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from chatinbox.accounts import people, promised, wish
from chatinbox.accounts.leave import delete_person
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import acknowledge
from chatinbox.channels.email.channel import find_channels
from chatinbox.channels.email.kept import Kept, list_kept
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from promises.means import open_desk
from promises.stage import OPERATOR, Here, Stage

CLAUSES = ("C57",)
PRIVACY = str(OPERATOR["operator_privacy_email"])
STRANGER = "mallory@elsewhere.example"


def look_at_links(here: Here) -> str:
    """Every link of a wish belongs to one person, and is good for a day at most"""
    odd = here.column(
        "select count(*) from directory.link where purpose = 'wish'"
        " and (person_id is null or expires_at > created_at + interval '1 day')"
    )[0]
    assert odd == 0, f"{odd} links of a wish are nobody's, or good for longer than a day"
    return "Links of a wish belong to one person each, and are good for a day."


async def proof_that_a_letter_is_no_wish(stage: Stage) -> str:
    """A letter in somebody's name changed nothing: it was acknowledged like a stranger's, and the link went to the known address"""
    operator, door = await open_desk(stage, PRIVACY)
    ada = await stage.people.owner("Ada", "Ada's Tea")
    bea = await stage.people.colleague(ada, "Bea")
    hers = (await people.read_person(stage.inst, bea.person_id)).email
    for sender in (hers, STRANGER):
        await _writes(stage, operator, sender)
    assert await _is_here(stage, bea), "a letter in her name deleted her"
    answers = {
        one.header("to"): re.sub(r"#\d+", "#", one.text) for one in await list_kept(stage.inst, operator)
    }
    assert answers[hers] == answers[STRANGER], "the acknowledgement tells whether an address is known"
    [letter] = await _links(stage, bea)
    assert letter.header("to") == hers, "the link went elsewhere"
    path = _path(letter)
    assert (await door.get(path)).status_code == 200 and await _is_here(stage, bea), (
        "looking changed something"
    )
    await door.post(path, data={"kind": "update", "name": "Bea Moss"})
    assert (await people.read_person(stage.inst, bea.person_id)).name == "Bea Moss", "her wish was not done"
    again = await door.post(path, data={"kind": "delete"})
    assert again.status_code == 410 and await _is_here(stage, bea), "the link was good twice"
    return (
        "A letter in somebody's name changed nothing; the link went to the known address, and was good once."
    )


async def proof_that_the_wish_is_done(stage: Stage) -> str:
    """Whoever opened the link was deleted with their key, and heard of it; colleagues and another account stayed"""
    operator, door = await open_desk(stage)
    ada = await stage.people.owner("Ada", "Ada's Tea")
    bea = await stage.people.colleague(ada, "Bea")
    hers = (await people.read_person(stage.inst, bea.person_id)).email
    await promised.keep(stage.inst, await promised.promise(stage.inst, "wish", hers))
    [letter] = await _links(stage, bea)
    await door.post(_path(letter), data={"kind": "delete"})
    assert not await _is_here(stage, bea), "she is still there"
    assert await _is_here(stage, ada) and await _is_here(stage, operator), "somebody else is gone too"
    inbox = await (await stage.browser(operator)).get("/api/list?view=todo")
    assert "The sign-in is deleted" in inbox.text, "the operator has no case of it"
    assert hers not in inbox.text, "the case says whose it was"
    left = stage.column("select instruction from tenant.ledger where subject_id = %s", [bea.person_id])
    assert "deletion of the sign-in" in left, "she got no receipt"
    return "Deleted at the wish of whoever opened the link, with a case that does not say who, and a receipt."


async def _writes(stage: Stage, operator: Staff, sender: str) -> None:
    """A letter to the privacy address, and what the worker does about it."""
    letter = EmailMessage()
    letter["From"], letter["Subject"] = sender, "My data"
    letter["Message-ID"] = f"<{sender}>"
    letter.set_content("Delete everything you hold about me, at once.")
    [(_, channel_id)] = (await find_channels(stage.inst, [PRIVACY])).values()
    arrived = await store(stage.inst, operator.account_id, channel_id, letter.as_bytes(), sender, PRIVACY)
    conversation_id = await place(stage.inst, arrived)
    assert conversation_id
    await acknowledge.acknowledge(stage.inst, operator.account_id, conversation_id)


async def _is_here(stage: Stage, staff: Staff) -> bool:
    try:
        return bool(await people.read_person(stage.inst, staff.person_id))
    except Erased:
        return False


async def _links(stage: Stage, staff: Staff) -> list[Kept]:
    return [one for one in await list_kept(stage.inst, staff) if "/wish/" in one.text]


def _path(letter: Kept) -> str:
    found = re.search(r"/wish/\S{20,}", letter.text)
    assert found, "there is no link in the letter"
    return found[0]


async def saboteur_acts_on_a_sender(stage: Stage) -> None:
    """Deletes whoever a letter says it is from"""

    async def act(inst: Installation, _occasion: str, email: str) -> UUID:
        person_id = await people.find_person(inst, email)
        if person_id:
            await delete_person(inst, person_id, (await people.works_in(inst, person_id))[0][0])
        return new_id()

    stage.swap(promised, "promise", act)


async def saboteur_answers_elsewhere(stage: Stage) -> None:
    """Sends the link to another address than the known one"""

    async def elsewhere(
        inst: Installation, account_id: UUID, person_id: UUID, _email: str, *rest: Any, **more: Any
    ) -> None:
        await write_to(inst, account_id, person_id, STRANGER, *rest, **more)

    stage.swap(wish, "write_to", elsewhere)


async def saboteur_tells_who_is_known(stage: Stage) -> None:
    """Acknowledges the letter of somebody known in other words"""
    known = acknowledge._words
    heard: list[int] = []

    def words(inst: Installation, number: int) -> tuple[str, ...]:
        heard.append(number)
        return known(inst, number) + (("You sign in here.",) if len(heard) == 1 else ())

    stage.swap(acknowledge, "_words", words)


async def saboteur_keeps_links_good(stage: Stage) -> None:
    """Leaves a used link good"""

    async def keep(*_: Any) -> None: ...

    stage.swap(wish, "end_wish", keep)


async def saboteur_only_says_so(stage: Stage) -> None:
    """Says that it is done, and does nothing"""

    async def say(*_: Any) -> str:
        return "The sign-in is deleted."

    stage.swap(wish, "carry_out", say)


async def saboteur_makes_links_for_ever(stage: Stage) -> None:
    """Makes a link that is nobody's and good for years"""
    stage.break_in(
        "insert into directory.link (token_hash, id, purpose, created_at, expires_at)"
        " values ('x', gen_random_uuid(), 'wish', now(), now() + interval '9 years')"
    )
