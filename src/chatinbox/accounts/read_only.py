"""Read-only: an account that can be read and exported, but in which nothing is said any more. One reason at a time.

Who sets it keeps saying so on a clock: where another reason stood first, it takes its turn when that is gone.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

Reason: TypeAlias = Literal["unpaid", "closing"]


async def set_read_only(inst: Installation, account_id: UUID, reason: Reason) -> None:
    """Makes an account read-only, unless it is already, for whatever reason."""
    text = "update account set read_only_at = %s, read_only_reason = %s where account_id = %s and read_only_at is null"
    await inst.db.run(account_id, (text, [now(), reason, account_id]))


async def clear_read_only(inst: Installation, account_id: UUID, reason: Reason) -> None:
    """Ends it, if this was its reason."""
    text = "update account set read_only_at = null, read_only_reason = null where account_id = %s and read_only_reason = %s"
    await inst.db.run(account_id, (text, [account_id, reason]))


async def why_read_only(inst: Installation, account_id: UUID) -> str | None:
    """The reason why an account is read-only, or None."""
    text = "select read_only_reason from account where account_id = %s and read_only_at is not null"
    [rows] = await inst.db.run(account_id, (text, [account_id]))
    return rows[0][0] if rows else None
