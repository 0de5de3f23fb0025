"""Link: takes what waits into a chain, once a minute and before anybody reads it; one at a time in an account."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chatinbox.core.db import Tx
from chatinbox.core.installation import Installation
from chatinbox.privacy.chain.book import NOTHING, Book

AT_ONCE = 2000


async def link(inst: Installation, book: Book, account_id: UUID) -> int:
    """Links everything that waits; how many rows."""
    linked = 0
    while True:
        [waits] = await inst.db.run(
            account_id, (f"select 1 from {book.waiting} where account_id = %s limit 1", [account_id])
        )
        if not waits:
            return linked
        async with inst.db.account(account_id) as tx:
            await lock(tx, book)
            taken = await book.take(inst, tx)
        if not taken:  # somebody else took it meanwhile
            return linked
        linked += taken


async def lock(tx: Tx, book: Book) -> None:
    """Nobody else changes the account's chain until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [book.lock, str(tx.account_id)])


async def end_of(tx: Tx, book: Book) -> tuple[int, bytes]:
    """The number and the hash of the last row, or what was let go; (0, nothing) before the first."""
    found = await tx.one(
        f"select {book.columns} from {book.rows} where account_id = %s order by number desc limit 1",
        [tx.account_id],
    )
    if found:
        row = book.read(found)
        return row.number, row.hashed(tx.account_id)
    cut = await tx.one(
        f"select number, hash from {book.heads} where account_id = %s and kind = 'cut' order by number desc limit 1",
        [tx.account_id],
    )
    return (cut[0], bytes(cut[1])) if cut else (0, NOTHING)


async def add(tx: Tx, book: Book, told: Iterable[Sequence[Any]]) -> None:
    """Puts rows at the end of the account's chain, in this order: of each, what stands between its number and the hash before."""
    number, before = await end_of(tx, book)
    rows: list[tuple[Any, ...]] = []
    for one in told:
        number += 1
        rows.append((number, *one, before))
        before = book.read(rows[-1]).hashed(tx.account_id)
    await tx.execute(book.add, [tx.account_id, *columns(rows)])


def columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as columns, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]
