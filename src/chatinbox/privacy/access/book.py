"""The book of who looked: how what was looked at comes into the chain, and what stands beside each of its rows."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Tx
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.chain import NONCE_BYTES, Row, Subject, commit
from chatinbox.privacy.chain.book import Book, Linked, Verdict
from chatinbox.privacy.chain.link import AT_ONCE, add, columns

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


_ROWS = (
    "select a.number, a.id, a.at, a.staff_user_id, a.grant_id, a.deed, a.commitment, a.hash_before,"
    " s.id, s.nonce, s.customer_id, s.conversation_id, s.subject_id, s.row_count, s.erased_at"
    " from access a left join access_subject s on s.account_id = a.account_id and s.id = a.id"
    " where a.account_id = %s and a.number > %s order by a.number limit %s"
)


class Access(Book):
    """Who looked. Everything but whom a row was about stands in the chain itself."""

    name, words, purpose, lock = "access", "who looked", "head of an access ledger", 38
    rows, waiting, heads, columns = "access", "access_waiting", "access_head", COLUMNS
    add, whole = _ADD, _ROWS

    def read(self, row: Sequence[Any]) -> Row:
        """A row."""
        return Row(*row)

    async def take(self, inst: Installation, tx: Tx) -> int:
        """Rows as they were waiting, the oldest first."""
        account_id = tx.account_id
        taken = sorted(await tx.all(_TAKE, [account_id, account_id, AT_ONCE]), key=lambda row: row[0])
        if not taken:
            return 0
        alive = await _alive(tx, {row[5] for row in taken if row[5]})
        rows: list[tuple[Any, ...]] = []
        subjects: list[tuple[Any, ...]] = []
        at = now()
        for row_id, when, staff_user_id, grant_id, deed, *whom in taken:
            nonce, subject = secrets.token_bytes(NONCE_BYTES), Subject(*whom)
            rows.append((row_id, when, staff_user_id, grant_id, deed, commit(nonce, subject)))
            subjects.append(_kept(row_id, nonce, subject, alive, at))
        await add(tx, self, rows)
        await tx.execute(_ADD_SUBJECTS, [account_id, *columns(subjects)])
        return len(rows)

    def look(self, account_id: UUID, row: Linked, beside: Sequence[Any], found: Verdict) -> None:
        """Whom it was about, against the commitment."""
        assert isinstance(row, Row)
        found.rows += 1
        row_id, nonce, customer_id, conversation_id, subject_id, row_count, erased_at = beside
        if row_id is None:
            found.faults.append(f"of row {row.number} it was taken out whom it was about")
        elif erased_at:
            found.erased += 1
        elif commit(nonce, Subject(customer_id, conversation_id, subject_id, row_count)) != row.commitment:
            found.faults.append(f"of row {row.number} it was changed whom it was about")


ACCESS = Access()


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
