"""What the visitor sees of the conversation: messages, and nothing that is the team's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from chatinbox.channels.chat.session import Visitor
from chatinbox.conversations.body import open_body
from chatinbox.core.clock import millis
from chatinbox.core.db import Rows, Statement
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.customers.names import hue

PAGE = 50
CATCH_UP = 500
MAX_PICTURE = 3_000_000
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}

BY_LETTER = "(This came by e-mail.)"
"""Instead of a letter's words. Whoever knows a reply address can have letters sent there, such as another company's codes: the
box, whose visitor may have made up the address, never repeats them."""

_WINDOW = """(select * from message where account_id = %(account)s and conversation_id = %(conversation)s
  and position > %(after)s and position < %(before)s order by position {order} limit %(limit)s) m"""
_MESSAGES = """select m.id, m.position, m.at, m.author, m.staff_user_id, m.body_sealed, m.via, d.id, d.state, u.photo_id from {window}
  left join lateral (select id, state from delivery d where m.author = 'staff' and d.account_id = m.account_id
    and d.message_id = m.id and d.kind = 'chat' limit 1) d on true
  left join staff_user u on u.account_id = m.account_id and u.id = m.staff_user_id and u.photo_shown_at is not null
    and u.deactivated_at is null and exists (select from conversation c join channel h on h.account_id = c.account_id
      and h.id = c.channel_id and h.faces_at is not null where c.account_id = m.account_id and c.id = m.conversation_id)
  order by m.position"""
_FILES = """select a.message_id, a.id, a.name_sealed, a.type, a.size from {window}
  join attachment a on a.account_id = m.account_id and a.message_id = m.id order by a.id"""
_TALK = """select c.status = 'done',
  (select coalesce(max(s.position), 0) from staff_user u join seen s on s.account_id = u.account_id
    and s.staff_user_id = u.id and s.conversation_id = c.id where u.account_id = c.account_id),
  a.id, a.value_sealed
  from conversation c left join lateral (select id, value_sealed from address a where a.account_id = c.account_id
    and a.customer_id = c.customer_id and a.kind = 'email' order by a.created_at desc limit 1) a on true
 where c.account_id = %(account)s and c.id = %(conversation)s"""


class Author(msgspec.Struct, omit_defaults=True):
    """A staff user as the visitor meets them: the name they go by, and their face; a photo where they and the account show it."""

    name: str
    initials: str
    hue: int
    photo: str | None = None


class SeenFile(msgspec.Struct):
    """A file; `thumb` is its address again when it is a picture small enough to be shown."""

    id: UUID
    name: str
    size: int
    type: str
    url: str
    thumb: str | None


class SeenMessage(msgspec.Struct):
    """One message. Times are milliseconds since 1970."""

    id: UUID
    position: int
    at: int
    by: str
    author: Author | None
    text: str
    files: list[SeenFile]


class Talk(msgspec.Struct):
    """The conversation as its visitor sees it. `seen`: how far staff have read; `mine`: how far the visitor has. `token`:
    with which they go on, where theirs is of an earlier day.
    """

    messages: list[SeenMessage]
    more_before: bool
    seen: int
    mine: int
    email: str | None
    closed: bool
    typing: list[Author]
    token: str | None = None


class Fetched(msgspec.Struct):
    """What the visitor sees, the deliveries it brings to them, and what its staff writers are called."""

    talk: Talk
    brought: list[UUID]
    writers: dict[UUID, str]


def author(staff_user_id: UUID | None, name: str | None, photo: str | None = None) -> Author:
    """A staff user's given name and initials; the family name stays with the team."""
    words = (name or "").split()
    initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()
    return Author(
        words[0] if words else "Team",
        initials or "T",
        hue(staff_user_id) if staff_user_id else 170,
        photo,
    )


async def read_talk(inst: Installation, visitor: Visitor, after: int = 0, before: int = 0) -> Fetched:
    """Messages after a position (the last ones when it is 0), or those before one. One round trip."""
    catching_up = after > 0
    values: dict[str, Any] = {
        "account": visitor.account_id,
        "conversation": visitor.conversation_id,
        "after": after,
        "before": before or 1 << 60,
        "limit": CATCH_UP if catching_up else PAGE + 1,
    }
    window = _WINDOW.format(order="asc" if catching_up else "desc")
    asked: list[Statement] = [(text.format(window=window), values) for text in (_MESSAGES, _FILES)]
    messages, files, talks = await inst.db.run(visitor.account_id, *asked, (_TALK, values))
    more = not catching_up and len(messages) > PAGE
    key = await inst.vault.customer_key(visitor.account_id, visitor.customer_id)
    return _open(inst, visitor, key, messages[1:] if more else messages, files, talks[0], more)


def _open(
    inst: Installation,
    visitor: Visitor,
    key: SealKey,
    rows: Rows,
    files: Rows,
    talk: tuple[Any, ...],
    more: bool,
) -> Fetched:
    closed, seen, address_id, address = talk
    account_id = visitor.account_id
    attached = _files(inst, visitor, key, files)
    messages, brought, writers, mine = [], [], {}, 0
    for row_id, position, at, wrote, staff_user_id, sealed, via, delivery_id, state, photo_id in rows:
        body = open_body(key, sealed, account_id, "message", row_id)
        by_staff = wrote == "staff"
        is_letter = via == "email" and not by_staff
        photo = inst.links.face(account_id, photo_id) if photo_id else None
        if staff_user_id and body.author_name:
            writers[staff_user_id] = body.author_name
        messages.append(
            SeenMessage(
                row_id,
                position,
                millis(at),
                "staff" if by_staff else "me",
                author(staff_user_id, body.author_name, photo) if by_staff else None,
                BY_LETTER if is_letter else body.text,
                [] if is_letter else attached.get(row_id, []),
            )
        )
        if by_staff and via == "chat" and state not in ("delivered", "seen"):
            brought.append(delivery_id or row_id)
        if state == "seen":
            mine = position
    email = key.open_text(address, account_id, "address", "value", address_id) if address else None
    return Fetched(Talk(messages, more, seen, mine, email, closed, []), brought, writers)


def _files(inst: Installation, visitor: Visitor, key: SealKey, rows: Rows) -> dict[UUID, list[SeenFile]]:
    attached: dict[UUID, list[SeenFile]] = {}
    for message_id, file_id, name, kind, size in rows:
        attached.setdefault(message_id, []).append(seen_file(inst, visitor, key, file_id, name, kind, size))
    return attached


def seen_file(
    inst: Installation, visitor: Visitor, key: SealKey, file_id: UUID, name: bytes, kind: str, size: int
) -> SeenFile:
    """One attachment's row, opened, with its link on the files' origin."""
    url = inst.links.link(visitor.account_id, visitor.customer_id, file_id)
    words = key.open_text(name, visitor.account_id, "attachment", "name", file_id)
    return SeenFile(
        file_id, words, size, kind, url, url if kind in PICTURES and size <= MAX_PICTURE else None
    )
