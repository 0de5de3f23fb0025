"""What a provider said counts once: keyed hashes of the ids of assertions and requests, until they expire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from chatinbox.accounts.sso.connection import Connection
from chatinbox.accounts.sso.oidc import SKEW_SECONDS
from chatinbox.accounts.sso.saml_xml import failed
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


@asynccontextmanager
async def once(inst: Installation, connection: Connection, said: str, until: datetime) -> AsyncIterator[None]:
    """Around what is done because of it. Raises as `use_up`, before it is done; used up it is behind that: after a fault on our
    side the provider can say it again.
    """
    ask = "select id from sso_said where account_id = %s and said_blind = %s"
    account_id = connection.account_id
    [rows] = await inst.db.run(account_id, (ask, [account_id, await _blind(inst, connection, said)]))
    if rows or not said:
        raise failed("sso_replayed")
    yield
    await use_up(inst, connection, said, until)


async def use_up(inst: Installation, connection: Connection, said: str, until: datetime) -> None:
    """Raises when this connection's provider said it before, or when it has no id."""
    account_id = connection.account_id
    blind = await _blind(inst, connection, said)
    [_, rows] = await inst.db.run(
        account_id,
        ("delete from sso_said where account_id = %s and expires_at < %s", [account_id, now()]),
        (
            "insert into sso_said (account_id, id, said_blind, expires_at) values (%s, %s, %s, %s)"
            " on conflict do nothing returning id",
            [account_id, new_id(), blind, until + timedelta(seconds=2 * SKEW_SECONDS)],
        ),
    )
    if not rows or not said:
        raise failed("sso_replayed")


async def _blind(inst: Installation, connection: Connection, said: str) -> bytes:
    return await inst.vault.blind(connection.account_id, f"sso-said {connection.id}", said)
