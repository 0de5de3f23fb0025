"""What is recorded about staff, by kind: this list and no other (clause C22). Reports are counted from it.

Not recorded: keystrokes, screens, pages, devices, addresses of machines.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from chatinbox.accounts.workspace import read_in
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

Kind: TypeAlias = Literal["sign_in", "session_end", "active", "answer", "note", "done", "assignment"]
How: TypeAlias = Literal["password", "passkey", "sso"]

KINDS: dict[Kind, str] = {
    "sign_in": "That you signed in, when, and whether by password, passkey or your company’s own sign-on.",
    "session_end": "When that session ended.",
    "active": "From when to when you worked with the inbox: a tab of it was in view and was touched within five minutes.",
    "answer": "That you answered, when and on which channel; for the first answer, how long the customer had waited.",
    "note": "That you wrote a note, and when.",
    "done": "That you marked a conversation as done, when, and how long after the customer’s first words.",
    "assignment": "That a conversation was given to you, and when.",
}
"""Each kind as the person reads it whom it is about."""

OF_PERSON: tuple[Kind, ...] = ("sign_in", "session_end", "active")
"""Kinds about a person's day rather than a customer's conversation: not recorded without lines per person."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One sign-in, or the end of a session."""

    kind: Kind
    staff_user_id: UUID
    at: datetime
    session_id: UUID | None = None
    how: How | None = None


def check_kind(kind: str) -> None:
    """Raises for a kind that is not in the list: nothing else about staff is ever recorded."""
    if kind not in get_args(Kind):
        raise Refused(422, f"“{kind}” is not among what is recorded about staff.", "kind")


async def record(inst: Installation, account_id: UUID, what: Recorded) -> None:
    """Records it, unless the account has no lines per person. Raises for a kind that is not in the list."""
    check_kind(what.kind)
    try:
        async with inst.db.account(account_id) as tx:
            if (await read_in(inst, tx)).individual_reports == "off":
                return
            await tx.execute(
                "insert into staff_record (account_id, id, kind, staff_user_id, how, session_id, at)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                [account_id, new_id(), what.kind, what.staff_user_id, what.how, what.session_id, what.at],
            )
    except Erased:
        return  # an account whose key is destroyed records nothing
