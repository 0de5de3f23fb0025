"""The staff inbox's JSON doors: each parses, calls one verb or one reading, answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import unquote
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chatinbox.accounts.staff import Staff
from chatinbox.conversations import verbs
from chatinbox.conversations.body import MAX_TEXT, Body
from chatinbox.conversations.change import Changed
from chatinbox.conversations.inbox import read_list, read_rows, read_since
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.search.find import find
from chatinbox.conversations.timeline import new_message, read_timeline
from chatinbox.conversations.verbs.reply import Held
from chatinbox.conversations.who import customer_for, in_sight
from chatinbox.core.cleaning import clean_html
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_upload
from chatinbox.customers.rename import rename_customer
from chatinbox.web.answer import Door, answer, path_id, read_body, too_large
from chatinbox.web.panel import read_panel

# A place in a timeline or a count of keystrokes: what the database and a browser's numbers both hold.
Whole = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Words(msgspec.Struct):
    """What staff wrote: the browser's id, the text, and what they had seen."""

    id: UUID
    text: str
    html: str | None = None
    files: list[UUID] = []
    seen: Whole = 0
    send_anyway: bool = False
    then: Literal["waiting", "done"] | None = None


class Unsent(msgspec.Struct):
    """A draft as the browser keeps it."""

    kind: Literal["reply", "note"]
    text: str
    revision: Whole
    html: str | None = None
    files: list[UUID] = []


class Assignment(msgspec.Struct):
    """Who answers; null for nobody."""

    staff_user_id: UUID | None


class StatusWord(msgspec.Struct):
    """Whose turn it is."""

    status: Literal["todo", "waiting", "done"]


class Until(msgspec.Struct):
    """Until when, in milliseconds since 1970; null wakes."""

    until: int | None


class Position(msgspec.Struct):
    """How far somebody has read."""

    position: Whole


class Name(msgspec.Struct):
    """A name for a tag or a customer."""

    name: str


class Subject(msgspec.Struct):
    """A conversation's subject."""

    subject: str


class Here(msgspec.Struct):
    """What this staff user looks at."""

    conversation_id: UUID | None
    typing: bool = False


async def get_list(inst: Installation, by: Staff, request: Request) -> Response:
    """A page of a view."""
    ask = request.query_params
    # A malformed tag is a tag nobody has: an empty page, as for a foreign one.
    tag_id = read_id(ask["tag"]) or UUID(int=0) if ask.get("tag") else None
    view = ask.get("view", "todo")
    # Only where somebody waits is there a longest wait.
    sort = ask.get("sort", "newest") if view in ("todo", "mine", "unassigned") else "newest"
    return answer(await read_list(inst, by, view, ask.get("status", "todo"), tag_id, sort, ask.get("after")))


async def get_sync(inst: Installation, by: Staff, request: Request) -> Response:
    """What changed since a feed number."""
    return answer(await read_since(inst, by, _number(request, "after")))


async def get_conversation(inst: Installation, by: Staff, request: Request) -> Response:
    """One conversation: entries, states, draft, who is here; the customer with it when it is opened."""
    conversation_id = path_id(request)
    after, before = _number(request, "after"), _number(request, "before", 1 << 60)
    timeline = await read_timeline(inst, by, conversation_id, inst.links, after, before)
    told = msgspec.structs.asdict(timeline) | {
        "here": [
            {"staff_user_id": who, "typing": typing}
            for who, typing in inst.presence.staff_at(conversation_id)
        ],
        "visitor": {
            "here": inst.presence.is_visitor_here(conversation_id),
            "typing": inst.presence.is_visitor_typing(conversation_id),
        },
    }
    if not after and before == 1 << 60:
        told["customer"] = await read_panel(inst, by, timeline.row.customer.id)
    return answer(told)


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


async def put_assignment(inst: Installation, by: Staff, request: Request) -> Response:
    """Who answers."""
    told = await read_body(request, Assignment)
    return await _row(
        inst, by, path_id(request), await verbs.assign(inst, by, path_id(request), told.staff_user_id)
    )


async def put_status(inst: Installation, by: Staff, request: Request) -> Response:
    """Whose turn it is."""
    told = await read_body(request, StatusWord)
    return await _row(
        inst, by, path_id(request), await verbs.set_status(inst, by, path_id(request), told.status)
    )


async def put_snooze(inst: Installation, by: Staff, request: Request) -> Response:
    """Out of sight until a time."""
    told = await read_body(request, Until)
    return await _row(
        inst, by, path_id(request), await verbs.snooze(inst, by, path_id(request), _time(told.until))
    )


async def put_tag(inst: Installation, by: Staff, request: Request) -> Response:
    """Puts a tag on."""
    done = await verbs.tag(inst, by, path_id(request), path_id(request, "tag_id"))
    return await _row(inst, by, path_id(request), done)


async def delete_tag(inst: Installation, by: Staff, request: Request) -> Response:
    """Takes a tag off."""
    tag_id = path_id(request, "tag_id")
    done = await verbs.untag(inst, by, path_id(request), tag_id)
    if done is None:
        ask = "select 1 from tag where account_id = %s and id = %s"
        [found] = await inst.db.run(by.account_id, (ask, [by.account_id, tag_id]))
        if not found:
            raise not_found()
    return await _row(inst, by, path_id(request), done)


