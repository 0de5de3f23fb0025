"""Wishes of people who sign in that no link can decide, for owners of the operator's own account alone (C57): begun by one, agreed to
by another, carried out.

Nothing of an account is shown here, and of a person only the address they wrote from. What becomes of a wish is noted in its
conversation, as staff of the operator's own account note what they do.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import by_people
from chatinbox.accounts.by_people import Wish
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.wish import KINDS
from chatinbox.conversations.body import Body
from chatinbox.conversations.verbs import add_note, reply, set_status
from chatinbox.core.clock import now
from chatinbox.core.declared import Way
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import new_id, read_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.glass.seen import names_of
from chatinbox.web.forms import Form, show
from chatinbox.web.operator_door import PROOF, is_alone, once_proven, operator_way

PATH = "/operator/wishes"
MOST_WORDS = 2_000
_FIELDS = ("do", "wish", "name", "words", *PROOF)


def routes(inst: Installation) -> list[Way]:
    """The one route of the page."""
    sentence = "This could not be done. Look at how the wish stands, and try again in a moment."
    return [operator_way(inst, PATH, ("T",), _ask, once_proven(PATH, _FIELDS, _ask, _act), sentence)]


async def _ask(
    inst: Installation, request: Request, session: Session, refused: Refused | None, form: Form | None
) -> Response:
    me, found = session.staff.person_id, await by_people.read_open(inst, session.staff.account_id)
    words: dict[str, Any] = {
        "factors": await read_factors(inst, me),
        "wishes": found,
        "me": me,
        "names": await names_of(inst, [by for one in found for by in (one.first_by, one.second_by) if by]),
        "kinds": KINDS,
        "is_alone": await is_alone(inst, session),
        "moment": now(),
        "path": PATH,
    }
    return show(inst, request, "operator/wishes", refused, form, **words)


async def _act(inst: Installation, request: Request, session: Session, form: Form) -> Response | None:
    me, do, one = session.staff.person_id, form.get("do"), await _wish(inst, session, form)
    if do == "begin":
        opens = await by_people.begin(
            inst, me, one, form.get("name", ""), is_alone=await is_alone(inst, session)
        )
        told = f"Begun. They were told what will be done, with a link to stop it. It can be done from {opens:%-d %B %Y, %H:%M} UTC."
        await _note(inst, session, one, told)
    elif do == "agree":
        await by_people.agree(inst, me, one)
        await _note(inst, session, one, "Agreed to.")
    elif do == "carry-out":
        done = await by_people.carry_out(inst, me, one, is_alone=await is_alone(inst, session))
        await _note(inst, session, one, f"Carried out. {done}")
        await set_status(inst, session.staff, one.conversation_id, "done")
    elif do == "first":
        await by_people.say_what_comes_first(inst, one)
        await _note(inst, session, one, "They were told what has to happen first.")
    elif do == "answer":
        await _answer(inst, session, one, form.get("words", "").replace("\r\n", "\n").strip())
    else:
        raise bad_request("There is nothing to do by that name.", "do")
    return None


async def _answer(inst: Installation, session: Session, one: Wish, words: str) -> None:
    if not 10 <= len(words) <= MOST_WORDS:
        raise bad_request("Answer in ten letters or more, and 2,000 at most.", "words")
    await by_people.answer(inst, one)
    await reply(
        inst, session.staff, one.conversation_id, new_id(), Body(text=words),
        seen_position=0, send_anyway=True, then="done",
    )  # fmt: skip


async def _note(inst: Installation, session: Session, one: Wish, words: str) -> None:
    await add_note(inst, session.staff, one.conversation_id, new_id(), Body(text=words), is_drafted=False)


async def _wish(inst: Installation, session: Session, form: Form) -> Wish:
    named = read_id(form.get("wish", ""))
    for one in await by_people.read_open(inst, session.staff.account_id):
        if one.id == named:
            return one
    raise bad_request("This wish is done, was stopped, or never was.", "wish")
