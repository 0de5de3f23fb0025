"""The token by which a provider keeps the list of an account's people: shown once, kept as a keyed hash, ended at once.

It acts in the name of who made it, and is good for nothing from the moment they leave or may no longer do it.
"""

import secrets
from datetime import datetime

from chatinbox.accounts import sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("scim-token", token)


async def make_token(inst: Installation, by: Staff) -> str:
    """A new token in place of any before; nobody can read it again."""
    by.need("integrations")
    by.need("staff")
    token, key = f"scim_{secrets.token_urlsafe(32)}", await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "scim.token", None, "made"))
    await inst.db.directory(
        "select directory.set_scim_token(%s, %s, %s, %s, %s)",
        [by.account_id, _hash(inst, token), by.staff_user_id, by.person_id, now()],
    )
    return token


async def end_token(inst: Installation, by: Staff) -> None:
    """Ends the account's token."""
    by.need("integrations")
    key = await inst.vault.account_key(by.account_id)
    await inst.db.directory("select directory.end_scim_token(%s)", [by.account_id])
    await inst.db.run(by.account_id, noted(key, by, "scim.token", "made", None))


async def token_since(inst: Installation, by: Staff) -> datetime | None:
    """Since when the account has a token; None when it has none."""
    rows = await inst.db.directory("select created_at from directory.scim_token_of(%s)", [by.account_id])
    return rows[0][0] if rows else None


async def staff_for(inst: Installation, token: str) -> Staff | None:
    """In whose name a token acts, or None when it is none, has ended, or they left or may no longer. Asked every time."""
    rows = await inst.db.directory("select * from directory.find_scim_token(%s)", [_hash(inst, token)])
    if not rows:
        return None
    by = await sessions.read_active(inst, *rows[0])
    return by if by and by.may("integrations") and by.may("staff") else None
