"""Verify: goes along an account's whole chain and compares it with what was signed. Finds a row that was changed, taken out,
put in or moved, an end that was cut off, and an older copy in place of this one; an erasure is none of these (clause C52).
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.core.installation import Installation
from chatinbox.privacy.chain.book import NOTHING, Book, Linked, Verdict, follow
from chatinbox.privacy.chain.heads import Head, is_ours
from chatinbox.privacy.chain.link import link

PAGE = 1000
Signed = tuple[Head, bytes]


async def verify(inst: Installation, book: Book, account_id: UUID, given: Sequence[Signed] = ()) -> Verdict:
    """Verifies one of an account's ledgers, also against heads of it that were kept elsewhere."""
    await link(inst, book, account_id)
    found = Verdict()
    heads = await _heads(inst, book, account_id, given, found)
    wanted = {head.number: head for head in heads if head.kind == "head"}
    number, before = _start(heads)
    head = wanted.pop(number, None)  # one that was kept since before everything up to it was let go
    if head and head.hash != before:
        found.faults.append(f"what was let go does not lead to what was signed {_day(head.at)}")
    async for page in _pages(inst, book, account_id):
        for row, beside in page:
            found.first = found.first or row.number
            number, before, fault = follow(account_id, [row], number, before)
            if fault:
                found.faults.append(fault)
                number, before = row.number, row.hashed(account_id)  # go on from here: there may be more
            book.look(account_id, row, beside, found)
            head = wanted.pop(row.number, None)
            if head and head.hash != before:
                found.faults.append(f"row {row.number} is not the one that was signed {_day(head.at)}")
    found.last, found.hash = number, before
    for head in wanted.values():
        if head.number > number:
            found.faults.append(
                f"the end is missing: {_day(head.at)} there were {head.number} rows, and the last one is {number} now;"
                " it was cut off, or an older copy was put back"
            )
    await book.look_beside(inst, account_id, found)
    return found


async def _heads(
    inst: Installation, book: Book, account_id: UUID, given: Sequence[Signed], found: Verdict
) -> list[Head]:
    """Every head that is ours; what is not is a fault. Of two that tell of one number, both are looked at."""
    ask = f"select kind, number, hash, at, signature from {book.heads} where account_id = %s order by number"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    known: list[Signed] = [
        (Head(kind, number, bytes(hash_), at), bytes(s)) for kind, number, hash_, at, s in rows
    ]
    heads: dict[tuple[str, int], Head] = {}
    for head, signed in [*known, *given]:
        found.heads += 1
        if not is_ours(inst.vault, book, account_id, head, signed):
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


async def _pages(
    inst: Installation, book: Book, account_id: UUID
) -> AsyncIterator[list[tuple[Linked, tuple[Any, ...]]]]:
    last, width = 0, book.columns.count(",") + 1
    while True:
        [rows] = await inst.db.run(account_id, (book.whole, [account_id, last, PAGE]))
        if rows:
            page = [(book.read(row[:width]), row[width:]) for row in rows]
            yield page
            last = page[-1][0].number
        if len(rows) < PAGE:
            return


def _day(at: datetime) -> str:
    return f"on {at:%-d %B %Y at %H:%M} UTC"
