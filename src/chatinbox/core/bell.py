"""The bell: after a commit it says that something changed, with ids only, at most once and never in the way.

In the process by default. With several processes, PostgreSQL's NOTIFY carries it between them: sent after the commit
on a connection of its own, many rings in one, because a NOTIFY inside a message's transaction halves throughput.
A lost ring costs nothing: everybody also asks for themselves.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

import msgspec
import psycopg
import structlog

log = structlog.get_logger()


class Ring(msgspec.Struct, frozen=True, array_like=True):
    """One change: whose, up to which feed number, and where. `fleeting` rings (typing, presence) have feed 0."""

    account_id: UUID
    feed: int = 0
    conversation_id: UUID | None = None
    fleeting: dict[str, str | bool | None] | None = None


Ear: TypeAlias = Callable[[Ring], None]

CHANNEL = "chatinbox"
_PACK = msgspec.json.Encoder()
_UNPACK = msgspec.json.Decoder(list[Ring])


class Bell:
    """Ears by account, and ears that hear every account (the worker)."""

    def __init__(self) -> None:
        self._ears: defaultdict[UUID, set[Ear]] = defaultdict(set)
        self._all: set[Ear] = set()
        self._away: asyncio.Queue[Ring] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def hear(self, account_id: UUID, ear: Ear) -> Callable[[], None]:
        """Calls `ear` at each ring of the account; the answer ends it."""
        self._ears[account_id].add(ear)

        def leave() -> None:
            self._ears[account_id].discard(ear)
            if not self._ears[account_id]:
                self._ears.pop(account_id, None)

        return leave

    def hear_all(self, ear: Ear) -> Callable[[], None]:
        """Calls `ear` at each ring of every account; the answer ends it."""
        self._all.add(ear)
        return lambda: self._all.discard(ear)

    def ring(
        self,
        account_id: UUID,
        feed: int = 0,
        conversation_id: UUID | None = None,
        fleeting: dict[str, str | bool | None] | None = None,
    ) -> None:
        """Rings here at once, and in the other processes within a moment. Never raises, never waits."""
        ring = Ring(account_id, feed, conversation_id, fleeting)
        self._sound(ring)
        if self._away is not None:
            self._away.put_nowait(ring)

    def _sound(self, ring: Ring) -> None:
        for ear in (*self._ears.get(ring.account_id, ()), *self._all):
            try:
                ear(ring)
            except Exception:
                log.exception("bell_ear_failed", account_id=str(ring.account_id))

    async def join(self, dsn: str) -> None:
        """Joins the bell of the other processes."""
        self._away = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._send(dsn)), asyncio.create_task(self._listen(dsn))]

    async def close(self) -> None:
        """Leaves the bell of the other processes."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def _send(self, dsn: str) -> None:
        assert self._away is not None
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
                    self._pid = conn.info.backend_pid
                    await conn.execute("set synchronous_commit = off")
                    while True:
                        rings = [await self._away.get()]
                        await asyncio.sleep(0.01)
                        while not self._away.empty() and len(rings) < 40:
                            rings.append(self._away.get_nowait())
                        await conn.execute(
                            "select pg_notify(%s, %s)", [CHANNEL, _PACK.encode(rings).decode()]
                        )
            except psycopg.Error:
                log.warning("bell_sender_reconnects")
                await asyncio.sleep(1)

    async def _listen(self, dsn: str) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
                    await conn.execute("listen chatinbox")
                    async for notice in conn.notifies():
                        if notice.pid != getattr(self, "_pid", None):
                            for ring in _UNPACK.decode(notice.payload):
                                self._sound(ring)
            except (psycopg.Error, msgspec.DecodeError):
                log.warning("bell_listener_reconnects")
                await asyncio.sleep(1)
