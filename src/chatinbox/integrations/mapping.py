"""The closed lists: of what a program may hear, what it may receive, and what it may bring. There is nothing beside them.

The database keeps the same lists (`schema/0042_connections.sql`).
"""

from dataclasses import dataclass

EVENTS: dict[str, str] = {
    "message.received": "A customer wrote",
    "message.answered": "A colleague answered",
    "conversation.opened": "A conversation began, or was put back to do",
    "conversation.closed": "A conversation is done",
    "conversation.assigned": "A conversation was given to somebody, or to nobody",
    "conversation.tagged": "A tag was put on",
    "conversation.untagged": "A tag was taken off",
    "customer.changed": "A customer was added or changed",
    "note.added": "A colleague wrote a note",
}
ERASED = "customer.erased"
"""Told to every program that was told of the customer, chosen or not: it has to erase them as well (GDPR Art. 19)."""
TEST = "test"

CAUSES: dict[str, tuple[str, ...]] = {
    "message.received": ("message.received", "conversation.opened"),
    "message.sent": ("message.answered",),
    "status": ("conversation.opened", "conversation.closed"),
    "assigned": ("conversation.assigned",),
    "unassigned": ("conversation.assigned",),
    "tagged": ("conversation.tagged",),
    "untagged": ("conversation.untagged",),
    "customer.changed": ("customer.changed",),
    "customer.corrected": ("customer.changed",),
    "address.claimed": ("customer.changed",),
    "note.added": ("note.added",),
}
"""What happened here, and what a program hears of it."""

IDS = (
    "customer_id", "conversation_id", "conversation_number", "channel_id", "message_id", "note_id", "tag_id", "assignee_id",
    "staff_user_id",
)  # fmt: skip
"""What every program is told: which things it is about, and no word about them."""

_TALKS = frozenset(EVENTS) - {"customer.changed"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that may be chosen: as people read it, as the ledger says it, and with which events it goes."""

    title: str
    says: str
    of: frozenset[str]


FIELDS: dict[str, Field] = {
    "customer_name": Field("The customer’s name", "name", frozenset(EVENTS)),
    "customer_address": Field("The customer’s e-mail address", "e-mail address", frozenset(EVENTS)),
    "customer_language": Field("The customer’s language", "language", frozenset(EVENTS)),
    "subject": Field("The subject of the conversation", "subject", _TALKS),
    "words": Field("The words of messages", "words", frozenset({"message.received", "message.answered"})),
    "note_words": Field("The words of notes", "words of notes", frozenset({"note.added"})),
    "tags": Field("The conversation’s tags", "tags", _TALKS),
    "status": Field("Whose turn it is", "status", _TALKS),
    "staff_name": Field("The name of the colleague who did it", "name of a colleague", frozenset(EVENTS)),
}

BRINGS: dict[str, str] = {
    "name": "Name",
    "language": "Language",
    "phone": "Telephone number",
    "external_id": "Their id in the other program",
}
"""What a program may bring about a customer, beside the e-mail address by which it names them."""
