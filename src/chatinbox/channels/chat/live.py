"""The visitor's live line: says that something new stands there, who types, and how far staff have read.

Staff's own work (notes, tags, assignments) must not be felt on the other side, so a ring is looked into before
anything is said: nothing goes out unless what the visitor may see has changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import psycopg
import structlog
from starlette.types import Receive, Scope, Send

from chatinbox.channels.chat.session import Visitor
from chatinbox.channels.chat.view import Author, author
from chatinbox.core.bell import Ring
from chatinbox.core.installation import Installation
from chatinbox.core.stream import BEAT, Stream

log = structlog.get_logger()
LOOKS = (0.0, 2.0)  # seconds after a ring: at once, and when staff had time to read
BEAT_SECONDS = 15.0
LEAVE_SECONDS = 18.0

_STATE = """select coalesce((select max(position) from message where account_id = %(account)s and conversation_id = c.id), 0),
  (select coalesce(max(s.position), 0) from staff_user u join seen s on s.account_id = u.account_id
    and s.staff_user_id = u.id and s.conversation_id = c.id where u.account_id = c.account_id),
  c.status = 'done'
  from conversation c where c.account_id = %(account)s and c.id = %(conversation)s"""


@dataclass(slots=True)
class _Talk:
    """One conversation somebody listens to here."""

    visitor: Visitor
    streams: set[Stream] = field(default_factory=set)
    told: tuple[int, int, bool] | None = None
    typing: tuple[UUID, ...] = ()
    looking: set[float] = field(default_factory=set)

    def tell(self, value: object) -> None:
        data = b"data: " + msgspec.json.encode(value) + b"\n\n"
        for stream in tuple(self.streams):
            stream.tell(data)


class Live:
    """All visitors' lines of this process."""

    def __init__(self, inst: Installation) -> None:
        self._inst = inst
        self._talks: dict[UUID, _Talk] = {}
        self._names: dict[UUID, str] = {}
        self._beat: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        inst.bell.hear_all(self._heard)

    async def serve(self, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        """One line, until either side ends it."""
        stream = Stream(send)
        await stream.begin()
        talk = self._talks.setdefault(visitor.conversation_id, _Talk(visitor))
        talk.streams.add(stream)
        self._mark(talk)
        self._beat = self._beat or asyncio.create_task(self._beats())
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            stream.close()
            talk.streams.discard(stream)
            if not talk.streams:
                self._talks.pop(visitor.conversation_id, None)
                asyncio.get_running_loop().call_later(LEAVE_SECONDS, self._left, visitor)

    def meet(self, writers: dict[UUID, str]) -> None:
        """Learns what staff are called, from messages they wrote to a visitor."""
        self._names.update(writers)

    def typists(self, conversation_id: UUID) -> list[Author]:
        """Who of the staff writes to this visitor now. Somebody who has not answered yet has no name here."""
        return [author(who, self._names.get(who)) for who in self._typing(conversation_id)]

    def _typing(self, conversation_id: UUID) -> tuple[UUID, ...]:
        return tuple(who for who, typing in self._inst.presence.staff_at(conversation_id) if typing)

    def _heard(self, ring: Ring) -> None:
        talk = self._talks.get(ring.conversation_id) if ring.conversation_id else None
        if talk is None:
            return
        if ring.fleeting is not None:
            if ring.fleeting["who"]:
                asyncio.get_running_loop().call_soon(self._tell_typing, talk)
                self._look_later(talk, LOOKS[1])
            return
        for wait in LOOKS:
            self._look_later(talk, wait)

    def _tell_typing(self, talk: _Talk, again: bool = False) -> None:
        typing = self._typing(talk.visitor.conversation_id)
        if typing != talk.typing or (again and typing):
            talk.typing = typing
            talk.tell({"typing": self.typists(talk.visitor.conversation_id)})

    def _look_later(self, talk: _Talk, wait: float) -> None:
        if wait not in talk.looking:  # one look of each kind for all rings of a moment
            talk.looking.add(wait)
            task = asyncio.create_task(self._look(talk, wait))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look(self, talk: _Talk, wait: float) -> None:
        await asyncio.sleep(wait)
        talk.looking.discard(wait)
        visitor = talk.visitor
        values = {"account": visitor.account_id, "conversation": visitor.conversation_id}
        try:
            [rows] = await self._inst.db.run(visitor.account_id, (_STATE, values))
        except psycopg.Error:  # the visitor asks every 30 s anyway
            log.warning("chat_look_failed")
            return
        if rows and rows[0] != talk.told:
            talk.told = rows[0]
            position, seen, closed = rows[0]
            talk.tell({"p": position, "seen": seen, "closed": closed})

    def _mark(self, talk: _Talk) -> None:
        at, presence = talk.visitor, self._inst.presence
        presence.visitor_here(
            at.account_id, at.conversation_id, True, presence.is_visitor_typing(at.conversation_id)
        )

    def _left(self, visitor: Visitor) -> None:
        if visitor.conversation_id not in self._talks:
            self._inst.presence.visitor_here(visitor.account_id, visitor.conversation_id, False, False)

    async def _beats(self) -> None:
        while self._talks:
            await asyncio.sleep(BEAT_SECONDS)
            for number, talk in enumerate(tuple(self._talks.values())):
                for stream in tuple(talk.streams):
                    stream.tell(BEAT)
                self._mark(talk)
                self._tell_typing(talk, again=True)
                if number % 200 == 199:
                    await asyncio.sleep(0)
        self._beat = None

    async def close(self) -> None:
        """Stops what runs beside the lines."""
        for task in (*self._tasks, *([self._beat] if self._beat else [])):
            task.cancel()
