"""A wish that people of the operator carry out (clause C57): one begins it, its person is told and can stop it, another agrees.

Of whose wish it is, nothing is shown but the address they are known by. Whoever is the operator's only owner waits three days
instead of having somebody agree; the database looks at all of it (`schema/0065_wishes_by_people.sql`).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg import errors

from chatinbox.accounts import people, wish
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.leave import need_no_last_owner
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import gone, look, make_link, use
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.wish import Kind
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import Part, said
from chatinbox.core.vault import Erased
from chatinbox.core.visible import one_line

DELAY, ALONE, GOOD = timedelta(days=1), timedelta(days=3), timedelta(days=14)
KEPT = timedelta(days=365)
DOES = {
    "delete": said("Your sign-in is deleted in every account, and its key destroyed."),
    "deactivate": said("Your sign-in is deactivated in every account."),
}
FIRST = "They are the last owner of an account. They have to hand it over, or close it, first."
_COLUMNS = (
    "id, person_id, conversation_id, number, kind, asked_at, due_on, name_sealed, first_by, second_by, told_at, opens_at,"
    " carried_at"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """An open wish: `why` it needs people, `name` where one is to be set."""

    id: UUID
    person_id: UUID
    conversation_id: UUID
    number: int
    kind: Kind
    asked_at: datetime
    due_on: date
    name: str
    first_by: UUID | None
    second_by: UUID | None
    told_at: datetime | None
    opens_at: datetime | None
    carried_at: datetime | None
    email: str
    why: str

    @property
    def is_begun(self) -> bool:
        """Whether its person was told, and their link is still good."""
        return self.told_at is not None and (self.carried_at is not None or self.told_at >= now() - GOOD)

    @property
    def opens(self) -> datetime | None:
        """From when it can be carried out as it stands; None while nobody began it."""
        if not self.is_begun or self.told_at is None or self.opens_at is None:
            return None
        return self.opens_at if self.second_by else max(self.opens_at, self.told_at + ALONE)

    @property
    def waits_for_them(self) -> bool:
        """Whether something has to be done by its person first."""
        return self.why == FIRST


async def keep(
    inst: Installation,
    person_id: UUID,
    kind: Kind,
    operator_id: UUID,
    conversation_id: UUID,
    number: int,
    due_on: date,
) -> None:
    """Keeps a wish of which there is a conversation; once, however often it is pressed."""
    kept = [new_id(), person_id, operator_id, conversation_id, number, kind, now(), due_on]
    await inst.db.directory("select directory.add_wish(%s, %s, %s, %s, %s, %s, %s, %s)", kept)


async def read_open(inst: Installation, operator_id: UUID) -> list[Wish]:
    """Those that nobody carried out, answered or stopped, the most urgent first."""
    rows = await inst.db.directory(f"select {_COLUMNS} from directory.open_wishes(%s)", [operator_id])
    found: list[Wish] = []
    for row in rows:
        with contextlib.suppress(Erased):  # they were faster
            found.append(await _opened(inst, row))
    return found


async def _opened(inst: Installation, row: tuple[object, ...]) -> Wish:
    row_id, person_id, conversation_id, number, kind, asked_at, due_on, sealed, *rest = row
    key = await inst.vault.person_key(person_id)  # type: ignore[arg-type]
    name = key.open_text(sealed, NOBODY, "wish", "name", row_id) if sealed else ""  # type: ignore[arg-type]
    email = (await people.read_person(inst, person_id)).email  # type: ignore[arg-type]
    why = await _why(inst, person_id, kind)  # type: ignore[arg-type]
    return Wish(row_id, person_id, conversation_id, number, kind, asked_at, due_on, name, *rest, email, why)  # type: ignore[arg-type, call-arg]


async def _why(inst: Installation, person_id: UUID, kind: Kind) -> str:
    if kind in ("correct", "update"):
        return "What is to be changed is not among what a link can change."
    try:
        await need_no_last_owner(inst, person_id)
    except Refused:
        return FIRST
    why = await wish.why_by_people(inst, person_id, kind, "")
    return why or "They were the last owner of an account when they wished it, and are not any more."


async def begin(inst: Installation, by: UUID, one: Wish, name: str, *, is_alone: bool) -> datetime:
    """Begins it: the letter leaves that says what will be done, with a link to stop it. From when it can be done. Raises a sentence
    for a last owner, for one's own wish, and when the letter does not leave; then nothing was begun.
    """
    name = one_line(name)
    renames = one.kind in ("correct", "update")
    if renames and not 1 <= len(name) <= 120:
        raise bad_request("Write the name that they wish to have.", "name")
    if not renames:
        await _need_free(inst, one)
    key, link_id = await inst.vault.person_key(one.person_id), new_id()
    sealed = key.seal(name, NOBODY, "wish", "name", one.id) if renames else None
    begun = [one.id, by, link_id, sealed, now() - GOOD]
    if not await _may(inst, "select directory.begin_wish(%s, %s, %s, %s, %s)", begun):
        raise _over()
    at = now()
    opens = at + (ALONE if is_alone else DELAY)
    token = await make_link(inst, "stop", one.person_id, link_id=link_id)
    if not await _tell(inst, one, name, opens, token):
        raise Refused(
            503, "The letter to them did not leave, so nothing was begun. Try again later.", "letter"
        )
    await inst.db.directory("select directory.wish_told(%s, %s, %s, %s)", [one.id, link_id, at, opens])
    return opens


async def _tell(inst: Installation, one: Wish, name: str, opens: datetime, token: str) -> bool:
    number, day = str(one.number), opens.date()
    link = f"{inst.settings.public_url}/wish/stop/{token}"
    what = said("Your name is changed to %(name)s.", name=name) if name else Part(DOES[one.kind])
    text = said(
        "You wished something about your data (#%(number)s). People carry it out on %(day)s at the earliest:\n\n%(what)s\n\n"
        "If you do not want that, or it was not you, open this link and stop it:\n\n%(link)s\n\n"
        "If you do, there is nothing left for you to do.\n",
        number=number, day=day, what=what, link=link,
    )  # fmt: skip
    account_id = (await people.works_in(inst, one.person_id))[0][0]
    subject, occasion = said("What you wished will be done"), "wish about to be carried out"
    outcome = await write_to(
        inst, account_id, one.person_id, one.email, subject, text, occasion, ("link", "what will be done"), again=False
    )  # fmt: skip
    return outcome == "taken"


async def agree(inst: Installation, by: UUID, one: Wish) -> None:
    """A second person agrees. Raises a sentence for the one who began it, and for one's own wish."""
    if not await _may(inst, "select directory.agree_to_wish(%s, %s)", [one.id, by]):
        raise _over()


