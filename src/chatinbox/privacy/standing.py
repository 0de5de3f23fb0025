"""Standing: what stands behind each promise of the privacy policy in this release: built or not, and which test looks."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from chatinbox.privacy.proof import Tried

Lamp: TypeAlias = Literal["holds", "open", "broken"]
FILE = Path(__file__).with_name("standing.toml")


class Standing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whether what a promise speaks of exists (`yes`, `part`, `no`), a test that looks, and what is missing."""

    built: Literal["yes", "part", "no"]
    test: str = ""
    note: str = ""

    def lamp(self, tried: Tried | None) -> Lamp:
        """How its lamp stands. What is built in part is never said to hold; what was seen broken is said at once."""
        if tried and not tried.holds:
            return "broken"
        return "holds" if tried and self.built == "yes" else "open"


@cache
def read() -> dict[str, Standing]:
    """The standing of every promise by its number."""
    return msgspec.convert(tomllib.loads(FILE.read_text()), dict[str, Standing])
