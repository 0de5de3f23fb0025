"""Channels: the configured ways in and out. Settings are sealed under the account's key; each kind knows its own."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import TupleRow

from chatinbox.core.clock import now
from chatinbox.core.db import Statement, Tx
from chatinbox.core.errors import not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey


class Channel(msgspec.Struct):
    """A channel as staff see it. `address` is where it is reached: an e-mail address, or the chat's public key."""

    id: UUID
    kind: str
    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A channel as its kind's room keeps it."""

    id: UUID
    kind: str
    name: str
    settings: dict[str, Any]


class _Taken(Exception):
    """Takes back what was begun."""


_STORED = (
    "select id, kind, name_sealed, settings_sealed from channel where account_id = %s and closed_at is null"
)


async def create_channel(
    inst: Installation,
    account_id: UUID,
    kind: str,
    name: str,
    settings: dict[str, Any],
    found: Callable[[UUID], Statement],
) -> UUID | None:
    """Makes a channel that the directory finds by the statement of the kind's room, both or neither; its id. None where that
    answers false: the way in is another channel's.
    """
    channel_id = new_id()
    key = await inst.vault.account_key(account_id)
    with contextlib.suppress(_Taken):
        async with inst.db.account(account_id) as tx:
            await tx.execute(
                "insert into channel (account_id, id, kind, name_sealed, settings_sealed, created_at) values (%s, %s, %s, %s, %s, %s)",
                [
                    account_id,
                    channel_id,
                    kind,
                    key.seal(name, account_id, "channel", "name", channel_id),
                    key.seal(msgspec.json.encode(settings), account_id, "channel", "settings", channel_id),
                    now(),
                ],
            )
            if await tx.one(*found(channel_id)) == (False,):
                raise _Taken
        return channel_id
    return None


async def read_settings(
    inst: Installation, account_id: UUID, channel_id: UUID
) -> tuple[str, dict[str, Any]] | None:
    """A channel's name and settings, or None when it is not this account's or is closed."""
    ask = f"{_STORED} and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, channel_id]))
    if not rows:
        return None
    stored = _opened(await inst.vault.account_key(account_id), account_id, rows[0])
    return stored.name, stored.settings


async def read_stored(inst: Installation, account_id: UUID) -> list[Stored]:
    """The account's open channels with their settings, the oldest first."""
    [rows] = await inst.db.run(account_id, (f"{_STORED} order by created_at, id", [account_id]))
    key = await inst.vault.account_key(account_id)
    return [_opened(key, account_id, row) for row in rows]


async def read_channels(inst: Installation, account_id: UUID) -> list[Channel]:
    """The account's open channels, the oldest first."""
    return [
        Channel(one.id, one.kind, one.name, one.settings.get("address") or one.settings.get("key"))
        for one in await read_stored(inst, account_id)
    ]


async def settings_in(tx: Tx, key: SealKey, channel_id: UUID, kind: str) -> Stored:
    """A channel within a transaction, and nobody changes it before that ends. Raises not-found for another kind, too."""
    row = await tx.one(f"{_STORED} and id = %s and kind = %s for update", [tx.account_id, channel_id, kind])
    if row is None:
        raise not_found()
    return _opened(key, tx.account_id, row)


async def keep_settings(tx: Tx, key: SealKey, channel_id: UUID, settings: dict[str, Any]) -> None:
    """Puts a channel's settings in the place of those it had."""
    sealed = key.seal(msgspec.json.encode(settings), tx.account_id, "channel", "settings", channel_id)
    await tx.execute(
        "update channel set settings_sealed = %s where account_id = %s and id = %s",
        [sealed, tx.account_id, channel_id],
    )


def _opened(key: SealKey, account_id: UUID, row: TupleRow) -> Stored:
    channel_id, kind, name, settings = row
    return Stored(
        channel_id,
        kind,
        key.open_text(name, account_id, "channel", "name", channel_id),
        msgspec.json.decode(key.open(settings, account_id, "channel", "settings", channel_id)),
    )
