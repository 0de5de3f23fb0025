"""Purposes and instructions: what work is done for, which tables it may use for that, and on whose word it touches customers'
data. Looked at before a start (clauses C32, C46), and shown with the records.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from chatinbox.accounts import documents
from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.declared import Line
from chatinbox.core.purpose import PURPOSES, Allowed, Wired, allow, table_of_work
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import data_map
from chatinbox.privacy.data_map import Table

HERE = Path(__file__).parent
_FUNCTIONS = (
    "select n.nspname, p.proname, p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
    " where n.nspname in ('tenant', 'directory', 'search', 'work', 'watch', 'seclog', 'desk', 'ctx')"
)


class Why(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One purpose in words."""

    title: str
    words: str


class Instruction(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One instruction: its number, what it says, the sections of the agreement it stands on, and whose coming is under it.

    `paths`: single routes that are under it, whoever comes by them.
    """

    no: str
    kind: Literal["agreement", "setting", "staff"]
    title: str
    words: str
    agreement: list[str]
    doors: list[str]
    paths: list[str] = []

    def lets_in(self, line: Line) -> bool:
        """Whether somebody's coming by this route is under it."""
        return line.path in self.paths or bool({*self.doors} & {*line.to.who})


@cache
def read() -> dict[str, Why]:
    """Every purpose. Raises Trouble unless they are those that the program knows."""
    found = msgspec.convert(tomllib.loads((HERE / "purposes.toml").read_text()), dict[str, Why])
    if set(found) != PURPOSES:
        raise Trouble(
            f"The purposes differ from those of the program: {', '.join(sorted(set(found) ^ PURPOSES))}."
        )
    return found


@cache
def instructions() -> dict[str, Instruction]:
    """Every instruction by its number."""
    raw = tomllib.loads((HERE / "instructions.toml").read_text())["instruction"]
    return {one.no: one for one in msgspec.convert(raw, list[Instruction])}


def allowed(tables: Mapping[str, Table] | None = None) -> Allowed:
    """What each purpose may use, as the data map says. Raises Trouble for a line that names no purpose."""
    mapped = tables or data_map.read()
    for name, table in mapped.items():
        if unknown := {*table.uses, *table.uses_ids} - PURPOSES:
            raise Trouble(f"{name} is used for {', '.join(sorted(unknown))}, and there is no such purpose.")
    sealed = {name: _sealed(table) for name, table in mapped.items()}
    whole = {one: [name for name, table in mapped.items() if one in table.uses] for one in read()}
    ids = {one: [name for name, table in mapped.items() if one in table.uses_ids] for one in read()}
    return Allowed(whole, sealed, ids)


def _sealed(table: Table) -> list[str]:
    return [
        name
        for name, one in table.columns.items()
        if not isinstance(one, str) and one.sealed not in ("no", "blind")
    ]


def tables_for(purpose: str) -> list[str]:
    """The tables that a purpose may use, if only their ids."""
    return [name for name, table in data_map.read().items() if purpose in (*table.uses, *table.uses_ids)]


async def declare(db: Database) -> None:
    """From now on every statement of work is looked at."""
    allow(await learned(db))


async def learned(db: Database, tables: Mapping[str, Table] | None = None) -> Allowed:
    """What each purpose may use, and what the database's functions use."""
    known = allowed(tables)
    known.learn([(schema, name, body) for schema, name, body in await db.directory(_FUNCTIONS)])
    return known


def look_at_work(wired: Iterable[Wired]) -> list[Wired]:
    """Every piece of work with what it says of itself. Raises Trouble for one without a purpose, or one that may use customers'
    data and goes back to no instruction.
    """
    found, mapped = table_of_work(wired), data_map.read()
    _check_instructions()
    for one in found:
        assert one.use
        touches = any(mapped[table].plane == "U" for table in tables_for(one.use.purpose))
        if (touches or one.use.instruction) and one.use.instruction not in instructions():
            raise Trouble(
                f"The work {one.name} may use customers' data and goes back to no instruction of the business."
                " Name one of privacy/instructions.toml where it is wired; the server does not start without."
            )
    return found


def look_at_doors(lines: Iterable[Line]) -> None:
    """Raises Trouble for a route that touches customers' data for somebody whose coming is under no instruction."""
    under = {who for one in instructions().values() for who in one.doors}
    single = {path for one in instructions().values() for path in one.paths}
    for line in lines:
        if "U" in line.to.planes and line.path not in single and (without := set(line.to.who) - under):
            raise Trouble(
                f"The route {line.path} touches customers' data for {', '.join(sorted(without))}, and no instruction of the"
                " business lets them. The server does not start with it."
            )


def _check_instructions() -> None:
    words = documents.read("dpa", documents.in_force("dpa", now()).version)
    sections = {one.no for one in words.promises()}
    for one in instructions().values():
        if not one.agreement or set(one.agreement) - sections:
            raise Trouble(f"Instruction {one.no} stands on no section of the agreement in force.")
