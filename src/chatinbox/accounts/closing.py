"""Closing an account: thirty days in which everything can be read and taken along and nothing changed, until then undone."""

from datetime import datetime, timedelta
from uuid import UUID

from chatinbox.accounts import owners, sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.destroyed import CLOSED, OPENED
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

GRACE = timedelta(days=30)


async def close_account(inst: Installation, by: Staff, typed: str) -> datetime:
    """Closes the account when its name was typed; when it will be destroyed. Closing it again changes nothing.

    From here on nothing writes to you: mail is refused like that of an unknown address, and the chat is not there.
    """
    by.need("account")
    name = await read_account_name(inst, by.account_id)
    if " ".join(typed.split()).casefold() != " ".join(name.split()).casefold():
        raise Refused(422, f"Type the name of the account as it stands here: {name}", "typed")
    at = await _set(inst, by, "account.closed", now())
    ends = at + GRACE
    text = (
        f"{by.name} closed {name}.\n\nUntil {ends:%-d %B %Y} everything can be read and exported, and the closing can be "
        f"undone:\n\n{inst.settings.public_url}/settings/closing\n\nAfter that its keys are destroyed, and nobody can open "
        "anything of it again.\n"
    )
    fields = ("name", "name of the account", "day of its end", "link")
    await owners.tell(inst, by.account_id, f"{name} is closed", text, "account closing", fields, again=True)
    return ends


async def undo_closing(inst: Installation, by: Staff) -> None:
    """Opens the account again, as if nothing had been. Raises once the thirty days are over."""
    by.need("account")
    closed_at = await read_closed_at(inst, by.account_id)
    if closed_at and closed_at + GRACE <= now():
        raise Refused(410, "The thirty days are over. This account is being destroyed and cannot be opened again.", "over")  # fmt: skip
    await _set(inst, by, "account.opened again", None)


async def _set(inst: Installation, by: Staff, what: str, at: datetime | None) -> datetime:
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        row = await tx.one("select closed_at from account where account_id = %s for update", [by.account_id])
        assert row
        if (row[0] is None) == (at is None):
            return row[0] or now()
        await tx.execute("update account set closed_at = %s where account_id = %s", [at, by.account_id])
        await tx.execute("update counter set closed_at = %s where account_id = %s", [at, by.account_id])
        await tx.execute("select directory.set_account_closed(%s, %s)", [by.account_id, at])
        await tx.execute(*noted(key, by, what))
        # Last, while the row is locked: the ledger has closings and openings in the order in which they were.
        kind, since = (CLOSED, [at.isoformat()]) if at else (OPENED, [])
        await inst.vault.write_down(kind, by.account_id, by.account_id, *since)
    sessions.look_again(by.account_id)
    return at or now()


async def read_closed_at(inst: Installation, account_id: UUID) -> datetime | None:
    """When an account was closed; None while it is open."""
    [rows] = await inst.db.run(
        account_id, ("select closed_at from account where account_id = %s", [account_id])
    )
    return rows[0][0] if rows else None
