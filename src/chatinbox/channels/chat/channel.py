"""A chat channel: made with a public key, found by it, with the look its settings give it."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import Workspace, read_workspace
from chatinbox.channels.chat.look import Look, read_look
from chatinbox.conversations.channels import create_channel, read_settings, read_stored
from chatinbox.conversations.collection import read_takes
from chatinbox.core.db import Statement
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation

KEEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Channel:
    """One chat channel of an account. `key` is public: it stands in the business's pages."""

    account_id: UUID
    id: UUID
    key: str
    look: Look
    workspace: Workspace
    takes: frozenset[str] = frozenset()


_found: OrderedDict[tuple[int, str], tuple[float, Channel]] = OrderedDict()


async def find_channel(inst: Installation, key: str) -> Channel:
    """The open channel with this key; raises the one not-found answer. Remembered for half a minute."""
    kept = _found.get((id(inst), key))
    if kept and kept[0] > time.monotonic():
        return kept[1]
    channel = await _read(inst, key)
    _found[id(inst), key] = (time.monotonic() + KEEP_SECONDS, channel)
    if len(_found) > 10_000:
        _found.popitem(last=False)
    return channel


def look_again(key: str) -> None:
    """What is remembered of the channel with this key is read anew; other processes do within half a minute."""
    for known in [known for known in _found if known[1] == key]:
        del _found[known]


async def read_looks(inst: Installation, by: Staff) -> dict[UUID, Look]:
    """How the account's open chats present themselves."""
    stored = await read_stored(inst, by.account_id)
    return {one.id: read_look(one.settings, one.name) for one in stored if one.kind == "chat"}


async def _read(inst: Installation, key: str) -> Channel:
    if not (0 < len(key) <= 64 and key.isascii() and key.isprintable()):
        raise not_found()
    ids = await inst.db.directory("select * from directory.find_chat_key(%s)", [key])
    if not ids:
        raise not_found()
    account_id, channel_id = ids[0]
    stored = await read_settings(inst, account_id, channel_id)
    if stored is None:
        raise not_found()
    name, settings = stored
    workspace, takes = await read_workspace(inst, account_id), await read_takes(inst, account_id, channel_id)
    return Channel(account_id, channel_id, key, read_look(settings, name), workspace, takes)


async def open_channel(
    inst: Installation, account_id: UUID, name: str, settings: dict[str, Any]
) -> tuple[UUID, str]:
    """Makes a chat channel; its id and its public key. `settings` are the fields of `Look`; `name` is its title."""
    key = secrets.token_urlsafe(12)

    def found(channel_id: UUID) -> Statement:
        return "select directory.add_chat_key(%s, %s, %s)", [key, account_id, channel_id]

    channel_id = await create_channel(inst, account_id, "chat", name, settings | {"key": key}, found)
    assert channel_id
    return channel_id, key
