"""The outbox: what a committed transaction left to be done, claimed by any process, done at least once.

Handlers are idempotent by event: a crash between doing and deleting does it again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from chatinbox.core.bell import Bell
from chatinbox.core.calm import Calm
from chatinbox.core.db import LAZILY, Database
from chatinbox.core.purpose import Use, Wired, at_work

log = structlog.get_logger()
PUMP = 0x6F7574626F78  # the number of the lock: "outbox"
BATCH = 2000
GIVES_WAY_SECONDS = 2.0  # as long as search may lag behind


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, as handlers hear it: ids only."""

    account_id: UUID
    event_id: UUID
    kind: str
    conversation_id: UUID | None
    subject_id: UUID | None


Handler: TypeAlias = Callable[[list[Happened]], Awaitable[None]]

_NEXT = (
    "select id, account_id, event_id, kind, conversation_id, subject_id from work.outbox order by id limit %s"
)


class Outbox:
    """Pumps outbox rows to the handlers that asked for their kind."""

    def __init__(self, db: Database, bell: Bell, calm: Calm) -> None:
        self._db, self._bell, self._calm = db, bell, calm
        self._handlers: defaultdict[str, list[tuple[str, Handler, Use | None]]] = defaultdict(list)
        self.wired: list[Wired] = []
        self._wake = asyncio.Event()

    def on(self, kinds: list[str], handler: Handler, use: Use | None = None) -> None:
        """Calls `handler` with every batch of events of these kinds, for what it says it is for."""
        name = getattr(handler, "__name__", "handler")
        self.wired.append(Wired(name, f"after {', '.join(kinds)}", use, handler))
        for kind in kinds:
            self._handlers[kind].append((name, handler, use))

    async def run(self) -> None:
        """Pumps until cancelled: at once when the bell rings here, and every second anyway."""
        leave = self._bell.hear_all(lambda _ring: self._wake.set())
        try:
            while True:
                self._wake.clear()
                await self._calm.wait(GIVES_WAY_SECONDS)
                while await self.pump():
                    await self._calm.wait(GIVES_WAY_SECONDS)
                try:
                    await asyncio.wait_for(self._wake.wait(), 1.0)
                except TimeoutError:
                    continue
        finally:
            leave()

    async def pump(self) -> int:
        """Does one batch, where no other process is at it; how many rows are done.

        No transaction stays open meanwhile: it would keep every row's old versions alive, and the busiest rows
        (counters) have hundreds a second.
        """
        try:
            async with self._db.alone(PUMP) as conn:
                return await self._pump(conn) if conn else 0
        except Exception:
            log.exception("outbox_failed")
            await asyncio.sleep(0.5)
            return 0

    async def _pump(self, conn: AsyncConnection[TupleRow]) -> int:
        rows = await (await conn.execute(_NEXT, [BATCH])).fetchall()
        done: list[int] = []
        for kind, batch in _by_kind(rows).items():
            done += await self._handle(kind, batch)
        if done:
            async with conn.transaction():
                await conn.execute(*LAZILY)
                await conn.execute("delete from work.outbox where id = any(%s)", [done])
        return len(done)

    async def _handle(self, kind: str, batch: list[tuple[int, Happened]]) -> list[int]:
        try:
            for name, handler, use in self._handlers[kind]:
                with at_work(name, use):
                    await handler([happened for _, happened in batch])
        except Exception:
            log.exception("outbox_handler_failed", kind=kind)
            return []
        return [row_id for row_id, _ in batch]


def _by_kind(
    rows: list[tuple[int, UUID, UUID, str, UUID | None, UUID | None]],
) -> dict[str, list[tuple[int, Happened]]]:
    batches: defaultdict[str, list[tuple[int, Happened]]] = defaultdict(list)
    for row_id, account_id, event_id, kind, conversation_id, subject_id in rows:
        batches[kind].append((row_id, Happened(account_id, event_id, kind, conversation_id, subject_id)))
    return batches
