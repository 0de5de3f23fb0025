"""Read-only because a bill was open for too long: staff can read and export, letters still arrive, nobody answers.

It is kept where each session reads its staff user, so it costs no statement, and is asked where a closed account is
(`Staff.need_open`). An account that its owner closed is another matter: `accounts/closing.py`.
"""

from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


async def set_unpaid(inst: Installation, account_id: UUID) -> bool:
    """Makes an account read-only; False when it is already."""
    text = "update account set unpaid_at = %s where account_id = %s and unpaid_at is null returning 1"
    return await _set(inst, account_id, text, [now(), account_id])


async def clear_unpaid(inst: Installation, account_id: UUID) -> None:
    """Ends it."""
    text = "update account set unpaid_at = null where account_id = %s and unpaid_at is not null returning 1"
    await _set(inst, account_id, text, [account_id])


async def _set(inst: Installation, account_id: UUID, text: str, values: list[object]) -> bool:
    [changed] = await inst.db.run(account_id, (text, values))
    if changed:
        sessions.look_again(account_id)
    return bool(changed)


async def is_unpaid(inst: Installation, account_id: UUID) -> bool:
    """Whether the account is read-only for that reason."""
    text = "select 1 from account where account_id = %s and unpaid_at is not null"
    [rows] = await inst.db.run(account_id, (text, [account_id]))
    return bool(rows)
