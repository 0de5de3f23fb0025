"""Who may get something by HTTP, and why: named recipients stand in this register, others an account chose itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.core.egress.ledger import Subject

Basis: TypeAlias = Literal[
    "permission",  # C34: somebody gave theirs
    "service",  # C33a: it was asked for, as an answer to a customer or a link to sign in
    "integration",  # C35: a staff user authorised it
    "subprocessor",  # C36: works on our behalf
    "law",  # C37: an order that binds us
    "rights",  # C38, C40: rights, property, safety
    "fraud",  # C41
]
"""Why something may leave (C33a: only if). There is no other; the database keeps the same list."""


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient whom the operator named. `base` is where it is reached: scheme, host and port."""

    name: str
    does: str
    basis: Basis
    base: str


KEYHOLDER = "keyholder"
REGISTER: dict[str, Named] = {
    one.name: one
    for one in (
        Named("stripe", "Takes payments for plans", "subprocessor", "https://api.stripe.com"),
        Named(
            "google_analytics",
            "Receives finished counts of visits to the website, where the operator wants that",
            "subprocessor",
            "https://www.google-analytics.com",
        ),
        Named(
            KEYHOLDER, "Wraps a key of this installation, where the operator wants that", "subprocessor", ""
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request is for: whose, to whom, why, who said so, and which kinds of data are in it.

    `to` names a recipient of the register; None means an address that the account chose. Without an account it is the
    house's own, and only a named recipient may have it. The recipient is sealed under
    the key of `subject` (the account's own unless it is about one customer or person).
    """

    account_id: UUID | None
    to: str | None
    basis: Basis
    instruction: str
    fields: tuple[str, ...]
    subject_kind: Subject = "account"
    subject_id: UUID | None = None
    permission_id: UUID | None = None  # what it leaves on, where the basis is a permission


Guard: TypeAlias = Callable[[UUID, str], Awaitable[str | None]]
"""Asked before anything of an account leaves by `mail` or to a named recipient: a word why it may not, or None."""


async def pass_all(_account_id: UUID, _way: str) -> str | None:
    """The guard of an installation that no start has looked at."""
    return None
