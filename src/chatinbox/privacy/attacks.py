"""Attacks: what somebody could try, and which tests of this source try it. The list is published, gaps included."""

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("attacks.toml")


class Attack(msgspec.Struct, forbid_unknown_fields=True):
    """One thing to try. `tests` are `file::name` below the source, or of the journeys; `open` says why there is none yet."""

    no: int
    tried: str
    tests: list[str]
    open: str = ""


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    attack: list[Attack]


@cache
def read() -> tuple[Attack, ...]:
    """All of them, in their order."""
    return tuple(msgspec.toml.decode(FILE.read_bytes(), type=_Listed).attack)