async def put_spam(inst: Installation, by: Staff, request: Request) -> Response:
    """Into spam."""
    return await _row(inst, by, path_id(request), await verbs.mark_spam(inst, by, path_id(request), True))


async def delete_spam(inst: Installation, by: Staff, request: Request) -> Response:
    """Out of spam."""
    return await _row(inst, by, path_id(request), await verbs.mark_spam(inst, by, path_id(request), False))


async def put_seen(inst: Installation, by: Staff, request: Request) -> Response:
    """How far this staff user has read."""
    told = await read_body(request, Position)
    await verbs.mark_seen(inst, by, path_id(request), told.position)
    return Response(status_code=204)


async def put_subject(inst: Installation, by: Staff, request: Request) -> Response:
    """Another subject."""
    told = await read_body(request, Subject)
    return await _row(
        inst, by, path_id(request), await verbs.rename(inst, by, path_id(request), told.subject)
    )


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


async def post_tag(inst: Installation, by: Staff, request: Request) -> Response:
    """Makes a tag."""
    return answer(await verbs.create_tag(inst, by, (await read_body(request, Name)).name), 201)


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
    url = inst.links.link(by.account_id, customer_id, file_id)
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


async def get_search(inst: Installation, by: Staff, request: Request) -> Response:
    """Conversations in which these words stand, newest first."""
    found = await find(inst, by, request.query_params.get("q", ""), request.query_params.get("after"))
    rows = {row.id: row for row in await read_rows(inst, by, [hit.conversation_id for hit in found.hits])}
    hits = [
        msgspec.structs.asdict(rows[h.conversation_id]) | {"hit": h}
        for h in found.hits
        if h.conversation_id in rows
    ]
    return answer({"rows": hits, "next": found.next})


async def get_customer(inst: Installation, by: Staff, request: Request) -> Response:
    """One customer."""
    return answer(await read_panel(inst, by, path_id(request)))


async def put_customer(inst: Installation, by: Staff, request: Request) -> Response:
    """Gives a customer a name."""
    told = await read_body(request, Name)
    by.need("customers")
    await read_panel(inst, by, path_id(request))  # one they may not see is not there
    await rename_customer(inst, by, path_id(request), told.name)
    return answer(await read_panel(inst, by, path_id(request)))


async def put_here(inst: Installation, by: Staff, request: Request) -> Response:
    """Which conversation this staff user looks at."""
    told = await read_body(request, Here)
    if told.conversation_id:
        await customer_for(inst, by, told.conversation_id)
        inst.presence.staff_here(by.account_id, told.conversation_id, by.staff_user_id, True, told.typing)
    inst.presence.leave_others(by.account_id, by.staff_user_id, told.conversation_id)
    return Response(status_code=204)


async def _row(inst: Installation, by: Staff, conversation_id: UUID, done: Changed | None) -> Response:
    """A change's answer: the row as it now is."""
    [row] = await read_rows(inst, by, [conversation_id])
    return answer({"row": row, "feed": done.feed if done else row.feed})


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


def _number(request: Request, name: str, otherwise: int = 0) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise bad_request(f"“{name}” is a whole number.", name)
    return int(text)


def _time(millis: int | None) -> datetime | None:
    if millis is None:
        return None
    try:
        return datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise bad_request("Choose a time that a calendar has.", "until") from None


ROUTES: list[tuple[str, str, Door]] = [
    # The router looks from the top, so what is asked most stands first.
    ("GET", "/api/conversations/{id}", get_conversation),
    ("GET", "/api/sync", get_sync),
    ("GET", "/api/list", get_list),
    ("POST", "/api/conversations/{id}/messages", post_message),
    ("PUT", "/api/here", put_here),
    ("GET", "/api/search", get_search),
    ("POST", "/api/tags", post_tag),
    ("POST", "/api/conversations/{id}/notes", post_note),
    ("POST", "/api/conversations/{id}/files", post_file),
    ("PUT", "/api/conversations/{id}/assignment", put_assignment),
    ("PUT", "/api/conversations/{id}/status", put_status),
    ("PUT", "/api/conversations/{id}/snooze", put_snooze),
    ("PUT", "/api/conversations/{id}/tags/{tag_id}", put_tag),
    ("DELETE", "/api/conversations/{id}/tags/{tag_id}", delete_tag),
    ("PUT", "/api/conversations/{id}/spam", put_spam),
    ("DELETE", "/api/conversations/{id}/spam", delete_spam),
    ("PUT", "/api/conversations/{id}/seen", put_seen),
    ("PUT", "/api/conversations/{id}/subject", put_subject),
    ("PUT", "/api/conversations/{id}/draft", put_draft),
    ("DELETE", "/api/conversations/{id}/draft", delete_draft),
    ("GET", "/api/customers/{id}", get_customer),
    ("PUT", "/api/customers/{id}", put_customer),
]


def routes(door: Callable[[Door], ASGIApp]) -> list[Route]:
    """The routes, each behind the same door (who acts, same origin, errors)."""
    return [Route(path, door(act), methods=[method]) for method, path, act in ROUTES]
