"""Standing: what stands behind each promise of the privacy policy in this release: built or not, and which test looks."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

FILE = Path(__file__).with_name("standing.toml")


class Standing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whether what a promise speaks of exists (`yes`, `part`, `no`), a test that looks, and what is missing."""

    built: Literal["yes", "part", "no"]
    test: str = ""
    note: str = ""

    @property
    def light(self) -> str:
        """The lamp's word. Nothing holds until a proof runs on the installation itself."""
        return "Not yet built" if self.built == "no" else "Not yet proven"


@cache
def read() -> dict[str, Standing]:
    """The standing of every promise by its number."""
    return msgspec.convert(tomllib.loads(FILE.read_text()), dict[str, Standing])
