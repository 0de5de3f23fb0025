"""Cases of the desk: an order that names what it asks for and is checked by two people, or a danger that cannot wait (C37, C38).

What may happen to a case, in which order and by whom, is decided by the database (`schema/0041_glass.sql`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import errors

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.desk import told
from chatinbox.privacy.desk.order import CONTENT, INSTRUMENTS, KINDS, Kind, Order, Words, check_order

_COLUMNS = (
    "id, account_id, kind, instrument, words_sealed, kinds, object, object_id, from_at, to_at, gag_until, opened_by, opened_at,"
    " first_by, second_by, declined_at, told_at, released_by, released_at, digest, review_due_at, reviewed_by, reviewed_at, finding,"
    " file_count"
)


UNNAMED = Refused(403, "Name the files first: each in what it names, or single ones.", "unnamed")
UNSEEN = Refused(403, "Look at the list of the files that it names first.", "unseen")
NO_WORDS = Words("(destroyed with the account's key)", "", "", "")


@dataclass(frozen=True, slots=True)
class Case:
    """One case, with its words opened."""

    id: UUID
    account_id: UUID
    kind: Kind
    instrument: str
    words: Words
    kinds: list[str]
    object: str
    object_id: UUID | None
    from_at: datetime | None
    to_at: datetime | None
    gag_until: datetime | None
    opened_by: UUID
    opened_at: datetime
    first_by: UUID | None
    second_by: UUID | None
    declined_at: datetime | None
    told_at: datetime | None
    released_by: UUID | None
    released_at: datetime | None
    digest: bytes | None
    review_due_at: datetime | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    finding: str | None
    file_count: int | None

    @property
    def is_secret(self) -> bool:
        """Whether the order still forbids to tell."""
        return bool(self.gag_until and self.gag_until > now())

    @property
    def is_to_go_on(self) -> bool:
        """Whether its release began within a day and did not come to its end, so that it can be done again."""
        return bool(self.released_at and not self.digest and self.released_at > now() - timedelta(days=1))

    @property
    def is_late(self) -> bool:
        """Whether its review should have been done by now."""
        return bool(self.review_due_at and not self.reviewed_at and self.review_due_at < now())


async def open_case(inst: Installation, by: UUID, account_id: UUID, order: Order) -> UUID:
    """Writes a case down; its id. Raises a sentence for what is not whole, asks for too much, or is secret without an end."""
    check_order(order)
    case_id, key = new_id(), await inst.vault.account_key(account_id)
    sealed = key.seal(msgspec.json.encode(order.words), account_id, "legal_case", "words", case_id)
    given = [case_id, order.kind, order.instrument, sealed, order.kinds, order.object, order.number, order.from_at, order.to_at, order.gag_until, by]  # fmt: skip
    ask = "select desk.open_case(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    try:
        await ask_as_operator(inst, account_id, ask, given)
    except errors.NoDataFound:
        raise bad_request("There is no such conversation in this account.", "number") from None
    return case_id


async def check(inst: Installation, by: UUID, case: Case) -> None:
    """Somebody checked the order, and saw which files it names. The second one is another; then the account is told, unless the
    order forbids it.
    """
    try:
        [[done]] = await ask_as_operator(
            inst, case.account_id, "select desk.check_case(%s, %s)", [case.id, by]
        )
    except errors.ObjectNotInPrerequisiteState:
        raise UNSEEN from None
    except errors.CheckViolation as error:
        raise_unnamed(error)
        raise Refused(
            403, "You checked it already. The second one to check it is another person.", "self"
        ) from None
    if not done:
        raise Refused(409, "There is nothing to check any more.", "over")
    if case.first_by and case.kind == "law" and not case.is_secret:
        await tell(inst, case)


def raise_unnamed(error: errors.CheckViolation) -> None:
    """Raises the sentence for a case that names files and does not say which, if this is what the database refused."""
    if error.diag.constraint_name == "legal_case_files_named":
        raise UNNAMED from None


async def decline(inst: Installation, by: UUID, case: Case) -> None:
    """Nothing is released."""
    [[done]] = await ask_as_operator(inst, case.account_id, "select desk.decline_case(%s, %s)", [case.id, by])
    if not done:
        raise Refused(409, "It is decided already.", "over")


async def tell(inst: Installation, case: Case) -> bool:
    """Tells the account's owners, once; nothing while an order forbids it. The letter leaves before it is marked; whether it is.
    Where no server was reached, the clock tries again.
    """
    if case.is_secret or case.told_at or not await told.by_letter(inst, case.account_id, _letter(case)):
        return False
    await ask_as_operator(inst, case.account_id, "select desk.mark_told(%s)", [case.id])
    return True


def _letter(case: Case) -> str:
    what = "\n".join(
        f"- {KINDS[one]}" + (f": {case.file_count} in all" if one == "files" else "") for one in case.kinds
    )
    time = (
        f"\nFrom {case.from_at:%d %B %Y} until {case.to_at:%d %B %Y}." if case.from_at and case.to_at else ""
    )
    first = (
        "It was released."
        if case.released_at
        else "It was checked by two people and is about to be released."
    )
    if case.declined_at:
        first = "Nothing was released."
    words = case.words
    return (
        f"{INSTRUMENTS[case.instrument]} asks for data of your account. {first}\n\n"
        f"Reference: {words.reference}\nBy: {words.issuer}\nReceiver: {words.recipient}\nGround: {words.why}\n\nIt names:\n{what}{time}\n\n"
    )


async def review(inst: Installation, by: UUID, case: Case, finding: str) -> None:
    """Somebody else looks at what was released in an emergency. Raises a sentence for the one who released it."""
    if finding not in ("right", "wrong"):
        raise bad_request("Was it right, or wrong?", "finding")
    ask = "select desk.review_case(%s, %s, %s)"
    try:
        [[done]] = await ask_as_operator(inst, case.account_id, ask, [case.id, by, finding])
    except errors.CheckViolation:
        raise Refused(403, "You released it yourself. Another person has to review it.", "self") from None
    if not done:
        raise Refused(409, "There is nothing to review.", "over")


async def read_cases(inst: Installation) -> list[Case]:
    """Every case, for the console; the newest first."""
    rows = await ask_as_operator(inst, None, f"select {_COLUMNS} from desk.cases()")
    return [await _opened(inst, row) for row in rows]


async def read_case(inst: Installation, case_id: UUID) -> Case:
    """One case. Raises a sentence where there is none."""
    for one in await read_cases(inst):
        if one.id == case_id:
            return one
    raise bad_request("There is no such case.", "case")


async def read_of_account(inst: Installation, by: Staff) -> list[Case]:
    """What an account may know of its cases; who is kept out of a channel, of none about customers. Raises not-permitted."""
    by.need("ledger")
    [rows] = await inst.db.run(by.account_id, (f"select {_COLUMNS} from desk.cases_of_account()", []))
    found = [await _opened(inst, row) for row in rows]
    return [one for one in found if not by.kept_out or not set(one.kinds) & set(CONTENT)]


async def _opened(inst: Installation, row: tuple[Any, ...]) -> Case:
    case_id, account_id, kind, instrument, sealed, *rest = row
    try:
        key = await inst.vault.account_key(account_id)
    except Erased:
        return Case(case_id, account_id, kind, instrument, NO_WORDS, *rest)
    plain = key.open(sealed, account_id, "legal_case", "words", case_id)
    return Case(case_id, account_id, kind, instrument, msgspec.json.decode(plain, type=Words), *rest)