async def carry_out(inst: Installation, by: UUID, one: Wish, *, is_alone: bool) -> str:
    """Does exactly what was wished; what was done. Raises a sentence before its time, without a second person, when its person
    stopped it, and for a last owner, whom nobody deletes away from their account.
    """
    if one.kind in DOES:
        await _need_free(inst, one)
    carries = [one.id, by, is_alone, now(), now() - GOOD]
    if not await _may(inst, "select directory.carry_wish(%s, %s, %s, %s, %s)", carries):
        raise Refused(409, _why_not(one, by), "wait")
    places = await people.works_in(inst, one.person_id)
    try:
        done = await wish.carry_out(inst, one.person_id, one.kind, one.name)
    except Refused:
        await inst.db.directory("select directory.let_wish_be(%s)", [one.id])
        raise
    await inst.db.directory("select directory.wish_done(%s, %s)", [one.id, now()])
    for account_id, staff_user_id in places:
        with contextlib.suppress(Erased):  # an account that was closed long ago
            await _note(inst, Staff(account_id, staff_user_id, one.person_id, "staff", ""), done)
    return done


async def _note(inst: Installation, whose: Staff, done: str) -> None:
    key = await inst.vault.account_key(whose.account_id)
    line = noted(key, whose, "staff.wish", after=done, subject_id=whose.staff_user_id)
    await inst.db.run(whose.account_id, line)


def _why_not(one: Wish, by: UUID) -> str:
    if one.person_id == by:
        return _OWN
    if one.opens is None:
        return "Nobody began it, or so long ago that it has to be begun anew."
    if one.opens > now():
        return "Its person still has time to stop it."
    return "A second person has to agree, or its person stopped it, or it is done."


async def say_what_comes_first(inst: Installation, one: Wish) -> None:
    """Writes to a last owner what has to happen before they can be deleted or deactivated. Raises when nothing has."""
    try:
        await need_no_last_owner(inst, one.person_id)
    except Refused as last:
        text = said(
            "We cannot do yet what you wished about your data (#%(number)s). %(why)s Then it will be done.\n",
            number=str(one.number),
            why=last.sentence,
        )
        await wish.tell_wisher(inst, one.person_id, said("What has to happen first"), text)
        return
    raise _over()


async def answer(inst: Installation, one: Wish) -> None:
    """Ends a wish that is answered in words. Raises for one that is not of words, or was begun."""
    if not await _may(inst, "select directory.answer_wish(%s, %s)", [one.id, now()]):
        raise _over()


async def look_at_stop(inst: Installation, token: str) -> tuple[UUID, int, Kind]:
    """Whose wish a link would stop, its number and kind. Raises where there is nothing to stop any more."""
    link = await look(inst, "stop", token)
    rows = await inst.db.directory(
        "select person_id, number, kind from directory.wish_of_link(%s)", [link.id]
    )
    if not rows:
        raise gone()
    return rows[0][0], rows[0][1], rows[0][2]


async def stop(inst: Installation, token: str) -> tuple[UUID, UUID, UUID]:
    """Stops it for good; whose it was, the operator's account and its conversation. Raises as `look_at_stop`."""
    link = await use(inst, "stop", token)
    ask = "select person_id, account_id, conversation_id from directory.stop_wish(%s, %s)"
    rows = await inst.db.directory(ask, [link.id, now()])
    if not rows:
        raise gone()
    return rows[0][0], rows[0][1], rows[0][2]


async def forget(inst: Installation) -> None:
    """Removes wishes a year after they were done, answered or stopped."""
    await inst.db.directory("select directory.forget_wishes(%s)", [now() - KEPT])


async def _need_free(inst: Installation, one: Wish) -> None:
    try:
        await need_no_last_owner(inst, one.person_id)
    except Refused:
        raise Refused(409, FIRST, "last_owner") from None


_OWN = "It is your own wish. Somebody else of you carries it out."


async def _may(inst: Installation, ask: str, values: Sequence[object]) -> bool:
    try:
        [[done]] = await inst.db.directory(ask, values)
    except errors.CheckViolation as error:
        if error.diag.constraint_name == "wish_two_people":
            raise Refused(403, "You began it yourself. A second person has to agree.", "self") from None
        if error.diag.constraint_name == "wish_not_ones_own":
            raise Refused(403, _OWN, "self") from None
        raise
    return bool(done)


def _over() -> Refused:
    return Refused(409, "There is nothing of that to do any more. Look at how it stands now.", "over")
