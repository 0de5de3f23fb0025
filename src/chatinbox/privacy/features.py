"""What each feature needs: the fields it stores of people, what for and how long (C05). Made from the data map."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from chatinbox.privacy import data_map
from chatinbox.privacy.records import personal

FILE = Path(__file__).with_name("features.toml")


class Feature(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One feature with the tables it needs."""

    name: str
    title: str
    lets: str
    tables: list[str]


@dataclass(frozen=True, slots=True)
class Need:
    """What one table of a feature holds of people: the fields, what for, how long."""

    holds: list[str]
    purpose: str
    kept: str


@cache
def read() -> dict[str, Feature]:
    """Every feature by its name."""
    found = msgspec.convert(tomllib.loads(FILE.read_text())["feature"], list[Feature])
    return {one.name: one for one in found}


def needs(name: str) -> list[Need]:
    """What a feature needs, a line a table. Tables with nothing of a person in them are left out."""
    mapped = data_map.read()
    told = [(table, mapped[table]) for table in read()[name].tables]
    return [
        Need(personal(table, line) or ["ids, times and states only"], line.purpose, line.kept)
        for table, line in told
        if line.plane != "none"
    ]
