"""What a door hands to `receive`: parsed, cleaned, not yet placed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from chatinbox.conversations.body import Body
from chatinbox.core.card_numbers import mask, mask_html

Via: TypeAlias = Literal["email", "chat", "api"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it came. `content_id` when the letter shows it in place (RFC 2392)."""

    name: str
    type: str
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes. A known `customer_id` wins; else the proven address finds or makes the customer."""

    email: str | None = None
    name: str | None = None
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message on its way in.

    `message_id` is made by the door and makes a second delivery of it harmless; `key` (blind of a Message-ID or a
    content hash) does the same for mail. `conversation_id` is set when threading found one. `references` are the
    blinds under which answers will find this message. `automatic` neither reopens nor is answered.
    """

    channel_id: UUID
    via: Via
    sender: Sender
    message_id: UUID
    body: Body
    subject: str | None = None
    conversation_id: UUID | None = None
    files: Sequence[NewFile] = ()
    attachment_ids: Sequence[UUID] = ()
    key: bytes | None = None
    references: Sequence[bytes] = ()
    automatic: bool = False
    spam: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Where it went. `duplicate` when it was there already; then everything else tells of the first one."""

    conversation_id: UUID
    message_id: UUID
    customer_id: UUID
    position: int
    feed: int
    duplicate: bool = False


def without_card_numbers(incoming: Incoming) -> Incoming:
    """What comes in, with the numbers of payment cards masked in its words and its subject."""
    body = incoming.body
    told = msgspec.structs.replace(
        body,
        text=mask(body.text),
        html=body.html and mask_html(body.html),
        quoted_text=body.quoted_text and mask(body.quoted_text),
        quoted_html=body.quoted_html and mask_html(body.quoted_html),
        subject=body.subject and mask(body.subject),
    )
    return replace(incoming, body=told, subject=incoming.subject and mask(incoming.subject))
