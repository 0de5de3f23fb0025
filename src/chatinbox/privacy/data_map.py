"""The data map: every stored column with whose it is, what for, how long and how it goes. No line, no column."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from chatinbox.core.purpose import Purpose

MAP = Path(__file__).with_name("data_map.toml")

Plane: TypeAlias = Literal["A", "S", "T", "U", "none"]
Sealing: TypeAlias = Literal["customer", "person", "account", "raw_mail", "day", "request", "blind", "no"]


class Column(msgspec.Struct, forbid_unknown_fields=True):
    """One column. `sealed`: under whose key, `blind` for a keyed hash, `no` for ids, times, counts and states."""

    holds: str
    sealed: Sealing = "no"


class Table(msgspec.Struct, forbid_unknown_fields=True):
    """One table: its plane, whose data it is, what for, how long, how it is erased, and its name in an export ("" when it is not exported).

    `reader`: whether the program may read back what it wrote. `uses`: the purposes for which work behind the scenes may use it;
    `uses_ids`: those for which it may use ids, times, counts and states of it, and nothing sealed.
    """

    plane: Plane
    subject: str
    purpose: str
    kept: str
    erased: str
    export: str
    columns: dict[str, Column | str]
    reader: Literal["program", "nobody"] = "program"
    uses: list[Purpose] = []
    uses_ids: list[Purpose] = []


@cache
def read() -> dict[str, Table]:
    """The map by `schema.table`; `file` is what lies beside the database. Raises when a line is incomplete."""
    return msgspec.convert(tomllib.loads(MAP.read_text()), dict[str, Table])


def of_accounts() -> dict[str, Table]:
    """Of these, the tables inside accounts whose rows the program may read."""
    return {
        name: table
        for name, table in read().items()
        if name.startswith("tenant.") and table.reader == "program"
    }


def sealing(table: str, column: str) -> Sealing:
    """Under whose key a column is sealed; a column described by words alone is not sealed."""
    found = read()[table].columns[column]
    return found.sealed if isinstance(found, Column) else "no"
