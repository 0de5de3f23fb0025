"""Link: takes what was looked at into the chain, once a minute and before anybody reads it; one at a time in an account."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Tx
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.chain import NONCE_BYTES, NOTHING, Row, Subject, commit, hash_of

AT_ONCE = 2000
_LOCK = 38  # with a hash of the account: whose chain grows at this moment

COLUMNS = "number, id, at, staff_user_id, grant_id, deed, commitment, hash_before"
_TAKE = (
    "delete from access_waiting where account_id = %s and id in (select id from access_waiting where account_id = %s"
    " order by id limit %s) returning id, at, staff_user_id, grant_id, deed, customer_id, conversation_id, subject_id, row_count"
)
_ADD = (
    f"insert into access (account_id, {COLUMNS}) select %s, * from unnest(%s::bigint[], %s::uuid[], %s::timestamptz[],"
    " %s::uuid[], %s::uuid[], %s::text[], %s::bytea[], %s::bytea[])"
)
_ADD_SUBJECTS = (
    "insert into access_subject (account_id, id, nonce, customer_id, conversation_id, subject_id, row_count, erased_at)"
    " select %s, * from unnest(%s::uuid[], %s::bytea[], %s::uuid[], %s::uuid[], %s::uuid[], %s::integer[], %s::timestamptz[])"
)


async def link(inst: Installation, account_id: UUID) -> int:
    """Links everything that waits; how many rows."""
    linked = 0
    while True:
        [waits] = await inst.db.run(
            account_id, ("select 1 from access_waiting where account_id = %s limit 1", [account_id])
        )
        if not waits:
            return linked
        async with inst.db.account(account_id) as tx:
            await lock(tx)
            linked += await _link(tx)


async def lock(tx: Tx) -> None:
    """Nobody else changes the account's chain until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(tx.account_id)])


async def end_of(tx: Tx) -> tuple[int, bytes]:
    """The number and the hash of the last row, or what was let go; (0, nothing) before the first."""
    found = await tx.one(
        f"select {COLUMNS} from access where account_id = %s order by number desc limit 1", [tx.account_id]
    )
    if found:
        row = Row(*found)
        return row.number, hash_of(tx.account_id, row)
    cut = await tx.one(
        "select number, hash from access_head where account_id = %s and kind = 'cut' order by number desc limit 1",
        [tx.account_id],
    )
    return (cut[0], bytes(cut[1])) if cut else (0, NOTHING)


async def _link(tx: Tx) -> int:
    account_id = tx.account_id
    taken = sorted(await tx.all(_TAKE, [account_id, account_id, AT_ONCE]), key=lambda row: row[0])
    if not taken:
        return 0
    alive = await _alive(tx, {row[5] for row in taken if row[5]})
    number, before = await end_of(tx)
    rows: list[Row] = []
    subjects: list[tuple[Any, ...]] = []
    at = now()
    for row_id, when, staff_user_id, grant_id, deed, *whom in taken:
        number, nonce, subject = number + 1, secrets.token_bytes(NONCE_BYTES), Subject(*whom)
        row = Row(number, row_id, when, staff_user_id, grant_id, deed, commit(nonce, subject), before)
        before = hash_of(account_id, row)
        rows.append(row)
        subjects.append(_kept(row_id, nonce, subject, alive, at))
    await tx.execute(_ADD, [account_id, *_columns([_values(row) for row in rows])])
    await tx.execute(_ADD_SUBJECTS, [account_id, *_columns(subjects)])
    return len(rows)


async def _alive(tx: Tx, customers: set[UUID]) -> set[UUID]:
    """Which of them were not erased meanwhile; nobody is until this transaction ends."""
    ask = "select id from customer where account_id = %s and id = any(%s) for key share"
    return {row[0] for row in await tx.all(ask, [tx.account_id, list(customers)])} if customers else set()


def _kept(row_id: UUID, nonce: bytes, subject: Subject, alive: set[UUID], at: datetime) -> tuple[Any, ...]:
    """The row beside the chain. Of a customer who was erased before it was written, nothing is."""
    if subject.customer_id and subject.customer_id not in alive:
        return (row_id, None, None, None, None, None, at)
    whom = (subject.customer_id, subject.conversation_id, subject.subject_id, subject.row_count)
    return (row_id, nonce, *whom, None)


def _values(row: Row) -> tuple[Any, ...]:
    return (
        row.number, row.id, row.at, row.staff_user_id, row.grant_id, row.deed, row.commitment, row.hash_before,
    )  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
