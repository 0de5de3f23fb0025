"""The workspace: an account's settings, sealed under its key, each change noted in the change log."""

from typing import Any, Literal
from uuid import UUID

import msgspec

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey


class Workspace(msgspec.Struct, frozen=True):
    """What an account decided about itself. A field that was never set has its default."""

    privacy_address: str = ""
    second_factor: Literal["optional", "required"] = "optional"
    country: str = ""


async def read_workspace(inst: Installation, account_id: UUID) -> Workspace:
    """The settings of an account."""
    ask = "select settings_sealed from account where account_id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    return _open(await inst.vault.account_key(account_id), account_id, rows[0][0])


async def change_workspace(inst: Installation, by: Staff, **changes: Any) -> Workspace:
    """Sets some of them, and notes each that became another. Raises unless `by` may."""
    by.need("workspace")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        ask = "select settings_sealed from account where account_id = %s for update"
        row = await tx.one(ask, [by.account_id])
        assert row
        before = _open(key, by.account_id, row[0])
        after = msgspec.structs.replace(before, **changes)
        sealed = key.seal(msgspec.json.encode(after), by.account_id, "account", "settings", by.account_id)
        await tx.execute(
            "update account set settings_sealed = %s where account_id = %s", [sealed, by.account_id]
        )
        for name in changes:
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                await tx.execute(*noted(key, by, f"workspace.{name}", _words(old), _words(new)))
    return after


def _open(key: SealKey, account_id: UUID, sealed: bytes | None) -> Workspace:
    if sealed is None:
        return Workspace()
    return msgspec.json.decode(
        key.open(sealed, account_id, "account", "settings", account_id), type=Workspace
    )


def _words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
