"""The one function by which somebody of the operator reads anything of an account (C40).

First the look is written down, row by row and by id, and committed: the account sees it from that moment. Then the rows are
read by a role that the database shows nothing but these rows, and the vault lends the one key that opens them, once the
database says that the grant is live still. Owners hear of it when that is over: rows stay open no longer than reading takes,
however slow a mail server is.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from chatinbox.core.errors import Refused
from chatinbox.core.glass import as_operator, ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, NotLent, SealKey
from chatinbox.privacy.data_map import Sealing
from chatinbox.privacy.glass import tell
from chatinbox.privacy.glass.refuse import refused
from chatinbox.privacy.opening import open_row

log = structlog.get_logger()
NO_GRANT = Refused(403, "No live grant covers this, so nothing was opened.", "no_grant")
UNEVEN = Refused(409, "What was there to read is not what was written down, so nothing is shown.", "uneven")
TABLES: dict[str, tuple[str, ...]] = {
    "conversation": ("conversation", "message", "note", "attachment"),
    "file": ("attachment",),
    "list": ("attachment",),
    "customer": ("customer", "address", "conversation"),
    "settings": ("channel",),
    "account": ("account",),
    "billing": ("billing", "invoice"),
    "staff": ("staff_user",),
}
"""Which tables a look at each thing reads, of each the rows that it names."""
_ORDER = {"message": "position", "note": "position", "conversation": "number", "attachment": "id"}
_PART = {
    "attachment": "(select account_id, id, conversation_id, message_id, note_id, name_sealed, type, size, created_at"
    " from tenant.attachment)"
}
"""What is read of a table's rows where it is not all of them."""

Seen = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at: rows by table, opened as the data map describes them."""

    id: UUID
    seen: Seen


async def look(
    inst: Installation, by: UUID, account_id: UUID, grant_id: UUID, what: str, thing: UUID | None = None
) -> Look:
    """Reads one thing under a grant. Raises 403 where none covers it now, 409 where something of it is gone meanwhile."""
    look_id, row_count = await write_down(inst, by, account_id, grant_id, what, thing)
    try:
        await tell.note(inst, account_id, look_id, what, thing)
        async with as_operator(inst, account_id, look_id) as conn:
            seen = {name: await read_rows(inst, conn, account_id, name) for name in TABLES[what]}
    except NotLent:
        log.error("operator_key_refused", account_id=str(account_id), person_id=str(by))
        await refused(inst, account_id, grant_id, by)
        raise NO_GRANT from None
    finally:
        await tell.looked(inst, account_id, look_id)
    if sum(len(rows) for rows in seen.values()) != row_count:
        log.error("operator_look_uneven", account_id=str(account_id), person_id=str(by), look_id=str(look_id))
        raise UNEVEN
    return Look(look_id, seen)


async def write_down(
    inst: Installation, by: UUID, account_id: UUID, grant_id: UUID, what: str, thing: UUID | None
) -> tuple[UUID, int]:
    """Writes down, before anything is read, each row that is about to be; the look's id, and how many. Raises 403."""
    look_id = new_id()
    asked = [look_id, grant_id, what, thing, by]
    try:
        [[row_count]] = await ask_as_operator(inst, account_id, "select desk.look(%s, %s, %s, %s, %s)", asked)
    except errors.InsufficientPrivilege:
        log.error("operator_look_refused", account_id=str(account_id), person_id=str(by))
        await refused(inst, account_id, grant_id, by)
        raise NO_GRANT from None
    return look_id, row_count


async def read_rows(
    inst: Installation, conn: AsyncConnection[TupleRow], account_id: UUID, name: str
) -> list[dict[str, Any]]:
    """The rows of a table that the look of this transaction names, opened. Raises NotLent."""
    order = f" order by t.{_ORDER[name]}" if name in _ORDER else ""
    text = f"select to_jsonb(t) from {_PART.get(name, f'tenant.{name}')} t where account_id = %s{order}"
    rows = [row[0] for row in await (await conn.execute(text.encode(), [account_id])).fetchall()]
    return [open_row(f"tenant.{name}", row, await lent(inst, conn, account_id, name, row)) for row in rows]


async def lent(
    inst: Installation, conn: AsyncConnection[TupleRow], account_id: UUID, name: str, row: dict[str, Any]
) -> dict[Sealing, SealKey | None]:
    """The key that opens a row, once the database says so; none where it is destroyed. Raises NotLent."""

    async def covers(kind: str, subject: UUID) -> bool:
        found = await (await conn.execute("select desk.lends(%s, %s)", [kind, subject])).fetchone()
        return bool(found and found[0])

    kind, subject = await _whose(conn, account_id, name, row)
    try:
        return {kind: await inst.vault.lend(kind, account_id, subject, covers)}
    except Erased:
        return {}


async def _whose(
    conn: AsyncConnection[TupleRow], account_id: UUID, name: str, row: dict[str, Any]
) -> tuple[Any, UUID]:
    """Whose key opens a row."""
    if name in ("channel", "account", "billing", "invoice"):
        return "account", account_id
    if name == "staff_user":
        return "person", UUID(row["person_id"])
    if name in ("message", "note", "attachment"):
        found = await (await conn.execute("select desk.whose()")).fetchone()
        assert found
        return "customer", found[0]
    return "customer", UUID(row["id"] if name == "customer" else row["customer_id"])
