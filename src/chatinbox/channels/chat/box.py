"""The chat's doors for the open box: each proves the visitor, calls one verb or one reading, answers."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.channels.chat import rates
from chatinbox.channels.chat.answer import answer, nothing, read_json
from chatinbox.channels.chat.channel import Channel
from chatinbox.channels.chat.first import first_ids, read_form, start
from chatinbox.channels.chat.live import Live
from chatinbox.channels.chat.said import Said, body_of, file_name, file_type, too_large
from chatinbox.channels.chat.session import SITE, Visitor, prove, read_opening, read_site, turn
from chatinbox.channels.chat.view import SeenMessage, read_talk, seen_file
from chatinbox.conversations.incoming import Incoming, NewFile, Received, Sender
from chatinbox.conversations.verbs.attach import attach_from_customer
from chatinbox.conversations.verbs.claim_address import claim_address
from chatinbox.conversations.verbs.mark_delivery import State, mark_delivery
from chatinbox.conversations.verbs.receive import receive
from chatinbox.conversations.verbs.set_out import set_out
from chatinbox.core.clock import millis, now
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.intake import Intake, read_upload


class Typing(msgspec.Struct):
    """Whether the visitor writes; never what."""

    typing: bool


class Position(msgspec.Struct):
    """How far the visitor has read."""

    position: int


class Reach(msgspec.Struct, forbid_unknown_fields=True):
    """Where answers shall go when the visitor has left."""

    email: str


class Box:
    """What the open box may ask, for one installation."""

    def __init__(self, inst: Installation, live: Live) -> None:
        self._inst, self._live = inst, live
        self._intake = Intake(8 * inst.settings.max_upload_bytes)
        self._later: set[asyncio.Task[None]] = set()

    async def get_messages(self, channel: Channel, request: Request) -> Response:
        """Messages after a position, or before one."""
        visitor = await self._prove(channel, request)
        fetched = await read_talk(self._inst, visitor, _number(request, "after"), _number(request, "before"))
        self._live.meet(fetched.writers)
        fetched.talk.token = await turn(self._inst, channel, request.headers, visitor)
        fetched.talk.typing = self._live.typists(visitor.conversation_id)
        if fetched.brought:
            self._afterwards(self._move(visitor, fetched.brought, "delivered"))
        return answer(fetched.talk)

    async def post_message(self, channel: Channel, request: Request) -> Response:
        """A message; the first one needs no token and is answered with one."""
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            with self._intake.share() as share:
                rates.FORMS.take(channel.id.bytes)
                said, opening, files = await read_form(request, self._inst.settings.max_upload_bytes, share)
                return await self._post(channel, request, said, opening, files)
        said = await read_json(request, Said)
        return await self._post(channel, request, said, said.opening, [])

    async def _post(
        self, channel: Channel, request: Request, said: Said, opening: str | None, files: list[NewFile]
    ) -> Response:
        if "authorization" in request.headers:
            return answer({"message": await self._say(await self._prove(channel, request), said, files)}, 201)
        first_ids(said.files)
        token, visitor, received = await start(
            self._inst, channel, said, read_opening(opening), files, read_site(request.headers.get(SITE))
        )
        if received is None:
            return answer({"token": token, "message": await self._say(visitor, said, files)}, 201)
        message = await self._stored(visitor, received, said, bool(files))
        return answer({"token": token, "message": message}, 201)

    async def _say(self, visitor: Visitor, said: Said, files: list[NewFile]) -> SeenMessage:
        rates.MESSAGES.take(visitor.mark)
        if said.files:
            await self._check_files(visitor, said.files)
        incoming = Incoming(
            channel_id=visitor.channel_id,
            via="chat",
            sender=Sender(customer_id=visitor.customer_id),
            message_id=said.id,
            body=body_of(said.text, bool(said.files or files)),
            conversation_id=visitor.conversation_id,
            attachment_ids=said.files,
            files=files,
            at=now(),
        )
        received = await receive(self._inst, visitor.account_id, incoming)
        return await self._stored(visitor, received, said, bool(said.files or files))

    async def _stored(
        self, visitor: Visitor, received: Received, said: Said, with_files: bool
    ) -> SeenMessage:
        """The message as it stands now. An id that stands elsewhere is answered like one that is not there."""
        if received.conversation_id != visitor.conversation_id:
            raise not_found()
        if not received.duplicate and not with_files:
            return SeenMessage(
                received.message_id, received.position, millis(now()), "me", None, said.text.strip(), []
            )
        fetched = await read_talk(self._inst, visitor, received.position - 1 or 0, received.position + 1)
        found = [message for message in fetched.talk.messages if message.id == received.message_id]
        if not found:
            raise not_found()
        return found[0]

    async def _check_files(self, visitor: Visitor, ids: list[UUID]) -> None:
        """Files must be this conversation's; one that was sent already is fine, because a message may come twice."""
        [rows] = await self._inst.db.run(
            visitor.account_id,
            (
                "select count(*) from attachment where account_id = %s and conversation_id = %s and id = any(%s)"
                " and note_id is null",
                [visitor.account_id, visitor.conversation_id, ids],
            ),
        )
        if rows[0][0] != len(set(ids)):
            raise not_found()

    async def post_file(self, channel: Channel, request: Request) -> Response:
        """A file, to be named by a message; on disk before this answers."""
        visitor = await self._prove(channel, request)
        rates.UPLOADS.take(visitor.mark)
        limit = self._inst.settings.max_upload_bytes
        with self._intake.share() as share:
            content = await read_upload(request, limit, too_large(limit), share)
            return await self._keep(visitor, request, content)

    async def _keep(self, visitor: Visitor, request: Request, content: bytes) -> Response:
        if not content:
            raise bad_request("This file is empty.", "empty")
        name = file_name(unquote(request.headers.get("x-file-name", "file")))
        file = NewFile(name, file_type(request.headers.get("content-type")), content)
        where = visitor.account_id, visitor.conversation_id, visitor.channel_id
        file_id, file = await attach_from_customer(self._inst, *where, file)
        key = await self._inst.vault.customer_key(visitor.account_id, visitor.customer_id)
        sealed = key.seal(file.name, visitor.account_id, "attachment", "name", file_id)
        return answer(seen_file(self._inst, visitor, key, file_id, sealed, file.type, len(file.content)), 201)

    async def put_typing(self, channel: Channel, request: Request) -> Response:
        """The visitor writes, or stopped."""
        visitor = await self._prove(channel, request)
        rates.SIGNS.take(visitor.mark)
        told = await read_json(request, Typing)
        self._inst.presence.visitor_here(visitor.account_id, visitor.conversation_id, True, told.typing)
        return nothing()

    async def put_seen(self, channel: Channel, request: Request) -> Response:
        """How far the visitor has read."""
        visitor = await self._prove(channel, request)
        rates.SIGNS.take(visitor.mark)
        told = await read_json(request, Position)
        [rows] = await self._inst.db.run(
            visitor.account_id,
            (
                "select coalesce(d.id, m.id) from message m left join delivery d on d.account_id = m.account_id"
                " and d.message_id = m.id and d.kind = 'chat'"
                " where m.account_id = %s and m.conversation_id = %s and m.author = 'staff' and m.position <= %s"
                " and m.via = 'chat' and d.state is distinct from 'seen' order by m.position desc limit 100",
                [visitor.account_id, visitor.conversation_id, min(told.position, 1 << 60)],
            ),
        )
        await self._move(visitor, [delivery_id for (delivery_id,) in rows], "seen")
        return nothing()

    async def put_email(self, channel: Channel, request: Request) -> Response:
        """Where answers shall go when the visitor has left. Never proof of who they are."""
        visitor = await self._prove(channel, request)
        rates.ADDRESSES.take(visitor.mark)
        told = await read_json(request, Reach)
        where = visitor.account_id, visitor.conversation_id, visitor.customer_id, visitor.channel_id
        return answer({"email": await claim_address(self._inst, *where, told.email)})

    async def _prove(self, channel: Channel, request: Request) -> Visitor:
        return await prove(self._inst, channel, request.headers)

    async def _move(self, visitor: Visitor, deliveries: list[UUID], state: State) -> None:
        await set_out(self._inst, visitor.account_id, deliveries)  # those that the visitor was faster than
        for delivery_id in deliveries:
            await mark_delivery(self._inst, visitor.account_id, visitor.conversation_id, delivery_id, state)

    def _afterwards(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(400, "A position is a whole number.", "malformed")
    return int(text)
