"""Records of processing (GDPR Art. 30(1) and (2)) and the categories for California, both made from the data map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from chatinbox.core.translation.said import said
from chatinbox.privacy import data_map
from chatinbox.privacy.data_map import Table

Role: TypeAlias = Literal["controller", "processor", "no personal data"]

# Cal. Civ. Code §1798.140(v)(1), as far as this software stores any of it.
IDENTIFIERS = said("Identifiers")
RECORDS = said("Customer records (name, address, account)")
COMMERCE = said("Commercial information")
ACTIVITY = said("Internet or other network activity")
WORK = said("Professional or employment-related information")
CONTENT = said("Contents of mail and messages")
FILES = said("Audio, electronic, visual or similar information")

BY_SUBJECT: dict[str, tuple[str, str]] = {
    # subject of a table -> category, source
    "account": (RECORDS, said("the business, when it opens and sets up its account")),
    "person": (IDENTIFIERS, said("the person, when they sign up, join or sign in")),
    "staff user": (WORK, said("the person and their colleagues, by working in the inbox")),
    "customer": (CONTENT, said("the customer user and the business, through the channels of the business")),
    "nobody": (ACTIVITY, said("visits to our website, as sums without a person")),
    "customer or person": (CONTENT, said("whoever writes a letter that passes through here")),
    "visitor": (ACTIVITY, said("the browser, when it connects")),
    "operator": (RECORDS, said("who looks after the installation, when they read the security log")),
}
BY_TABLE: dict[str, str] = {
    "attachment": FILES,
    "session": ACTIVITY,
    "sign_up_origin": IDENTIFIERS,
    "address": IDENTIFIERS,
}


@dataclass(frozen=True, slots=True)
class Category:
    """One category on the page for California: what it holds, from whom, what for, how long, in which role."""

    name: str
    holds: list[str]
    sources: list[str]
    purposes: list[str]
    kept: list[str]


def role_of(name: str, table: Table) -> Role:
    """Our role for a table: exactly one (C64). Everything in it has that role."""
    if table.plane == "none":
        return "no personal data"
    return "processor" if table.plane == "U" else "controller"


def records(tables: Mapping[str, Table] | None = None) -> dict[Role, list[tuple[str, Table]]]:
    """Every table under our role for it, in the order of the map."""
    found: dict[Role, list[tuple[str, Table]]] = {"controller": [], "processor": [], "no personal data": []}
    for name, table in (tables or data_map.read()).items():
        found[role_of(name, table)].append((name, table))
    return found


def category_of(name: str, table: Table) -> str:
    """The category of a table; one that fits none is shown under its own subject, never left out."""
    short = name.split(".")[-1]
    return (
        BY_TABLE.get(short)
        or BY_SUBJECT.get(table.subject, (said("Other information: %(subject)s", subject=table.subject), ""))[
            0
        ]
    )


def categories(tables: Mapping[str, Table] | None = None) -> list[Category]:
    """What is collected, by category; nothing of a table without a person in it."""
    found: dict[str, Category] = {}
    for name, table in (tables or data_map.read()).items():
        if table.plane == "none":
            continue
        named = category_of(name, table)
        one = found.setdefault(named, Category(named, [], [], [], []))
        source = BY_SUBJECT.get(table.subject, ("", said("as the table says")))[1]
        for where, words in ((one.purposes, table.purpose), (one.kept, table.kept), (one.sources, source)):
            if words not in where:
                where.append(words)
        one.holds.extend(words for words in personal(name, table) if words not in one.holds)
    return list(found.values())


def personal(name: str, table: Table) -> list[str]:
    """What a table holds of a person, in words, each once; "its" says of what."""
    short = name.split(".")[-1].replace("_", " ")
    told = [one.holds for one in table.columns.values() if not isinstance(one, str) and one.sealed != "blind"]
    return list(dict.fromkeys(f"{short}: {words}" if words.startswith("its ") else words for words in told))
