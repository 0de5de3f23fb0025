"""Deliver: answers find their way out. What was written is set out from the outbox; then one job an account sends all
that waits there, a few at once, so that a busy account holds nobody else up.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from chatinbox.accounts.every_account import every_account
from chatinbox.channels.chat import send as chat_send
from chatinbox.channels.email import send as email_send
from chatinbox.conversations.verbs.set_out import set_out
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.outbox import Happened
from chatinbox.core.purpose import Use

AT_ONCE = 4
LEFT_OVER = timedelta(minutes=3)

Send = Callable[[Installation, UUID, UUID], Awaitable[datetime | None]]
_SEND: dict[str, Send] = {"email": email_send.send, "chat": chat_send.send}
_LEFT_OVER = Use("Looks where answers of staff were left behind", "answer", "2")
_DUE = """
select id, kind from delivery where account_id = %s and state in ('waiting', 'sending')
   and coalesce(due_at, changed_at) <= %s order by id limit 1000"""


def prepare(inst: Installation) -> None:
    """Says who hears of answers, and which work brings them out."""

    async def written(batch: list[Happened]) -> None:
        by_account: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for happened in batch:
            if happened.subject_id:
                by_account[happened.account_id].append(happened.subject_id)
        for account_id, message_ids in by_account.items():
            await set_out(inst, account_id, message_ids)
        await _ask(inst, by_account)

    async def redirected(batch: list[Happened]) -> None:
        await _ask(inst, {happened.account_id for happened in batch})

    async def work(account_id: str) -> None:
        await deliver(inst, UUID(account_id))

    async def again(account_id: str) -> None:
        await _ask(inst, [UUID(account_id)])

    async def left_over() -> None:
        await ask_left_over(inst, LEFT_OVER)

    inst.outbox.on(["message.sent"], written, Use("Sets out what staff wrote", "answer", "2"))
    inst.outbox.on(
        ["delivery.redirected"], redirected, Use("Sends by mail what its reader left behind", "answer", "2")
    )
    inst.jobs.add("deliver", work, Use("Sends what staff wrote", "answer", "2"), attempts=100, wait_seconds=5)
    inst.jobs.add("deliver_again", again, Use("Tries it again", "answer", "2"), attempts=100, wait_seconds=5)
    inst.jobs.every("*/5 * * * *", "deliver_left_over", left_over, _LEFT_OVER)


async def deliver(inst: Installation, account_id: UUID) -> None:
    """Sends all that waits in one account and is due. Each is tried once; what is to be tried again gets a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(delivery_id: UUID, kind: str) -> None:
        async with turn:
            await inst.calm.turn()
            due_at = await _SEND[kind](inst, account_id, delivery_id)
        if due_at:
            ids = job_ids(account_id=account_id)
            await inst.jobs.later("deliver_again", ids, once=f"deliver again {delivery_id}", at=due_at)

    due = await _due(inst, account_id, now())
    for told in await asyncio.gather(*(one(*each) for each in due), return_exceptions=True):
        if isinstance(
            told, BaseException
        ):  # the database, most likely; the others were not to be broken off for it
            raise told


@purpose.work(_LEFT_OVER)
async def ask_left_over(inst: Installation, older_than: timedelta = timedelta()) -> None:
    """Asks for a job wherever something is due that long: whoever had it may have been stopped."""
    async for account_id in every_account(inst):
        if await _due(inst, account_id, now() - older_than):
            await _ask(inst, [account_id])


async def _due(inst: Installation, account_id: UUID, at: datetime) -> list[tuple[UUID, str]]:
    [rows] = await inst.db.run(account_id, (_DUE, [account_id, at]))
    return [(delivery_id, kind) for delivery_id, kind in rows]


async def _ask(inst: Installation, account_ids: Iterable[UUID]) -> None:
    """One job an account: a waiting one is enough."""
    each = {f"deliver {account_id}": job_ids(account_id=account_id) for account_id in account_ids}
    await inst.jobs.later_all("deliver", each)
