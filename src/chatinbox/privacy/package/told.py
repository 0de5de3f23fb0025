"""What is told in a copy: its records, each a line of JSON and a place on a page. Times are UTC; the schema is made of these."""

from datetime import datetime

import msgspec


class Fact(msgspec.Struct):
    """One thing that is known of you: since when, and from where."""

    what: str
    value: str
    source: str
    at: datetime


class File(msgspec.Struct):
    """A file; `size` in bytes. `path` is where it lies in this copy; null where it was left out or is gone."""

    name: str
    type: str
    size: int
    path: str | None


class Entry(msgspec.Struct):
    """A message or a note in a conversation. `by` is "you", "the business" or "somebody else"."""

    conversation: int
    position: int
    at: datetime
    kind: str
    by: str
    who: str | None
    via: str | None
    automatic: bool
    text: str
    quoted: str | None
    from_address: str | None
    to: list[str]
    cc: list[str]
    left_out: str | None
    files: list[File]


class Event(msgspec.Struct):
    """Something that happened to a conversation."""

    conversation: int
    at: datetime
    what: str


class Talk(msgspec.Struct):
    """A conversation. `status` says whose turn it is."""

    number: int
    subject: str | None
    channel: str
    status: str
    tags: list[str]
    began_at: datetime
    last_at: datetime
    messages: int
    notes: int
    files: int


class Disclosed(msgspec.Struct):
    """That something about you left the business's account: to whom, why, on whose word, which kinds of data."""

    at: datetime
    to: str
    why: str
    instruction: str
    what: list[str]
    outcome: str


class Purpose(msgspec.Struct):
    """A kind of data, what it is for, how long it is kept and how it goes."""

    what: str
    purpose: str
    kept: str
    erased: str


class Business(msgspec.Struct):
    """Who is responsible for the data, and how they are reached; empty where they did not say."""

    name: str
    legal_name: str
    postal_address: str
    privacy_address: str
    privacy_page: str


class Person(msgspec.Struct):
    """What the copy is about, beside the conversations: who you are here, and what stands about your rights."""

    made_at: datetime
    business: Business
    facts: list[Fact]
    standing: list[str]
    purposes: list[Purpose]
    rules: list[str]
    recipients: list[str]
    rights: list[str]
    left_out: list[str]
    counts: dict[str, int]


RECORDS: dict[str, type[msgspec.Struct]] = {
    "you.json": Person,
    "conversations.jsonl": Talk,
    "entries.jsonl": Entry,
    "events.jsonl": Event,
    "disclosed.jsonl": Disclosed,
}
"""The files of the copy that programs read, and what each of their lines is."""


def schema() -> dict[str, object]:
    """JSON Schema (2020-12) of each of these files' lines."""
    return {name: msgspec.json.schema(kind) for name, kind in RECORDS.items()}
