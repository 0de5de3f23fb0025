"""The inventory: what an account holds about its customers at this moment, from where, what was kept out, and who got some.

Counted when it is asked for, never remembered, so it cannot be stale (C51).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.channels import read_channels
from chatinbox.core.db import Rows, Statement
from chatinbox.core.egress.recipients import REGISTER
from chatinbox.core.installation import Installation
from chatinbox.privacy import data_map
from chatinbox.privacy.left.read import BASIS

# What people call it, its table, the time of a row, and which rows are meant. A table of customers that is not here is
# counted under its purpose, so nothing that is stored is missing from the page.
_CATEGORIES: tuple[tuple[str, str, str, str], ...] = (
    ("Names of customers", "customer", "created_at", "name_sealed is not null"),
    ("Languages of customers", "customer", "created_at", "language is not null"),
    ("E-mail addresses", "address", "created_at", "kind = 'email'"),
    ("Telephone numbers", "address", "created_at", "kind = 'phone'"),
    ("Ids of other systems", "address", "created_at", "kind = 'external'"),
    ("Messages of customers", "message", "at", "author = 'customer'"),
    ("Answers of staff", "message", "at", "author = 'staff'"),
    ("Notes about customers", "note", "at", "true"),
    ("Subjects", "conversation", "created_at", "subject_sealed is not null"),
    ("Files", "attachment", "created_at", "true"),
    ("Letters as they arrived", "raw_mail", "received_at", "held_at is null"),
    ("Letters that wait for a decision", "raw_mail", "received_at", "held_at is not null"),
    ("Letters that left, kept for reading", "kept_mail", "at", "subject_kind = 'customer'"),
)
WITHHELD: dict[str, tuple[str, str]] = {
    "card": ("Card numbers", "masked but for the last four digits"),
    "iban": ("Bank accounts (IBAN)", "masked but for the country and the last four signs"),
    "national_id": ("National ids", "masked but for the last two signs"),
    "api_key": ("Keys of programs", "masked but for how they begin and end"),
    "picture": ("What cameras write into pictures", "taken off"),
    "file": ("Files where none are taken", "left out"),
}
_KINDS = {"email": "e-mail", "chat": "chat", "api": "API"}
_SOURCES = {
    "staff": "Colleagues",
    "forward": "Letters that a group passed on",
    "colleague": "Letters that a colleague forwarded",
    "import": "Imports",
    "sync": "Other systems",
    "api": "Programs of your own",
    "earlier": "Noted before sources were",
}


@dataclass(frozen=True, slots=True)
class Held:
    """One category: how many there are and since when, what for and how long they are kept."""

    title: str
    count: int
    since: datetime | None
    purpose: str
    kept: str


@dataclass(slots=True)
class From:
    """One source, with how many of each came from it."""

    title: str
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class KeptOut:
    """One kind of what was kept out: of how many messages and files, and since when."""

    title: str
    how: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """One recipient of customers' data: how often, and when last."""

    title: str
    why: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Inventory:
    """All of it."""

    held: list[Held]
    beside: list[Held]
    sources: list[From]
    kept_out: list[KeptOut]
    recipients: list[Received]


KINDS = ("names", "addresses", "messages", "files")


def besides() -> list[str]:
    """Tables of customers' data that no category names, and that the program may read."""
    named = {f"tenant.{table}" for _, table, _, _ in _CATEGORIES} | {"tenant.withheld"}
    return [name for name, line in data_map.of_accounts().items() if line.plane == "U" and name not in named]


def _statements(account_id: UUID) -> list[Statement]:
    mine = "where c.account_id = %s"
    by_channel = "join conversation c on c.account_id = m.account_id and c.id = m.conversation_id"
    asked = [
        f"select name_source, name_source_id, count(*) from customer c {mine} and name_sealed is not null group by 1, 2",
        f"select source, source_id, count(*) from address c {mine} group by 1, 2",
        f"select 'channel', c.channel_id, count(*) from message m {by_channel} {mine} and m.author = 'customer' group by 2",
        "select case when m.author = 'customer' or m.id is null and f.note_id is null then 'channel' else 'staff' end,"
        " c.channel_id, count(*) from attachment f join conversation c on c.account_id = f.account_id and"
        " c.id = f.conversation_id left join message m on m.account_id = f.account_id and m.id = f.message_id"
        f" {mine} group by 1, 2",
        f"select kind, count(*), min(at) from withheld c {mine} group by 1",
        f"select gate, named, basis, count(*), max(at) from ledger c {mine} and subject_kind = 'customer' group by 1, 2, 3"
        " order by 4 desc",
    ]
    asked += [
        f"select count(*), min({at}) from {table} c {mine} and {which}" for _, table, at, which in _CATEGORIES
    ]
    asked += [f"select count(*), null from {table} c {mine}" for table in besides()]
    return [(one, [account_id]) for one in asked]


async def take_inventory(inst: Installation, by: Staff) -> Inventory | None:
    """Counts everything in one trip. None for who is kept out of a channel: a sum would tell what is in it.

    Raises unless they may see what left the account and what was changed.
    """
    by.need("ledger")
    if by.kept_out:
        return None
    names, addresses, messages, files, withheld, ledger, *counts = await inst.db.run(
        by.account_id, *_statements(by.account_id)
    )
    titles = {one.id: f"{one.name}, {_KINDS[one.kind]}" for one in await read_channels(inst, by.account_id)}
    counted, beside = counts[: len(_CATEGORIES)], counts[len(_CATEGORIES) :]
    return Inventory(
        held=[
            _held(f"tenant.{table}", title, rows)
            for (title, table, _, _), rows in zip(_CATEGORIES, counted, strict=True)
            if rows[0][0]
        ],
        beside=[
            _held(table, data_map.read()[table].purpose, rows)
            for table, rows in zip(besides(), beside, strict=True)
            if rows[0][0]
        ],
        sources=_sources(titles, dict(zip(KINDS, (names, addresses, messages, files), strict=True))),
        kept_out=[
            KeptOut(*WITHHELD[kind], count, since)
            for kind, count, since in sorted(withheld, key=lambda row: row[0])
        ],
        recipients=[
            Received(_recipient(gate, named), BASIS[basis], count, last)
            for gate, named, basis, count, last in ledger
        ],
    )


def _held(table: str, title: str, rows: Rows) -> Held:
    line = data_map.read()[table]
    return Held(title, rows[0][0], rows[0][1], line.purpose, line.kept)


def _sources(titles: dict[UUID, str], counted: dict[str, Rows]) -> list[From]:
    """Channels by their names, colleagues as one."""
    found: dict[str, From] = {}
    for what, rows in counted.items():
        for kind, source_id, count in rows:
            title = titles.get(source_id, "A channel that is gone") if kind == "channel" else _SOURCES[kind]
            where = str(source_id) if kind == "channel" else kind
            found.setdefault(where, From(title)).counts[what] += count
    return sorted(found.values(), key=lambda one: -sum(one.counts.values()))


def _recipient(gate: str, named: str | None) -> str:
    if named:
        return f"{named.capitalize()}: {REGISTER[named].does.lower()}" if named in REGISTER else named
    return "The customers themselves, by e-mail" if gate == "mail" else "An address that you chose"
