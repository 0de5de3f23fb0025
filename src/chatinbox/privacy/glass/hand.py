"""Handing one file out under a look of its own: once, within a minute of it, and no piece of it after its grant is over (C40)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog

from chatinbox.core.errors import Refused
from chatinbox.core.glass import as_operator, ask_as_operator
from chatinbox.core.installation import Installation
from chatinbox.core.vault import NotLent, SealKey
from chatinbox.privacy.glass.look import NO_GRANT, lent, read_rows
from chatinbox.privacy.glass.refuse import refused

log = structlog.get_logger()
GONE = Refused(409, "This file is gone, so nothing was handed out.", "gone")


@dataclass(frozen=True, slots=True)
class File:
    """A file that is being handed out: its line, and its bytes as they are read."""

    id: UUID
    name: str
    type: str
    size: int
    came_at: str
    pieces: AsyncIterator[bytes]


async def hand_out(inst: Installation, account_id: UUID, look_id: UUID) -> File:
    """The file that a look names. Raises 403 for one handed out already or that nothing covers now, 409 for one that is gone."""
    try:
        async with as_operator(inst, account_id, look_id) as conn:
            found = await (await conn.execute("select desk.hand_out()")).fetchone()
            if not found or not found[0]:
                raise NO_GRANT
            rows = await read_rows(inst, conn, account_id, "attachment")
            key = (
                (await lent(inst, conn, account_id, "attachment", rows[0])).get("customer") if rows else None
            )
            if key is None or not inst.files.path(account_id, UUID(rows[0]["id"])).exists():
                raise GONE
    except NotLent:
        log.error("operator_key_refused", account_id=str(account_id))
        await refused(inst, account_id, *await _of_look(inst, account_id, look_id))
        raise NO_GRANT from None
    [row] = rows
    file_id = UUID(row["id"])
    pieces = _pieces(inst, account_id, look_id, key, file_id)
    return File(file_id, row["name"], row["type"], row["size"], row["created_at"], pieces)


async def _of_look(inst: Installation, account_id: UUID, look_id: UUID) -> tuple[UUID, UUID]:
    """The grant of a look, and whose it is."""
    [[grant_id, person_id]] = await ask_as_operator(
        inst, account_id, "select * from desk.of_look(%s)", [look_id]
    )
    return grant_id, person_id


async def _pieces(
    inst: Installation, account_id: UUID, look_id: UUID, key: SealKey, file_id: UUID
) -> AsyncIterator[bytes]:
    async for piece in inst.files.stream(key, account_id, file_id):
        [[goes_on]] = await ask_as_operator(inst, account_id, "select desk.goes_on(%s)", [look_id])
        if not goes_on:
            log.error("operator_file_cut_off", account_id=str(account_id), look_id=str(look_id))
            raise NO_GRANT
        yield piece
