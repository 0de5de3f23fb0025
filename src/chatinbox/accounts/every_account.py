"""Every account of the installation, for work on a clock: ids only, no account sees another."""

from collections.abc import AsyncIterator
from uuid import UUID

from chatinbox.core.installation import Installation


async def every_account(inst: Installation, after: UUID | None = None) -> AsyncIterator[UUID]:
    """Every account's id, a page at a time; `after` goes on where somebody was."""
    last = after or UUID(int=0)
    while rows := await inst.db.directory("select account_id from directory.accounts_after(%s, 500)", [last]):
        for (last,) in rows:
            yield last
