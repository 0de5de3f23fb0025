"""Live updates: server-sent events that say that something changed, never what. The browser asks for the rest.

One answer is encoded for all of an account's streams, ten milliseconds after the first ring of a burst. A stream whose
reader is slow is skipped and told the newest number once it reads again, so nobody waits for anybody.
"""

import asyncio
import time
from collections import defaultdict
from typing import Any
from uuid import UUID

import msgspec
from starlette.types import Receive, Send

from chatinbox.accounts.sessions import has_ended
from chatinbox.accounts.staff import Staff
from chatinbox.core.bell import Ring
from chatinbox.core.installation import Installation
from chatinbox.core.stream import BEAT, Stream

BURST_SECONDS = 0.01
BEAT_SECONDS = 20.0
_encode = msgspec.json.Encoder().encode


class StaffStream(Stream):
    """A staff user's stream, bound to the session that opened it."""

    __slots__ = ("_task", "ending", "session_id")

    def __init__(self, send: Send, session_id: UUID) -> None:
        super().__init__(send)
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
        self._tell(account_id, {"feed": self._feeds[account_id], "c": list(where)})

    def _tell_moves(self, account_id: UUID) -> None:
        presence = self._inst.presence
        for conversation_id in self._moved.pop(account_id, set()):
            people = [
                {"staff_user_id": who, "typing": typing} for who, typing in presence.staff_at(conversation_id)
            ]
            visitor = {
                "here": presence.is_visitor_here(conversation_id),
                "typing": presence.is_visitor_typing(conversation_id),
            }
            told = {"conversation_id": conversation_id, "people": people, "visitor": visitor}
            self._tell(account_id, {"here": told})

    def _tell(self, account_id: UUID, value: dict[str, Any]) -> None:
        data = b"data: " + _encode(value) + b"\n\n"
        for stream in tuple(self._streams.get(account_id, ())):
            stream.tell(data)

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
        stream = StaffStream(send, session_id)
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
