"""What this release collects, in three registers: the data map, what is kept in browsers, and named recipients.

Two of these can be compared. What is new in one of them is what people have to be told of before it begins (C71).
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from chatinbox.core.egress.recipients import REGISTER, Named
from chatinbox.privacy import data_map, storage

# For one of these, any span of days is less; nothing else in words can be compared, so any other word is new.
_FOR_GOOD = frozenset({"for good", "while the installation runs", "while the installation lives"})
_SPAN = re.compile(r"(\d+|a) (day|month|year)s?\b", re.IGNORECASE)
_DAYS = {"day": 1, "month": 31, "year": 366}


class Kept(msgspec.Struct, frozen=True):
    """One table: what for, how long in words, and what each of its columns holds."""

    purpose: str
    kept: str
    holds: dict[str, str]


class InBrowser(msgspec.Struct, frozen=True):
    """One cookie or storage entry: what for, and how long in words."""

    purpose: str
    lifetime: str


class Collected(msgspec.Struct, frozen=True):
    """Tables by name, entries in browsers by kind and name, and what each named recipient does."""

    tables: dict[str, Kept]
    in_browser: dict[str, InBrowser]
    recipients: dict[str, str]

    def items(self) -> set[str]:
        """Everything by name: what may begin."""
        fields = {f"field {table}.{column}" for table, one in self.tables.items() for column in one.holds}
        browser = {f"in browser {name}" for name in self.in_browser}
        return fields | browser | {f"recipient {name}" for name in self.recipients}


def collected(
    tables: Mapping[str, data_map.Table] | None = None,
    entries: tuple[storage.Entry, ...] | None = None,
    recipients: Mapping[str, Named] | None = None,
) -> Collected:
    """The registers as they are now."""
    return Collected(
        {name: _kept(table) for name, table in sorted((tables or data_map.read()).items())},
        {entry_name(one): InBrowser(one.purpose, one.lifetime) for one in entries or storage.read()},
        {name: one.does for name, one in sorted((recipients or REGISTER).items())},
    )


def _kept(table: data_map.Table) -> Kept:
    holds = {
        name: told if isinstance(told, str) else told.holds for name, told in sorted(table.columns.items())
    }
    return Kept(table.purpose, table.kept, holds)


def entry_name(entry: storage.Entry) -> str:
    """What an entry of a browser is called among all that is collected."""
    return f"{entry.kind} {entry.name}"


def new_in(after: Collected, before: Collected) -> list[str]:
    """What people have to be told of: what is new, for another purpose, or kept longer. What went or became less is not."""
    told = [f"{one} is new" for one in sorted(after.items() - before.items())]
    for name, now in after.tables.items():
        if name in before.tables:
            told += _changed(f"table {name}", now, before.tables[name])
    for name, entry in after.in_browser.items():
        if name in before.in_browser:
            was = before.in_browser[name]
            told += _other(f"in browser {name}", entry.purpose, was.purpose)
            told += _longer(f"in browser {name}", entry.lifetime, was.lifetime)
    for name, does in after.recipients.items():
        if name in before.recipients:
            told += _other(f"recipient {name}", does, before.recipients[name])
    return told


def _changed(name: str, now: Kept, was: Kept) -> Iterator[str]:
    yield from _other(name, now.purpose, was.purpose)
    yield from _longer(name, now.kept, was.kept)
    for column, holds in now.holds.items():
        if was.holds.get(column, holds) != holds:
            yield f"{name} holds in {column}: “{holds}”, where it held “{was.holds[column]}”"


def _other(name: str, now: str, was: str) -> Iterator[str]:
    if now != was:
        yield f"{name} is for something else: “{now}”"


def _longer(name: str, now: str, was: str) -> Iterator[str]:
    if now != was and not is_shorter(now, was):
        yield f"{name} is kept longer, or by other words: “{now}”, where it was “{was}”"


def is_shorter(now: str, was: str) -> bool:
    """Whether the first of two spans, as the registers write them, is surely no longer than the second."""
    days = _days(now)
    return days is not None and (was in _FOR_GOOD or days <= (_days(was) or 0))


def _days(words: str) -> int | None:
    """A span alone, without a condition, in days."""
    found = _SPAN.fullmatch(words)
    return (1 if found[1].lower() == "a" else int(found[1])) * _DAYS[found[2].lower()] if found else None
