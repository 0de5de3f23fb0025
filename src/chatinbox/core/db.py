"""The account transaction: every read and write of an account's rows happens inside one, under its signed context.

`run` is the hot path: begin, the context, the statements and commit travel in one round trip (pipeline mode).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Self
from uuid import UUID

import msgspec
from psycopg import AsyncConnection, AsyncCursor, Error
from psycopg.errors import InvalidSqlStatementName
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps
from psycopg_pool import AsyncConnectionPool

from chatinbox.core import purpose
from chatinbox.core.statement import Params, Rows, Statement
from chatinbox.core.trip import forget, trip
from chatinbox.core.vault import Vault

__all__ = ["LAZILY", "Database", "Params", "Rows", "Statement", "Tx", "statements"]

statements: ContextVar[list[str] | None] = ContextVar("statements", default=None)
"""Set to a list in tests to see every statement that was sent."""


LAZILY: Statement = ("set local synchronous_commit = off", ())
"""For what is made again from the outbox when it is lost: this commit does not wait for the disk. The log is written in
order, so the outbox row's removal, which comes later, is never kept without it (PostgreSQL, "Asynchronous Commit")."""


def _note(text: str) -> None:
    purpose.look(text)
    seen = statements.get()
    if seen is not None:
        seen.append(text)


async def _end_failed(conn: AsyncConnection[TupleRow]) -> None:
    if not conn.closed and conn.info.transaction_status != TransactionStatus.IDLE:
        await conn.rollback()


async def _rows(cur: AsyncCursor[TupleRow]) -> Rows:
    result = cur.pgresult
    return await cur.fetchall() if result is not None and result.nfields else []


class Tx:
    """An open transaction of one account."""

    __slots__ = ("_conn", "account_id")

    def __init__(self, conn: AsyncConnection[TupleRow], account_id: UUID) -> None:
        self._conn, self.account_id = conn, account_id

    async def execute(self, text: str, params: Params = ()) -> AsyncCursor[TupleRow]:
        """Sends one statement."""
        _note(text)
        return await self._conn.execute(text, params, prepare=True)

    async def one(self, text: str, params: Params = ()) -> TupleRow | None:
        """The first row, or None."""
        return await (await self.execute(text, params)).fetchone()

    async def all(self, text: str, params: Params = ()) -> Rows:
        """Every row."""
        return await (await self.execute(text, params)).fetchall()

    async def many(self, *batch: Statement) -> list[Rows]:
        """Several statements in one round trip; the rows of each."""
        async with self._conn.pipeline():
            cursors = [await self.execute(text, params) for text, params in batch]
        return [await _rows(cur) for cur in cursors]


class Database:
    """The pool of connections as the app role, which owns nothing and bypasses nothing."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], vault: Vault, dsn: str) -> None:
        self._pool, self._vault, self.dsn = pool, vault, dsn

    @classmethod
    async def open(cls, dsn: str, vault: Vault, size: int = 12, least: int = 2) -> Self:
        """Opens the pool; `dsn` names the app role. Few connections stay; under load more come, so that commits share a flush."""
        set_json_dumps(msgspec.json.encode)
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]] = AsyncConnectionPool(
            dsn,
            min_size=least,
            max_size=size,
            open=False,
            kwargs={"autocommit": True},
            name="app",
            timeout=20,
        )
        await pool.open(wait=True, timeout=30)
        return cls(pool, vault, dsn)

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()

    async def refresh(self) -> None:
        """Lets go of connections that are dead, after the database was away."""
        await self._pool.check()

    @asynccontextmanager
    async def account(self, account_id: UUID) -> AsyncIterator[Tx]:
        """A transaction that sees this account's rows only; commits when the block ends well."""
        async with self._pool.connection() as conn:
            async with conn.pipeline():
                await conn.execute("begin")
                await conn.execute(self._context(account_id), prepare=False)
            try:
                yield Tx(conn, account_id)
            except BaseException:
                await conn.rollback()
                raise
            await conn.execute("commit")

    async def run(self, account_id: UUID, *batch: Statement) -> list[Rows]:
        """Statements of one account in one transaction and one round trip; the rows of each."""
        for text, _ in batch:
            _note(text)
        async with self._pool.connection() as conn:
            try:
                return await trip(conn, self._context(account_id), batch)
            except Error as error:
                await _end_failed(conn)
                if not isinstance(error, InvalidSqlStatementName):
                    raise
            forget(conn)
            try:
                return await trip(conn, self._context(account_id), batch)
            except Error:
                await _end_failed(conn)
                raise

    async def directory(self, text: str, params: Params = ()) -> Rows:
        """One statement outside any account: the directory's functions and the outbox are all it can reach."""
        purpose.need_one_for_many(text)
        _note(text)
        async with self._pool.connection() as conn:
            cur = await conn.execute(text, params)
            return await cur.fetchall() if cur.description else []

    @asynccontextmanager
    async def work(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A plain transaction without an account, for the outbox."""
        async with self._pool.connection() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def alone(self, number: int) -> AsyncIterator[AsyncConnection[TupleRow] | None]:
        """A connection without a transaction that holds the installation's lock of this number; None where another
        process holds it. Whoever dies lets go.
        """
        async with self._pool.connection() as conn:
            [[is_ours]] = await (await conn.execute("select pg_try_advisory_lock(%s)", [number])).fetchall()
            try:
                yield conn if is_ours else None
            except BaseException:
                await conn.close()
                raise
            if is_ours:
                await conn.execute("select pg_advisory_unlock(%s)", [number])

    def _context(self, account_id: UUID) -> bytes:
        # Citus forwards SET LOCAL as a statement of its own and nothing else; both parts are ours: hex and digits.
        return b"set local app.context = '%s'" % self._vault.context(account_id).encode()
