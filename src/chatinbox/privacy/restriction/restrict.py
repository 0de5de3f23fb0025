"""Restrict: a customer is set aside on one of the law's four grounds, and taken up again with a word to them before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from psycopg.errors import UniqueViolation

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import tell
from chatinbox.core.clock import now
from chatinbox.core.destroyed import ASIDE, TAKEN_UP
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.letter import write_to_customer
from chatinbox.privacy.whose import FAMILY, need_whole, whose

Ground: TypeAlias = Literal["accuracy", "unlawful", "claims", "objection"]
GROUNDS: dict[str, str] = {
    "accuracy": "They say that it is wrong, and that is being looked at",
    "unlawful": "It should not be held, and they want it kept rather than erased",
    "claims": "We need it no more, and they need it for a legal claim",
    "objection": "They objected, and whose reasons weigh more is being looked at",
}
"""GDPR Art. 18(1), a to d."""
MOST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Restriction:
    """One of them. `words` are staff's own; nobody's name stands by one that was put back."""

    id: UUID
    customer_id: UUID
    ground: str
    words: str
    staff_user_id: UUID | None
    at: datetime


async def restrict(inst: Installation, by: Staff, customer_id: UUID, ground: str, words: str = "") -> None:
    """Sets a customer aside, with whoever turned out to be them. Raises not-found, not-permitted, and sentences for a ground
    that is none, for what another team has, and for who is set aside already.
    """
    by.need("customers")
    root = await need_whole(inst, by.account_id, customer_id, by)
    words = " ".join(words.split())
    if ground not in GROUNDS:
        raise Refused(422, "Choose one of the grounds.", "ground")
    if len(words) > MOST_WORDS:
        raise Refused(422, f"This is longer than {MOST_WORDS:,} characters. Shorten it.", "words")
    key, account_key = (
        await inst.vault.customer_key(by.account_id, root),
        await inst.vault.account_key(by.account_id),
    )
    row_id, at = new_id(), now()
    sealed = key.seal(words, by.account_id, "restriction", "words", row_id) if words else None
    try:
        async with inst.db.account(by.account_id) as tx:
            *_, told = await tx.many(
                (
                    "insert into restriction (account_id, id, customer_id, ground, words_sealed, staff_user_id, at)"
                    " values (%s, %s, %s, %s, %s, %s, %s)",
                    [by.account_id, row_id, root, ground, sealed, by.staff_user_id, at],
                ),
                mark(by.account_id, root, at),
                noted(account_key, by, "customer.set_aside", subject_id=root),
                tell(by.account_id, "restriction.begun", by.staff_user_id, root),
            )
            await inst.vault.write_down(ASIDE, by.account_id, row_id, root.hex)
    except UniqueViolation:
        raise Refused(409, "This customer is set aside already.", "restricted") from None
    inst.bell.ring(by.account_id, told[0][0])


async def take_up(
    inst: Installation, by: Staff, customer_id: UUID, words: str, told_otherwise: bool = False
) -> None:
    """Ends it. The person is told before (Art. 18(3)): by a letter with these words, or staff say that they told them
    otherwise. Raises as `restrict`, and a sentence when there is no word and no address to write to.
    """
    by.need("customers")
    root = await need_whole(inst, by.account_id, customer_id, by)
    [open_] = await inst.db.run(
        by.account_id,
        (
            "select id from restriction where account_id = %s and customer_id = %s and ended_at is null",
            [by.account_id, root],
        ),
    )
    if not open_:
        raise Refused(409, "This customer is not set aside.", "not_restricted")
    if not told_otherwise:
        if not words.strip():
            raise Refused(
                422, "Write what they are told before it ends, or say that you told them.", "letter"
            )
        await write_to_customer(
            inst, by, root, "About your data", words, "told before their data is taken up again"
        )
    key = await inst.vault.account_key(by.account_id)
    ended, *_, told = await inst.db.run(
        by.account_id,
        (
            "update restriction set ended_at = %s, ended_by = %s where account_id = %s and customer_id = %s and ended_at is null"
            " returning id",
            [now(), by.staff_user_id, by.account_id, root],
        ),
        mark(by.account_id, root, None),
        noted(
            key,
            by,
            "customer.taken_up",
            after="told otherwise" if told_otherwise else "told by letter",
            subject_id=root,
        ),
        tell(by.account_id, "restriction.ended", by.staff_user_id, root),
    )
    for (row_id,) in ended:
        await inst.vault.write_down(TAKEN_UP, by.account_id, row_id)
    inst.bell.ring(by.account_id, told[0][0])


async def read_restriction(inst: Installation, by: Staff, customer_id: UUID) -> Restriction | None:
    """How a customer is set aside now. Raises not-found."""
    root, _ = await whose(inst, by.account_id, customer_id, by)
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, customer_id, ground, words_sealed, staff_user_id, at from restriction"
            " where account_id = %s and customer_id = %s and ended_at is null",
            [by.account_id, root],
        ),
    )
    for row_id, _, ground, sealed, staff_user_id, at in rows:
        key = await inst.vault.customer_key(by.account_id, root)
        words = key.open_text(sealed, by.account_id, "restriction", "words", row_id) if sealed else ""
        return Restriction(row_id, root, ground, words, staff_user_id, at)
    return None


async def list_restrictions(inst: Installation, by: Staff) -> list[Restriction]:
    """Who is set aside now, the oldest first, without staff's words. Who is kept out of a channel sees whom they set aside."""
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, customer_id, ground, '', staff_user_id, at from restriction where account_id = %s and ended_at is null"
            " and (%s or staff_user_id = %s) order by at limit 200",
            [by.account_id, not by.kept_out, by.staff_user_id],
        ),
    )
    return [Restriction(*row) for row in rows]


def mark(account_id: UUID, root: UUID, at: datetime | None) -> tuple[str, dict[str, object]]:
    """That a customer is set aside since then, with whoever turned out to be them; or no more."""
    text = (
        f"{FAMILY} update customer c set restricted_at = %(at)s from family"
        " where c.account_id = %(account)s and c.id = family.id"
    )
    return text, {"account": account_id, "customer": root, "at": at}
