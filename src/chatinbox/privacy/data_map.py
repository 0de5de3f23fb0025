"""The data map: every stored column, every file of the data folder and every argument of a job, with whose it is, what for, how
long and how it goes. No line, no column.
"""

import os
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePath
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
    `uses_ids`: those for which it may use ids, times, counts and states of it, and nothing sealed. `at`: of files, their names below
    the data folder, and `by`: which parts of the program write them; without one, the operator does.
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
    at: list[str] = []
    by: list[str] = []


@cache
def read() -> dict[str, Table]:
    """The map by `schema.table`; `file` is what lies in the data folder, `job` what waits in the queue. Raises when a line is incomplete."""
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


def of_file(name: PurePath) -> list[str]:
    """Which lines speak of a file, by its name below the data folder; none for one that nobody declared."""
    return [line for line, table in read().items() if any(_fits(name.parts, one) for one in table.at)]


def undeclared_files(data: Path) -> Iterator[str]:
    """Names of files in a data folder that no line speaks of. What goes while one looks is no matter."""
    for folder, folders, files in os.walk(data):
        here = Path(folder).relative_to(data)
        # what is declared with all below it is the database's, and has many files
        folders[:] = [one for one in folders if not of_file(here / one / "x" / "x" / "x" / "x" / "x")]
        yield from (str(here / one) for one in sorted(files) if not of_file(here / one))


def _fits(parts: tuple[str, ...], pattern: str) -> bool:
    *before, last = pattern.split("/")
    if last == "**":
        return len(parts) > len(before) and _alike(parts[: len(before)], before)
    return len(parts) == len(before) + 1 and _alike(parts, [*before, last])


def _alike(parts: tuple[str, ...], patterns: list[str]) -> bool:
    return all(fnmatchcase(part, one) for part, one in zip(parts, patterns, strict=True))
