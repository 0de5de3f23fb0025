"""Permissions: what somebody may do in an account besides reading it, and which of it the built-in roles may do."""

from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["owner", "admin", "staff", "viewer"]
Permission: TypeAlias = Literal[
    "answer",
    "note",
    "arrange",
    "customers",
    "erase",
    "channels",
    "staff",
    "workspace",
    "reports",
    "ledger",
    "export",
    "integrations",
    "billing",
    "account",
]

WORDS: dict[Permission, str] = {
    "answer": "Answer customers",
    "note": "Write notes",
    "arrange": "Assign, tag, snooze, mark as done or spam",
    "customers": "Change what is known of a customer",
    "erase": "Erase a customer for good",
    "channels": "Set up channels",
    "staff": "Invite colleagues, set roles and teams",
    "workspace": "Change the settings of the account",
    "reports": "See reports about staff",
    "ledger": "See what left the account, what was changed, and who looked",
    "export": "Export the account's data",
    "integrations": "Connect other programs",
    "billing": "See and change the plan and its bills",
    "account": "Hand over or close the account",
}

ALL: frozenset[Permission] = frozenset(get_args(Permission))
OF: dict[Role, frozenset[Permission]] = {
    "owner": ALL,
    "admin": ALL - {"account"},
    "staff": frozenset({"answer", "note", "arrange", "customers"}),
    "viewer": frozenset(),
}

# What can still be done in a closed account, by whoever may: reading, taking along, paying, and opening it again.
WHILE_CLOSED: frozenset[Permission] = frozenset({"reports", "ledger", "export", "billing", "account"})
