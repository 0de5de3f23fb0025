"""A connection: one program, what it receives or brings, who stands for it and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

Direction: TypeAlias = Literal["out", "in"]
State: TypeAlias = Literal["on", "failing", "off", "lapsed", "ended"]
USUAL = timedelta(days=365)
TERMS: dict[str, timedelta] = {"month": timedelta(days=30), "quarter": timedelta(days=90), "year": USUAL}
MOST = 20

_COLUMNS = (
    "id, direction, name_sealed, target_sealed, events, fields, channels, staff_user_id, created_at, expires_at, used_at,"
    " failing_since, lapsed_at, off_at, ended_at"
)


@dataclass(frozen=True, slots=True)
class Connection:
    """One, opened. `target` is where it is reached, of one that receives. `channels` None: all that who stands for it sees."""

    id: UUID
    direction: Direction
    name: str
    target: str | None
    events: list[str]
    fields: list[str]
    channels: list[UUID] | None
    staff_user_id: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    failing_since: datetime | None
    lapsed_at: datetime | None
    off_at: datetime | None
    ended_at: datetime | None

    @property
    def state(self) -> State:
        """How it stands at this moment."""
        if self.ended_at or self.expires_at <= now():
            return "ended"
        if self.lapsed_at:
            return "lapsed"
        return "off" if self.off_at else "failing" if self.failing_since else "on"


async def read_connections(inst: Installation, account_id: UUID) -> list[Connection]:
    """Every one of the account, the newest first; those that ended stay listed a while (`forget`)."""
    ask = f"select {_COLUMNS} from connection where account_id = %s order by ended_at is not null, id desc"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    key = await inst.vault.account_key(account_id)
    return [_opened(key, account_id, *row) for row in rows]


async def read_names(inst: Installation, account_id: UUID) -> dict[str, str]:
    """What the ledger calls each connection, and what the account calls it."""
    return {
        instruction(one.id): f"connected program {one.name}"
        for one in await read_connections(inst, account_id)
    }


def instruction(connection_id: UUID) -> str:
    """What the ledger calls a connection: names are sealed, and a row of the ledger is not."""
    return f"connected program {connection_id}"


async def read_connection(inst: Installation, account_id: UUID, connection_id: UUID) -> Connection:
    """One of the account's. Raises not-found."""
    ask = f"select {_COLUMNS} from connection where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, connection_id]))
    if not rows:
        raise not_found()
    return _opened(await inst.vault.account_key(account_id), account_id, *rows[0])


def _opened(
    key: SealKey,
    account_id: UUID,
    row_id: UUID,
    direction: Direction,
    name: bytes,
    target: bytes | None,
    *rest: Any,
) -> Connection:
    where = key.open_text(target, account_id, "connection", "target", row_id) if target else None
    return Connection(
        row_id, direction, key.open_text(name, account_id, "connection", "name", row_id), where, *rest
    )
