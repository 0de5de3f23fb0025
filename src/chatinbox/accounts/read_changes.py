"""Reading the change log: who changed what, before, after, when; filtered, a page at a time, and as CSV."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.accounts.queries import GONE, staff_names
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.core.sheet import sheet

PAGE = 50
MOST_CSV = 100_000

# What people read for each dotted word. A word without its line is shown as it is, with spaces.
WORDS: dict[str, str] = {
    "account.closed": "Closed the account",
    "account.opened again": "Opened the account again",
    "account.exported": "Exported the account's data",
    "account.name": "Account name",
    "billing.addressee": "Whom bills go to",
    "changes.exported": "Exported the change log",
    "workspace.privacy_address": "Privacy address",
    "workspace.privacy_page": "Page about privacy",
    "workspace.individual_reports": "Lines per person in reports about staff",
    "workspace.heads_by_mail": "Heads of the ledgers by letter",
    "workspace.alert_looks": "From how many looks in a day owners hear of it",
    "looked.exported": "Exported who looked",
    "workspace.legal_name": "Legal name",
    "workspace.postal_address": "Postal address",
    "workspace.foot_of_letters": "Name and address at the foot of letters",
    "workspace.answers_in": "Languages of answers",
    "workspace.hours": "Opening hours",
    "workspace.languages": "Languages of the search",
    "staff.role": "Role of a colleague",
    "staff.owner": "Made a colleague an owner",
    "staff.stepped_back": "Stepped back from owning the account",
    "staff.left": "Let a colleague go",
    "staff.returned": "Took a colleague back",
    "staff.wish": "Had a wish about their own data carried out by the operator",
    "customer.erasure_asked": "Asked for a customer to be erased",
    "customer.erasure_taken_back": "Took an erasure back",
    "customer.set_aside": "Set a customer’s data aside",
    "customer.taken_up": "Took a customer’s data up again",
    "customer.held": "Held something of a customer back from erasing",
    "customer.held_longer": "Holds it longer",
    "customer.hold_ended": "Ended a hold",
    "retention.made": "Made a rule by which old conversations are erased",
    "retention.ended": "Ended a rule by which old conversations are erased",
    "customer.objected": "Noted that a customer objects to being written to",
    "customer.objection_ended": "A customer took their objection back",
    "customer.copy_asked": "Asked for a copy of what is held about a customer",
    "customer.copy_taken": "Took a copy of what is held about a customer",
    "customer.copy_shared": "Made a link to a copy for a customer",
    "request.approved": "Approved a customer’s own request",
    "request.refused": "Refused a customer’s own request",
    "request.extended": "Took more time for a customer’s own request",
    "ledger.exported": "Exported what left the account",
    "connection.made": "Connected a program",
    "connection.confirmed": "Confirmed a connected program",
    "connection.tried_again": "Switched a connected program on again",
    "connection.ended": "Ended a connected program",
    "scim.joined": "A colleague joined by the company’s provider",
    "scim.active": "The company’s provider let a colleague go, or took one back",
    "scim.deleted": "The company’s provider deleted a colleague",
    "scim.came_back": "The company’s provider added a colleague again",
    "staff.invited": "Invited a colleague",
    "staff.invitation_withdrawn": "Took an invitation back",
    "role.made": "Made a role",
    "role.changed": "What a role lets do",
    "role.removed": "Removed a role",
    "team.made": "Made a team",
    "team.joined": "Put into a team",
    "team.left": "Taken out of a team",
    "team.renamed": "Renamed a team",
    "team.removed": "Removed a team",
    "channel.teams": "Who sees a channel",
    "channel.signing": "Signing of what leaves",
    "channel.takes_files": "Files that customers send",
    "channel.takes_traces": "Traces of machines and cameras",
    "channel.takes_numbers": "Numbers of bank accounts, national ids and keys",
    "chat.title": "Name of the chat",
    "chat.line": "Line below the name of the chat",
    "chat.greeting": "Greeting of the chat",
    "chat.label": "Button of the chat",
    "chat.brand": "Colour of the chat",
    "chat.origins": "Websites that may carry the chat",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None asks for everything. `before` is where the last page ended."""

    staff_user_id: UUID | None = None
    what: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change, opened."""

    id: UUID
    at: datetime
    who: str
    what: str
    about: str
    before: str
    after: str


def in_words(what: str) -> str:
    """A dotted word as people read it."""
    return WORDS.get(what) or what.replace(".", ": ").replace("_", " ").capitalize()


async def read_changes(inst: Installation, by: Staff, asked: Filter, most: int = PAGE) -> list[Change]:
    """The changes, the newest first. Raises unless they may see them."""
    by.need("ledger")
    clauses: list[str] = ["account_id = %s"]
    values: list[Any] = [by.account_id]
    wanted: list[tuple[str, Any]] = [
        ("staff_user_id = %s", asked.staff_user_id),
        ("what = %s", asked.what),
        ("at >= %s", asked.since),
        ("at < %s", asked.until),
    ]
    for clause, value in wanted:
        if value is not None:
            clauses.append(clause)
            values.append(value)
    if asked.before:
        clauses.append("(at, id) < (%s, %s)")
        values += asked.before
    ask = (
        "select id, at, staff_user_id, what, subject_id, before_sealed, after_sealed from setting_change"
        f" where {' and '.join(clauses)} order by at desc, id desc limit %s"
    )
    [rows] = await inst.db.run(by.account_id, (ask, [*values, most]))
    return await _open(inst, by, rows)


async def _open(inst: Installation, by: Staff, rows: list[tuple[Any, ...]]) -> list[Change]:
    key = await inst.vault.account_key(by.account_id)
    names = await staff_names(inst, by.account_id)

    def words(row_id: UUID, column: str, sealed: bytes | None) -> str:
        return key.open_text(sealed, by.account_id, "setting_change", column, row_id) if sealed else ""

    return [
        Change(
            row_id,
            at,
            names.get(who, GONE) if who else "ChatInbox",
            in_words(what),
            names.get(about, ""),
            words(row_id, "before", before),
            words(row_id, "after", after),
        )
        for row_id, at, who, what, about, before, after in rows
    ]


async def kinds(inst: Installation, by: Staff) -> list[tuple[str, str]]:
    """Every kind of change there is in the log, with its words."""
    ask = "select distinct what from setting_change where account_id = %s"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return sorted(((row[0], in_words(row[0])) for row in rows), key=lambda one: one[1])


def as_csv(changes: list[Change]) -> bytes:
    """The changes as a sheet."""
    head = ["when (UTC)", "who", "what", "about", "before", "after"]
    rows = [
        (one.at.isoformat(timespec="seconds"), one.who, one.what, one.about, one.before, one.after)
        for one in changes
    ]
    return sheet(head, rows)
