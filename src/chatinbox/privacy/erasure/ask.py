"""Ask: somebody wants a customer erased; for ten minutes they can take it back."""

from datetime import timedelta
from uuid import UUID

from psycopg.errors import UniqueViolation

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.held import Held, read_held
from chatinbox.privacy.erasure.read import SIGHT

UNDO = timedelta(minutes=10)


async def ask_erasure(inst: Installation, by: Staff, customer_id: UUID, typed: str) -> UUID:
    """Notes the wish and has it done in ten minutes; the erasure's id. `typed` is the customer's name, as a look twice.

    Raises not-found, a sentence for another name, for what another team has, and for one who is being erased already.
    """
    by.need("erase")
    held = await read_held(inst, by, customer_id)
    _check(held, typed)
    erasure_id, at = new_id(), now()
    key = await inst.vault.account_key(by.account_id)
    try:
        await inst.db.run(
            by.account_id,
            (
                "insert into erasure (account_id, id, customer_id, staff_user_id, asked_at, due_at) values (%s, %s, %s, %s, %s, %s)",
                [by.account_id, erasure_id, held.customer_id, by.staff_user_id, at, at + UNDO],
            ),
            noted(key, by, "customer.erasure_asked", subject_id=held.customer_id),
        )
    except UniqueViolation:
        raise Refused(409, "This customer is being erased already.", "erasing") from None
    ids = {"account_id": str(by.account_id), "erasure_id": str(erasure_id)}
    await inst.jobs.later("erase", ids, once=f"erase {erasure_id}", at=at + UNDO)
    return erasure_id


def _check(held: Held, typed: str) -> None:
    if held.hidden:
        raise Refused(
            409, "Some of their conversations are another team's. Ask somebody who sees all.", "team"
        )
    if " ".join(typed.split()).casefold() != " ".join(held.name.split()).casefold():
        raise Refused(422, f"Type the customer's name as it stands here: {held.name}", "typed")


async def erase_for_case(
    inst: Installation, account_id: UUID, customer_id: UUID, case_id: UUID
) -> UUID | None:
    """Has a customer erased at once because they asked for it themselves; its id, or that of one under way, which nobody takes
    back any more. None when they are gone already. Raises a sentence while a rule erases some of their conversations.
    """
    at = now()
    rows, there = await inst.db.run(
        account_id,
        (
            "insert into erasure (account_id, id, customer_id, case_id, asked_at, due_at)"
            " select account_id, %s, coalesce(merged_into, id), %s, %s, %s from customer where account_id = %s and id = %s"
            " on conflict (account_id, customer_id) where done_at is null"
            " do update set case_id = coalesce(erasure.case_id, excluded.case_id), due_at = least(erasure.due_at, excluded.asked_at),"
            " rule_id = null, conversations = null where erasure.begun_at is null or erasure.conversations is null returning id",
            [new_id(), case_id, at, at, account_id, customer_id],
        ),
        ("select 1 from customer where account_id = %s and id = %s", [account_id, customer_id]),
    )
    if not rows and there:
        raise Refused(409, "Some of their conversations are being erased. It goes on after that.", "erasing")
    if not rows:
        return None
    ids = {"account_id": str(account_id), "erasure_id": str(rows[0][0])}
    await inst.jobs.later("erase", ids, once=f"erase case {case_id}")
    return UUID(str(rows[0][0]))


async def take_back(inst: Installation, by: Staff, erasure_id: UUID) -> None:
    """Takes it back while nothing has begun. Raises not-found, and a sentence when it is too late."""
    by.need("erase")
    key = await inst.vault.account_key(by.account_id)
    ask = [by.account_id, erasure_id, not by.kept_out, by.staff_user_id]
    gone, own, there = await inst.db.run(
        by.account_id,
        (
            f"delete from erasure where account_id = %s and id = %s and begun_at is null and case_id is null and {SIGHT} returning customer_id",
            ask,
        ),
        (f"select 1 from erasure where account_id = %s and id = %s and case_id is not null and {SIGHT}", ask),
        (f"select 1 from erasure where account_id = %s and id = %s and {SIGHT}", ask),
    )
    if own:
        raise Refused(409, "They asked for it themselves, so it cannot be taken back.", "theirs")
    if there:
        raise Refused(409, "It has begun, so it cannot be taken back.", "begun")
    if not gone:
        raise not_found()
    await inst.db.run(by.account_id, noted(key, by, "customer.erasure_taken_back", subject_id=gone[0][0]))
