"""The operator's way to an account: a connection of its own role, which reads the rows that a look names and nothing else.

Opened for one act and closed after it: the program's own connections cannot do what this one can, nor the other way about.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from chatinbox.core import purpose
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import operator_dsn
from chatinbox.core.statement import Params, Rows


@asynccontextmanager
async def as_operator(
    inst: Installation, account_id: UUID | None, look_id: UUID | None = None
) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """A transaction as the operator's role; commits when the block ends well. With a look, its rows can be read."""
    dsn = operator_dsn(inst.db.dsn, inst.vault)
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn, conn.transaction():
        if account_id is not None:
            await conn.execute(f"set local app.context = '{inst.vault.context(account_id)}'".encode())
        if look_id is not None:
            await conn.execute(f"set local app.look = '{look_id}'".encode())
        yield conn


async def ask_as_operator(
    inst: Installation, account_id: UUID | None, text: str, params: Params = ()
) -> Rows:
    """One statement in a transaction of its own; work may send it if its purpose allows that."""
    purpose.look(text)
    async with as_operator(inst, account_id) as conn:
        return await (await conn.execute(text.encode(), params)).fetchall()
