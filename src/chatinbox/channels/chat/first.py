"""The first message: until it is stored there is no row, no session, nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from chatinbox.channels.chat import rates
from chatinbox.channels.chat.answer import not_taken
from chatinbox.channels.chat.channel import Channel
from chatinbox.channels.chat.said import Said, body_of, file_name, file_type, too_large
from chatinbox.channels.chat.session import Visitor, begin, find_visitor, token_for
from chatinbox.conversations.incoming import Incoming, NewFile, Received, Sender
from chatinbox.conversations.verbs.receive import receive
from chatinbox.core.clock import now
from chatinbox.core.errors import bad_request, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import Share, read_upload

MAX_FILES = 10


async def start(
    inst: Installation, channel: Channel, said: Said, opening: str, files: Sequence[NewFile], site: str
) -> tuple[str, Visitor, Received | None]:
    """Stores a first message: its token, its visitor, and where it went (None: this opening has begun already)."""
    token = token_for(inst, channel, opening)
    visitor = await find_visitor(inst, channel, token, site)
    if visitor:
        return token, visitor, None
    rates.FIRSTS.take(channel.id.bytes)
    key = await inst.vault.blind(channel.account_id, "chat opening", opening)
    incoming = Incoming(
        channel_id=channel.id,
        via="chat",
        sender=Sender(),
        message_id=said.id,
        body=body_of(said.text, bool(files)),
        files=files,
        key=key,
        at=now(),
    )
    received = await receive(inst, channel.account_id, incoming)
    if received.duplicate and not await _began(inst, channel, key, received):
        raise not_found()
    visitor = await begin(inst, channel, token, site, received.customer_id, received.conversation_id)
    return token, visitor, received


async def _began(inst: Installation, channel: Channel, key: bytes, received: Received) -> bool:
    """Whether this opening, and not somebody else's, brought the message that was there already."""
    [rows] = await inst.db.run(
        channel.account_id,
        (
            "select 1 from received where account_id = %s and channel_id = %s and key = %s and conversation_id = %s",
            [channel.account_id, channel.id, key, received.conversation_id],
        ),
    )
    return bool(rows)


class _InMemory(MultiPartParser):
    """Keeps parts in memory: an unsealed file never touches the disk."""

    spool_max_size = 1 << 30


async def read_form(request: Request, limit: int, share: Share) -> tuple[Said, str | None, list[NewFile]]:
    """Words, opening and files of a first message sent as `multipart/form-data` (RFC 7578)."""
    raw = await read_upload(request, limit + 100_000, too_large(limit), share)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield raw

    try:
        parser = _InMemory(
            Headers(scope=request.scope), whole(), max_files=MAX_FILES, max_fields=5, max_part_size=100_000
        )
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise bad_request("This request cannot be read.", "malformed") from None
    for name in form:
        if name not in ("id", "text", "opening", "file"):
            raise not_taken(name[:40])
    message_id, text, opening = read_id(form.get("id")), form.get("text", ""), form.get("opening")
    if message_id is None or not isinstance(text, str) or isinstance(opening, UploadFile):
        raise bad_request("This request cannot be read.", "malformed")
    parts = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
    files = [
        NewFile(file_name(part.filename or ""), file_type(part.content_type), await part.read())
        for part in parts
    ]
    return Said(message_id, text), opening, [file for file in files if file.content]


def first_ids(files: Sequence[UUID]) -> None:
    """A first message cannot name files: none can have been uploaded before it."""
    if files:
        raise bad_request("Send the files together with the first message.", "malformed")
