"""What a door hands to `receive`: parsed, cleaned, not yet placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.conversations.body import Body

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
    """Who writes. A known `customer_id` wins; else the proven address finds or makes the customer. What is said of them came
    by the channel, or with a letter that somebody passed on; `passed_on_by` when that is a staff user.
    """

    email: str | None = None
    name: str | None = None
    customer_id: UUID | None = None
    source: Literal["channel", "forward"] = "channel"
    passed_on_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message on its way in.

    `message_id` is made by the door and makes a second delivery of it harmless; `key` (blind of a Message-ID or a
    content hash) does the same for mail. `conversation_id` is set when threading found one. `references` are the
    blinds under which answers will find this message. `automatic` neither reopens nor is answered. `withheld` counts by kind
    what was kept out of it already.
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
    withheld: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """Where it went. `duplicate` when it was there already; then everything else tells of the first one."""

    conversation_id: UUID
    message_id: UUID
    customer_id: UUID
    position: int
    feed: int
    duplicate: bool = False
