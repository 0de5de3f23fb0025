"""Every account of the installation, for work on a clock: ids only, no account sees another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import structlog

from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation

log = structlog.get_logger()


async def every_account(inst: Installation, after: UUID | None = None) -> AsyncIterator[UUID]:
    """Every account's id, a page at a time; `after` goes on where somebody was."""
    last = after or NOBODY
    while rows := await inst.db.directory("select account_id from directory.accounts_after(%s, 500)", [last]):
        for (last,) in rows:
            yield last


def in_every_account(
    inst: Installation, *does: Callable[[Installation, UUID], Awaitable[object]]
) -> Callable[[], Awaitable[None]]:
    """A round that does each of these in every account. One that breaks off holds none of the others up and is logged;
    the first of them raises at the end.
    """

    async def round_() -> None:
        failed: Exception | None = None
        async for account_id in every_account(inst):
            for one in does:
                try:
                    await one(inst, account_id)
                except Exception as error:
                    log.exception("round_failed", account_id=str(account_id))
                    failed = failed or error
        if failed:
            raise failed

    return round_
