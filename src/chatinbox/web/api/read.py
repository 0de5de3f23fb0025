"""What the staff inbox reads: lists, what changed since, conversations, search, customers."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import NOT_NOTED, WORDS
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.inbox import read_list, read_rows, read_since
from chatinbox.conversations.looked import at_conversation, at_customer, at_found
from chatinbox.conversations.search.find import find
from chatinbox.conversations.timeline import read_timeline
from chatinbox.core.clock import millis
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.read import seen_by
from chatinbox.web.answer import answer, path_id
from chatinbox.web.forms import asked_id
from chatinbox.web.panel import read_panel


async def get_list(inst: Installation, by: Staff, request: Request) -> Response:
    """A page of a view."""
    ask = request.query_params
    tag_id = asked_id(ask.get("tag"))
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
    look = at_conversation(
        by, conversation_id, "ahead" if request.query_params.get("ahead") else "conversation"
    )
    timeline = await read_timeline(inst, by, conversation_id, inst.links, after, before, look)
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


async def get_search(inst: Installation, by: Staff, request: Request) -> Response:
    """Conversations in which these words stand, newest first."""
    words, after = request.query_params.get("q", ""), request.query_params.get("after")
    found = await find(inst, by, words, after)
    ids = [hit.conversation_id for hit in found.hits]
    look = at_found(by, f"{words} {after}", len(ids)) if words.strip() else NOT_NOTED
    rows = {row.id: row for row in await read_rows(inst, by, ids, look)}
    hits = [
        msgspec.structs.asdict(rows[h.conversation_id]) | {"hit": h}
        for h in found.hits
        if h.conversation_id in rows
    ]
    return answer({"rows": hits, "next": found.next})


async def get_customer(inst: Installation, by: Staff, request: Request) -> Response:
    """One customer."""
    customer_id = path_id(request)
    return answer(await read_panel(inst, by, customer_id, at_customer(by, customer_id)))


async def get_looked(inst: Installation, by: Staff, request: Request) -> Response:
    """The last who looked at a customer."""
    found = await seen_by(inst, by, path_id(request))
    told = [
        {"at": millis(one.at), "staff_user_id": one.staff_user_id, "deed": WORDS[one.deed]}  # type: ignore[index]
        for one in found
    ]
    return answer({"looked": told})


def _number(request: Request, name: str, otherwise: int = 0) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise bad_request(f"“{name}” is a whole number.", name)
    return int(text)
