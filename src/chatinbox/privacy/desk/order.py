"""Orders and dangers as they are written down: which sort, what it names, of what and when, and until when it is secret (C37, C38)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from chatinbox.core.clock import now
from chatinbox.core.errors import bad_request

Kind: TypeAlias = Literal["law", "safety"]
INSTRUMENTS: dict[str, str] = {
    "subpoena": "A subpoena or an administrative request",
    "authority_order": "An order of an authority",
    "court_order": "An order of a court",
    "warrant": "A search warrant",
    "danger": "A danger to life, limb or property",
}
CONTENT_BY = ("court_order", "warrant", "danger")
"""What can name content of conversations. The others get what the account and its plan are called."""
KINDS: dict[str, str] = {
    "account": "the account: its name, when it was opened and closed",
    "billing": "plan and bills",
    "staff": "names and addresses of its staff",
    "messages": "messages with customers",
    "notes": "notes among staff",
    "files": "files of messages, and of notes where these are named",
}
SAID = ("messages", "notes")
CONTENT = (*SAID, "files")
OBJECTS = {
    "account": "The account",
    "conversation": "One conversation",
    "customer": "One customer's conversations",
}
LONGEST_GAG = timedelta(days=365)


class Words(msgspec.Struct, frozen=True):
    """What is said in a case: the order's reference, who issued it, who receives what it names, and why."""

    reference: str
    issuer: str
    recipient: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody writes down of an order or a danger."""

    instrument: str
    words: Words
    kinds: list[str]
    object: str = "account"
    number: int | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    gag_until: datetime | None = None

    @property
    def kind(self) -> Kind:
        """Whether it is law that binds, or a danger."""
        return "safety" if self.instrument == "danger" else "law"


def check_order(order: Order) -> None:
    """Raises a sentence for an order that is not whole, asks for too much, or is secret without an end."""
    words = order.words
    if order.instrument not in INSTRUMENTS or order.object not in OBJECTS:
        raise bad_request("Which sort of order is it, and what is it about?", "instrument")
    if any(len(one.strip()) < 3 for one in (words.reference, words.issuer, words.recipient)):
        raise bad_request("Say its reference, who issued it and who receives.", "reference")
    if len(words.why.strip()) < 10:
        raise bad_request("Say in ten letters or more what it rests on.", "why")
    if not order.kinds or not set(order.kinds) <= set(KINDS):
        raise bad_request("Which kinds of data does it name?", "kinds")
    has_content = bool(set(order.kinds) & set(CONTENT))
    if has_content and order.instrument not in CONTENT_BY:
        raise bad_request("This sort of order cannot name content of conversations.", "kinds")
    if has_content and order.object == "account" and not (order.from_at and order.to_at):
        raise bad_request("Which conversation, which customer, or from when until when?", "from")
    if not has_content and order.object != "account":
        raise bad_request("A conversation is named only where its content is.", "object")
    if order.from_at and order.to_at and order.from_at >= order.to_at:
        raise bad_request("The end comes after the beginning.", "from")
    if order.gag_until and order.kind == "safety":
        raise bad_request("Of a danger the account is always told.", "gag")
    if order.gag_until and not now() < order.gag_until <= now() + LONGEST_GAG:
        raise bad_request(
            "Secret until which day? A year from now at most; longer needs another order.", "gag"
        )
