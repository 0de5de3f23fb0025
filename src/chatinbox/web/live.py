"""Live updates: server-sent events that say that something changed, never what. The browser asks for the rest.

One answer is encoded for all of an account's streams, ten milliseconds after the first ring of a burst. A stream whose
reader is slow is skipped and told the newest number once it reads again, so nobody waits for anybody.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import structlog
from starlette.types import Receive, Send

from chatinbox.accounts.sessions import has_ended
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.rows import BY_ID
from chatinbox.conversations.who import sight
from chatinbox.core.bell import Ring
from chatinbox.core.installation import Installation
from chatinbox.core.stream import BEAT, Stream

BURST_SECONDS = 0.01
BEAT_SECONDS = 20.0
_encode = msgspec.json.Encoder().encode
log = structlog.get_logger()
Words: TypeAlias = Callable[[set[UUID]], list[dict[str, Any]]]


def _line(value: dict[str, Any]) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"


class StaffStream(Stream):
    """A staff user's stream, bound to the session that opened it."""

    __slots__ = ("_task", "by", "ending", "session_id")

    def __init__(self, send: Send, by: Staff, session_id: UUID) -> None:
        super().__init__(send)
        self.by = by
        self.session_id = session_id
        self.ending = False
        self._task = asyncio.current_task()

    def end(self) -> None:
        """Ends the stream from our side."""
        self.ending = True
        if self._task:
            self._task.cancel()


class Live:
    """Every stream of this process, by account."""

    def __init__(self, inst: Installation) -> None:
        self._inst = inst
        self._streams: defaultdict[UUID, set[StaffStream]] = defaultdict(set)
        self._changed: dict[UUID, tuple[int, set[UUID]]] = {}
        self._moved: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._feeds: dict[UUID, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._beat: asyncio.Task[None] | None = None
        inst.bell.hear_all(self._heard)

    def _heard(self, ring: Ring) -> None:
        if ring.account_id not in self._streams:
            return
        loop = asyncio.get_running_loop()
        if ring.fleeting is not None and ring.conversation_id:
            if not self._moved[ring.account_id]:
                loop.call_later(BURST_SECONDS, self._tell_moves, ring.account_id)
            self._moved[ring.account_id].add(ring.conversation_id)
            return
        feed, where = self._changed.get(ring.account_id, (0, set()))
        if ring.account_id not in self._changed:
            loop.call_later(BURST_SECONDS, self._tell_changes, ring.account_id)
        if ring.conversation_id:
            where.add(ring.conversation_id)
        self._changed[ring.account_id] = (max(feed, ring.feed), where)

    def _tell_changes(self, account_id: UUID) -> None:
        feed, where = self._changed.pop(account_id, (0, set()))
        self._feeds[account_id] = max(feed, self._feeds.get(account_id, 0))
        number = self._feeds[account_id]
        self._tell(account_id, where, lambda seen: [{"feed": number, "c": list(seen)}])

    def _tell_moves(self, account_id: UUID) -> None:
        where = self._moved.pop(account_id, set())
        self._tell(account_id, where, lambda seen: [{"here": self._here(one)} for one in seen])

    def _here(self, conversation_id: UUID) -> dict[str, Any]:
        presence = self._inst.presence
        people = [
            {"staff_user_id": who, "typing": typing} for who, typing in presence.staff_at(conversation_id)
        ]
        visitor = {
            "here": presence.is_visitor_here(conversation_id),
            "typing": presence.is_visitor_typing(conversation_id),
        }
        return {"conversation_id": conversation_id, "people": people, "visitor": visitor}

    def _tell(self, account_id: UUID, where: set[UUID], words: Words) -> None:
        """Tells everybody of the account; who is kept out of channels hears of conversations they may see alone."""
        limited: defaultdict[frozenset[UUID], list[StaffStream]] = defaultdict(list)
        told = [_line(value) for value in words(where)]
        for stream in tuple(self._streams.get(account_id, ())):
            if stream.by.kept_out and where:
                limited[stream.by.kept_out].append(stream)
                continue
            for data in told:
                stream.tell(data)
        for streams in limited.values():
            task = asyncio.create_task(self._tell_limited(streams, where, words))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell_limited(self, streams: list[StaffStream], where: set[UUID], words: Words) -> None:
        by = streams[0].by
        ask = f"select c.id from {BY_ID} c where true{sight(by)}"
        values = {"account": by.account_id, "ids": list(where), "kept_out": list(by.kept_out)}
        try:
            [rows] = await self._inst.db.run(by.account_id, (ask, values))
        except Exception:
            log.exception("live_sight_failed")  # they ask by themselves within half a minute
            return
        for value in words({row[0] for row in rows}):
            for stream in streams:
                if not stream.ending:
                    stream.tell(_line(value))

    def end_account(self, account_id: UUID) -> None:
        """What staff of an account may see was changed: every stream begins again, and its page asks anew."""
        for stream in tuple(self._streams.get(account_id, ())):
            stream.tell(b'data: {"again":true}\n\n')
            stream.end()

    def end_session(self, session_id: UUID) -> None:
        """Ends every stream that a session opened."""
        for streams in tuple(self._streams.values()):
            for stream in tuple(streams):
                if stream.session_id == session_id:
                    stream.tell(b'data: {"bye":true}\n\n')
                    stream.end()

    def end_all(self) -> None:
        """Ends every stream, as the server stops."""
        for streams in tuple(self._streams.values()):
            for stream in tuple(streams):
                stream.end()

    async def _beats(self) -> None:
        while self._streams:
            await asyncio.sleep(BEAT_SECONDS)
            started = time.monotonic()
            for streams in tuple(self._streams.values()):
                for stream in tuple(streams):
                    stream.tell(BEAT)
                    if time.monotonic() - started > 0.01:
                        await asyncio.sleep(0)
                        started = time.monotonic()
        self._beat = None

    async def serve(self, by: Staff, session_id: UUID, receive: Receive, send: Send) -> None:
        """One staff user's stream, until either side ends it. The account comes from the session, never from the wire."""
        stream = StaffStream(send, by, session_id)
        await stream.begin()
        self._streams[by.account_id].add(stream)
        if has_ended(session_id):  # while it began
            stream.end()
        if self._beat is None:
            self._beat = asyncio.create_task(self._beats())
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not stream.ending:
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            stream.close()
            streams = self._streams[by.account_id]
            streams.discard(stream)
            if not streams:
                del self._streams[by.account_id]
