"""Verify: goes along an account's whole chain and compares it with what was signed. Finds a row that was changed, taken out or
moved, an end that was cut off, and an older copy in place of this one; an erasure is none of these (clause C52).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.core.installation import Installation
from chatinbox.privacy.access.chain import NOTHING, Row, Subject, commit, follow, hash_of
from chatinbox.privacy.access.heads import Head, is_ours
from chatinbox.privacy.access.link import link

PAGE = 1000
Signed = tuple[Head, bytes]
_ROWS = (
    "select a.number, a.id, a.at, a.staff_user_id, a.grant_id, a.deed, a.commitment, a.hash_before,"
    " s.id, s.nonce, s.customer_id, s.conversation_id, s.subject_id, s.row_count, s.erased_at"
    " from access a left join access_subject s on s.account_id = a.account_id and s.id = a.id"
    " where a.account_id = %s and a.number > %s order by a.number limit %s"
)


@dataclass(slots=True)
class Verdict:
    """What was found. `erased`: rows whose subject was taken away by an erasure. No fault: the chain is whole."""

    first: int = 0
    last: int = 0
    hash: bytes = NOTHING
    rows: int = 0
    erased: int = 0
    heads: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


async def verify(inst: Installation, account_id: UUID, given: Sequence[Signed] = ()) -> Verdict:
    """Verifies an account's ledger, also against heads that were kept elsewhere."""
    await link(inst, account_id)
    found = Verdict()
    heads = await _heads(inst, account_id, given, found)
    wanted = {head.number: head for head in heads if head.kind == "head"}
    number, before = _start(heads)
    head = wanted.pop(number, None)  # one that was kept since before everything up to it was let go
    if head and head.hash != before:
        found.faults.append(f"what was let go does not lead to what was signed {_day(head.at)}")
    async for page in _pages(inst, account_id):
        for row, subject in page:
            found.first = found.first or row.number
            number, before, fault = follow(account_id, [row], number, before)
            if fault:
                found.faults.append(fault)
                number, before = row.number, hash_of(account_id, row)  # go on from here: there may be more
            _look_at_subject(row, subject, found)
            head = wanted.pop(row.number, None)
            if head and head.hash != before:
                found.faults.append(f"row {row.number} is not the one that was signed {_day(head.at)}")
            found.rows += 1
    found.last, found.hash = number, before
    for head in wanted.values():
        if head.number > number:
            found.faults.append(
                f"the end is missing: {_day(head.at)} there were {head.number} rows, and the last one is {number} now"
            )
    return found


async def _heads(inst: Installation, account_id: UUID, given: Sequence[Signed], found: Verdict) -> list[Head]:
    """Every head that is ours; what is not is a fault. Of two that tell of one number, both are looked at."""
    ask = "select kind, number, hash, at, signature from access_head where account_id = %s order by number"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    known: list[Signed] = [
        (Head(kind, number, bytes(hash_), at), bytes(s)) for kind, number, hash_, at, s in rows
    ]
    heads: dict[tuple[str, int], Head] = {}
    for head, signed in [*known, *given]:
        found.heads += 1
        if not is_ours(inst.vault, account_id, head, signed):
            found.faults.append(
                f"the head of {_day(head.at)} about row {head.number} was not signed here for this account"
            )
            continue
        other = heads.setdefault((head.kind, head.number), head)
        if other.hash != head.hash:
            found.faults.append(
                f"two signed heads tell of different rows {head.number}: an older copy was put in place"
            )
    return list(heads.values())


def _start(heads: Sequence[Head]) -> tuple[int, bytes]:
    cuts = [head for head in heads if head.kind == "cut"]
    last = max(cuts, key=lambda head: head.number, default=None)
    return (last.number, last.hash) if last else (0, NOTHING)


def _look_at_subject(row: Row, subject: Sequence[Any], found: Verdict) -> None:
    row_id, nonce, customer_id, conversation_id, subject_id, row_count, erased_at = subject
    if row_id is None:
        found.faults.append(f"of row {row.number} it was taken out whom it was about")
    elif erased_at:
        found.erased += 1
    elif commit(nonce, Subject(customer_id, conversation_id, subject_id, row_count)) != row.commitment:
        found.faults.append(f"of row {row.number} it was changed whom it was about")


async def _pages(inst: Installation, account_id: UUID) -> AsyncIterator[list[tuple[Row, tuple[Any, ...]]]]:
    last = 0
    while True:
        [rows] = await inst.db.run(account_id, (_ROWS, [account_id, last, PAGE]))
        if rows:
            yield [(Row(*row[:8]), row[8:]) for row in rows]
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _day(at: datetime) -> str:
    return f"on {at:%-d %B %Y at %H:%M} UTC"
