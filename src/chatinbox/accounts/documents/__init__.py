"""Documents: privacy policy, terms and data-processing agreement, a file a version, each sealed to the one before.

A version is never edited: its bytes, its dates and the seal of the version before it make its own seal, and a file whose
bytes are others than `versions.toml` says is not served.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec

HERE = Path(__file__).parent
Kind: TypeAlias = Literal["terms", "privacy", "dpa"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TITLES: dict[Kind, str] = {
    "terms": "Terms of use",
    "privacy": "Privacy policy",
    "dpa": "Data-processing agreement",
}


class Promise(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One numbered sentence of a document, the clauses it covers, and what it does not prove."""

    no: str
    text: str
    clauses: list[str] = []
    limits: str = ""


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A part of a document; `only` names the countries of the accounts it is for (empty: all)."""

    title: str
    promise: list[Promise]
    only: list[str] = []


class Document(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The words of one version."""

    title: str
    lead: str
    part: list[Part]

    def promises(self) -> list[Promise]:
        """Every numbered sentence in order."""
        return [one for part in self.part for one in part.promise]


class Version(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One version: when it was announced, from when it holds, its bytes' hash and the seal of the one before."""

    version: int
    announced_at: datetime
    effective_at: datetime
    changed: str
    sha256: str
    previous: str

    @property
    def seal(self) -> str:
        """SHA-256 over number, times, bytes and the seal before, in hexadecimal."""
        times = f"{self.announced_at.isoformat()}|{self.effective_at.isoformat()}"
        words = f"{self.version}|{times}|{self.changed}|{self.sha256}|{self.previous}"
        return hashlib.sha256(words.encode()).hexdigest()


class Altered(Exception):
    """A version is not what it was when it was published."""


@cache
def versions(kind: Kind, folder: Path = HERE) -> tuple[Version, ...]:
    """Every version of a document, the first one first. Raises Altered when one was edited or the chain is broken."""
    listed = tomllib.loads((folder / "versions.toml").read_text())[kind]
    found = tuple(msgspec.convert(listed, list[Version]))
    before = ""
    for number, one in enumerate(found, 1):
        raw = (folder / kind / f"{number}.toml").read_bytes()
        if (one.version, one.previous, one.sha256) != (number, before, hashlib.sha256(raw).hexdigest()):
            raise Altered(f"{kind} {number}")
        if one.effective_at < one.announced_at:
            raise Altered(f"{kind} {number} would hold before it was announced")
        before = one.seal
    return found


@cache
def read(kind: Kind, number: int, folder: Path = HERE) -> Document:
    """The words of a version. Raises Altered as `versions` does, IndexError for a number that never was."""
    if not 1 <= number <= len(versions(kind, folder)):
        raise IndexError(number)
    return msgspec.convert(tomllib.loads((folder / kind / f"{number}.toml").read_text()), Document)


def in_force(kind: Kind, at: datetime, listed: Sequence[Version] | None = None) -> Version:
    """The version that holds at a time: the last whose day has come, the first before that."""
    all_of_it = listed or versions(kind)
    begun = [one for one in all_of_it if one.effective_at <= at]
    return begun[-1] if begun else all_of_it[0]


def announced(kind: Kind, at: datetime, listed: Sequence[Version] | None = None) -> list[Version]:
    """Versions that are announced and do not hold yet."""
    all_of_it = listed or versions(kind)
    return [one for one in all_of_it[1:] if one.announced_at <= at < one.effective_at]
