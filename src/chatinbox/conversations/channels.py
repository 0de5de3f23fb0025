"""Channels: the configured ways in and out. Settings are sealed under the account's key; each kind knows its own."""

from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


class Channel(msgspec.Struct):
    """A channel as staff see it. `address` is where it is reached: an e-mail address, or the chat's public key."""

    id: UUID
    kind: str
    name: str
    address: str | None


async def create_channel(
    inst: Installation, account_id: UUID, kind: str, name: str, settings: dict[str, Any]
) -> UUID:
    """Makes a channel; its id. The kind's room makes it findable in the directory."""
    channel_id = new_id()
    key = await inst.vault.account_key(account_id)
    await inst.db.run(
        account_id,
        (
            "insert into channel (account_id, id, kind, name_sealed, settings_sealed, created_at) values (%s, %s, %s, %s, %s, %s)",
            [
                account_id,
                channel_id,
                kind,
                key.seal(name, account_id, "channel", "name", channel_id),
                key.seal(msgspec.json.encode(settings), account_id, "channel", "settings", channel_id),
                now(),
            ],
        ),
    )
    return channel_id


async def read_settings(
    inst: Installation, account_id: UUID, channel_id: UUID
) -> tuple[str, dict[str, Any]] | None:
    """A channel's name and settings, or None when it is not this account's or is closed."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select name_sealed, settings_sealed from channel where account_id = %s and id = %s and closed_at is null",
            [account_id, channel_id],
        ),
    )
    if not rows:
        return None
    key = await inst.vault.account_key(account_id)
    name = key.open_text(rows[0][0], account_id, "channel", "name", channel_id)
    return name, msgspec.json.decode(key.open(rows[0][1], account_id, "channel", "settings", channel_id))


async def read_channels(inst: Installation, account_id: UUID) -> list[Channel]:
    """The account's open channels, the oldest first."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select id, kind, name_sealed, settings_sealed from channel where account_id = %s and closed_at is null"
            " order by created_at, id",
            [account_id],
        ),
    )
    key = await inst.vault.account_key(account_id)
    found = []
    for channel_id, kind, name, sealed in rows:
        settings = msgspec.json.decode(key.open(sealed, account_id, "channel", "settings", channel_id))
        called = key.open_text(name, account_id, "channel", "name", channel_id)
        found.append(Channel(channel_id, kind, called, settings.get("address") or settings.get("key")))
    return found
