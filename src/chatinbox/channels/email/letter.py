"""A letter in pieces, as the other files of this room speak of it."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox of a header: what is shown, and where it leads."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment: bytes with a name and a type. `content_id` and `inline` when the letter shows it in place."""

    name: str
    type: str
    content: bytes
    content_id: str | None
    inline: bool


@dataclass(slots=True)
class Parsed:
    """A letter in pieces. `headers` are decoded, by lower-case name, every value. `defect` says why it is beyond reading,
    `passed_on` that it came by somebody else, such as a group.
    """

    sender: Address | None = None
    reply_to: list[Address] = field(default_factory=list)
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    subject: str = ""
    date: datetime | None = None
    message_id: str | None = None
    references: list[str] = field(default_factory=list)
    text: str | None = None
    html: str | None = None
    parts: list[Part] = field(default_factory=list)
    headers: dict[str, list[str]] = field(default_factory=dict)
    defect: str | None = None
    passed_on: bool = False
