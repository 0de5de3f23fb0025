"""What staff do with a conversation besides writing: whose turn, who answers, tags, names, what they look at."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.staff import Staff
from chatinbox.conversations import verbs
from chatinbox.conversations.change import Changed
from chatinbox.conversations.inbox import read_rows
from chatinbox.conversations.looked import at_conversation
from chatinbox.conversations.verbs import rename_customer
from chatinbox.conversations.who import customer_for
from chatinbox.core.errors import bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.web.answer import answer, path_id, read_body
from chatinbox.web.api.whole import Whole
from chatinbox.web.panel import read_panel


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


async def put_assignment(inst: Installation, by: Staff, request: Request) -> Response:
    """Who answers."""
    told = await read_body(request, Assignment)
    return await _changed(inst, by, request, verbs.assign, told.staff_user_id)


async def put_status(inst: Installation, by: Staff, request: Request) -> Response:
    """Whose turn it is."""
    told = await read_body(request, StatusWord)
    return await _changed(inst, by, request, verbs.set_status, told.status)


async def put_snooze(inst: Installation, by: Staff, request: Request) -> Response:
    """Out of sight until a time."""
    told = await read_body(request, Until)
    return await _changed(inst, by, request, verbs.snooze, _time(told.until))


async def put_tag(inst: Installation, by: Staff, request: Request) -> Response:
    """Puts a tag on."""
    return await _changed(inst, by, request, verbs.tag, path_id(request, "tag_id"))


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


async def post_tag(inst: Installation, by: Staff, request: Request) -> Response:
    """Makes a tag."""
    return answer(await verbs.create_tag(inst, by, (await read_body(request, Name)).name), 201)


async def put_spam(inst: Installation, by: Staff, request: Request) -> Response:
    """Into spam."""
    return await _changed(inst, by, request, verbs.mark_spam, True)


async def delete_spam(inst: Installation, by: Staff, request: Request) -> Response:
    """Out of spam."""
    return await _changed(inst, by, request, verbs.mark_spam, False)


async def put_seen(inst: Installation, by: Staff, request: Request) -> Response:
    """How far this staff user has read."""
    told = await read_body(request, Position)
    await verbs.mark_seen(inst, by, path_id(request), told.position)
    return Response(status_code=204)


async def put_subject(inst: Installation, by: Staff, request: Request) -> Response:
    """Another subject."""
    told = await read_body(request, Subject)
    return await _changed(inst, by, request, verbs.rename, told.subject)


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
        await _opens(inst, by, told.conversation_id)
        inst.presence.staff_here(by.account_id, told.conversation_id, by.staff_user_id, True, told.typing)
    inst.presence.leave_others(by.account_id, by.staff_user_id, told.conversation_id)
    return Response(status_code=204)


async def _opens(inst: Installation, by: Staff, conversation_id: UUID) -> None:
    """Whose browser had it ahead opens it now: noted like a reading. Raises not-found."""
    await customer_for(inst, by, conversation_id)
    look = at_conversation(by, conversation_id)
    if look.statements:
        await inst.db.run(by.account_id, *look.statements)
        look.kept()


async def _changed(
    inst: Installation,
    by: Staff,
    request: Request,
    verb: Callable[..., Awaitable[Changed | None]],
    word: object,
) -> Response:
    """Has a verb change the conversation of the path."""
    conversation_id = path_id(request)
    return await _row(inst, by, conversation_id, await verb(inst, by, conversation_id, word))


async def _row(inst: Installation, by: Staff, conversation_id: UUID, done: Changed | None) -> Response:
    """A change's answer: the row as it now is."""
    [row] = await read_rows(inst, by, [conversation_id])
    return answer({"row": row, "feed": done.feed if done else row.feed})


def _time(millis: int | None) -> datetime | None:
    if millis is None:
        return None
    try:
        return datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise bad_request("Choose a time that a calendar has.", "until") from None
