"""Decide: what the business says to a request while it may: do it now, refuse it with a ground, or take more time with a reason."""

from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.privacy.requests.carry import ANSWER_WITHIN
from chatinbox.privacy.requests.case import MORE_TIME, TO_DO_IT, WINDOW, Case, read_case, what_is_held
from chatinbox.privacy.requests.go_on import ask_going_on
from chatinbox.privacy.requests.grounds import GROUNDS

MOST_WORDS = 1_000
_DECIDED = "decided_at = %(at)s, decided_by = %(by)s, objection_until = least(objection_until, %(at)s)"
_STILL_OPEN = "account_id = %(account)s and id = %(id)s and told_at is not null and decided_at is null and closed_at is null"


async def approve(inst: Installation, by: Staff, case_id: UUID) -> None:
    """Has it done now. Raises not-found, not-permitted, and a sentence when it was decided already."""
    case = await _needed(inst, by, case_id)
    if case.wish != "access" and await what_is_held(inst, by.account_id, case.customer_id) == "all":
        sentence = "Something of theirs is on hold, so it is not erased. End the hold first, or refuse with that ground."
        raise Refused(409, sentence, "held")
    await _keep(inst, by, case, "request.approved", f"{_DECIDED}, granted = wish")
    await ask_going_on(inst, by.account_id)


async def refuse(inst: Installation, by: Staff, case_id: UUID, ground: str, words: str) -> str:
    """Refuses what the ground is against; what of the wish is done all the same. Raises as `approve`, and without a ground."""
    case = await _needed(inst, by, case_id)
    known, words = GROUNDS.get(ground), _checked(words)
    if known is None or (known.of not in ("all", case.wish) and case.wish != "both"):
        raise Refused(
            422, "Choose a ground that is against what is wished. Without one, it is done.", "ground"
        )
    rest = {"access": "erasure", "erasure": "access", "all": "nothing"}[known.of]
    granted = rest if case.wish == "both" else "nothing"
    sets = f"{_DECIDED}, granted = %(granted)s, ground = %(ground)s, words_sealed = %(words)s"
    more = {"granted": granted, "ground": ground, "words": await _sealed(inst, by, case, words)}
    await _keep(inst, by, case, "request.refused", sets, f"{known.words} ({known.article})", **more)
    await ask_going_on(inst, by.account_id)
    return granted


async def extend(inst: Installation, by: Staff, case_id: UUID, words: str) -> None:
    """Takes two further months, once; the reason is told to the person. Raises as `approve`, and without a reason."""
    case = await _needed(inst, by, case_id)
    words = _checked(words)
    if not words:
        raise Refused(422, "Write the reason: the person is told.", "words")
    if case.extended_at:
        raise Refused(409, "More time was taken already. It cannot be taken twice.", "extended")
    due_at = case.arrives_at + ANSWER_WITHIN + MORE_TIME
    sets = "extended_at = %(at)s, due_at = %(due)s, objection_until = %(until)s, words_sealed = %(words)s, answered_at = null"
    sealed = await _sealed(inst, by, case, words)
    await _keep(inst, by, case, "request.extended", sets, due=due_at, until=due_at - TO_DO_IT, words=sealed)
    await ask_going_on(inst, by.account_id)


async def _needed(inst: Installation, by: Staff, case_id: UUID) -> Case:
    by.need("erase")
    case = None if by.kept_out else await read_case(inst, by.account_id, case_id)
    if case is None:
        raise not_found()
    if not case.is_open or not case.address:
        raise _late()
    return case


async def _keep(
    inst: Installation, by: Staff, case: Case, what: str, sets: str, after: str | None = None, **more: object
) -> None:
    key = await inst.vault.account_key(by.account_id)
    values = {"account": by.account_id, "id": case.id, "at": now(), "by": by.staff_user_id} | more
    async with inst.db.account(by.account_id) as tx:
        if not await tx.all(f"update data_case set {sets} where {_STILL_OPEN} returning 1", values):
            raise _late()
        await tx.execute(*noted(key, by, what, after=after, subject_id=case.customer_id))


def _late() -> Refused:
    return Refused(409, f"This request was decided already, or its {WINDOW.days} days are over.", "decided")


def _checked(words: str) -> str:
    words = words.replace("\r\n", "\n").strip()
    if len(words) > MOST_WORDS:
        raise Refused(422, f"This is longer than {MOST_WORDS:,} characters. Shorten it.", "words")
    return words


async def _sealed(inst: Installation, by: Staff, case: Case, words: str) -> bytes | None:
    key = await inst.vault.customer_key(by.account_id, case.customer_id)
    return key.seal(words, by.account_id, "data_case", "words", case.id) if words else None
