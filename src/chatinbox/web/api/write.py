"""What staff write: answers, notes, drafts and their files."""

from typing import Literal
from urllib.parse import unquote
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.staff import Staff
from chatinbox.conversations import verbs
from chatinbox.conversations.body import MAX_TEXT, Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.timeline import new_message, read_timeline
from chatinbox.conversations.verbs.reply import Held
from chatinbox.conversations.who import customer_for, in_sight
from chatinbox.core.cleaning import clean_html
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_upload
from chatinbox.web.answer import answer, path_id, read_body, too_large
from chatinbox.web.api.whole import Whole


class Words(msgspec.Struct):
    """What staff wrote: the browser's id, the text, and what they had seen."""

    id: UUID
    text: str
    html: str | None = None
    files: list[UUID] = []
    seen: Whole = 0
    send_anyway: bool = False
    knowingly: bool = False
    then: Literal["waiting", "done"] | None = None


class Unsent(msgspec.Struct):
    """A draft as the browser keeps it."""

    kind: Literal["reply", "note"]
    text: str
    revision: Whole
    html: str | None = None
    files: list[UUID] = []


async def post_message(inst: Installation, by: Staff, request: Request) -> Response:
    """Staff answer."""
    conversation_id, words = path_id(request), await read_body(request, Words)
    body = _body(by, words.text, words.html, bool(words.files))
    await _check_files(inst, by, conversation_id, words.files)
    done = await verbs.reply(
        inst,
        by,
        conversation_id,
        words.id,
        body,
        seen_position=words.seen,
        attachment_ids=words.files,
        send_anyway=words.send_anyway,
        knowingly=words.knowingly,
        then=words.then or "waiting",
    )
    if isinstance(done, Held):
        newer = await read_timeline(inst, by, conversation_id, inst.links, after=max(1, words.seen))
        sentence = "Something new arrived that you have not seen. Look before you send."
        return answer(
            {"error": {"code": "held", "message": sentence}, "entries": newer.entries, "row": newer.row}, 409
        )
    if words.files:
        return await _entry(inst, by, conversation_id, done.position, done.feed)
    return answer({"entry": new_message(by, done, body), "feed": done.feed}, 201)


async def post_note(inst: Installation, by: Staff, request: Request) -> Response:
    """Staff write a note."""
    conversation_id, words = path_id(request), await read_body(request, Words)
    body = _body(by, words.text, words.html, bool(words.files))
    await _check_files(inst, by, conversation_id, words.files)
    done = await verbs.add_note(inst, by, conversation_id, words.id, body, attachment_ids=words.files)
    return await _entry(inst, by, conversation_id, done.position, done.feed)


async def put_draft(inst: Installation, by: Staff, request: Request) -> Response:
    """Keeps unsent words; 409 when another tab kept newer ones."""
    told = await read_body(request, Unsent)
    body = _body(by, told.text, told.html, allow_empty=True)
    await _check_files(inst, by, path_id(request), told.files)
    if await verbs.save_draft(inst, by, path_id(request), told.kind, body, told.revision, told.files):
        return Response(status_code=204)
    raise Refused(409, "A newer draft of this was kept in another tab.", "newer_draft")


async def delete_draft(inst: Installation, by: Staff, request: Request) -> Response:
    """Throws unsent words away."""
    await customer_for(inst, by, path_id(request))
    await verbs.drop_draft(inst, by, path_id(request))
    return Response(status_code=204)


async def post_file(inst: Installation, by: Staff, request: Request) -> Response:
    """A file for the next answer or note of a conversation."""
    conversation_id = path_id(request)
    by.need("answer" if by.may("answer") else "note")
    customer_id = await customer_for(inst, by, conversation_id)
    limit = inst.settings.max_upload_bytes
    with inst.uploads.share() as share:
        content = await read_upload(request, limit, too_large(limit), share)
        file = _file(request, content)
        file_id = await verbs.attach(inst, by.account_id, conversation_id, file)
    url = inst.links.link(by.account_id, customer_id, file_id, by.mark)
    told = {
        "id": file_id,
        "name": file.name,
        "size": len(content),
        "type": file.type,
        "url": url,
        "thumb": False,
    }
    return answer(told, 201)


def _file(request: Request, content: bytes) -> NewFile:
    name = unquote(request.headers.get("x-file-name", "file")).replace("/", "_").replace("\\", "_")
    type_ = request.headers.get("content-type", "application/octet-stream").split(";")[0].strip()
    return NewFile(name, type_, content)


async def _entry(inst: Installation, by: Staff, conversation_id: UUID, position: int, feed: int) -> Response:
    timeline = await read_timeline(
        inst, by, conversation_id, inst.links, after=max(1, position - 1), before=position + 1
    )
    entry = next((entry for entry in timeline.entries if entry.position == position), None)
    return answer({"entry": entry, "feed": feed}, 201)


async def _check_files(inst: Installation, by: Staff, conversation_id: UUID, file_ids: list[UUID]) -> None:
    """Nothing is sent or kept without a file it names. Raises not-found for one that is not this conversation's."""
    if not file_ids:
        return
    await in_sight(inst, by, conversation_id)
    ask = "select count(*) from attachment where account_id = %s and conversation_id = %s and id = any(%s)"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, conversation_id, file_ids]))
    if rows[0][0] != len(set(file_ids)):
        raise not_found()


def _body(by: Staff, text: str, html: str | None, allow_empty: bool = False) -> Body:
    if len(text) > MAX_TEXT or (html and len(html) > MAX_TEXT):
        raise Refused(413, "This is longer than one message can be. Send the rest as a file.", "too_long")
    if not text.strip() and not allow_empty:
        raise bad_request("Write something first.", "empty")
    if "\0" in text:
        raise bad_request("This text holds a character that cannot be stored.", "malformed")
    return Body(text=text, html=clean_html(html).html if html else None, author_name=by.name)
