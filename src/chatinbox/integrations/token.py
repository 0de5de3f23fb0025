"""The token by which a program brings customers: shown once, kept as a keyed hash, good for one connection."""

import secrets
from typing import NamedTuple
from uuid import UUID

from chatinbox.core.installation import Installation


class Whose(NamedTuple):
    """Which connection of which account a token is of."""

    account_id: UUID
    connection_id: UUID


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("connection-token", token)


async def make_token(inst: Installation, whose: Whose) -> str:
    """A new token; nobody can read it again."""
    token = f"connect_{secrets.token_urlsafe(32)}"
    await inst.db.directory("select directory.add_connection_token(%s, %s, %s)", [_hash(inst, token), *whose])
    return token


async def find_token(inst: Installation, token: str) -> Whose | None:
    """Whose token this is, or None when it is none, or has ended."""
    rows = await inst.db.directory("select * from directory.find_connection_token(%s)", [_hash(inst, token)])
    return Whose(*rows[0]) if rows else None


async def end_token(inst: Installation, whose: Whose) -> None:
    """Ends a connection's token."""
    await inst.db.directory("select directory.end_connection_token(%s, %s)", [*whose])
