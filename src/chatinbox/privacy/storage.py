"""What this software keeps in browsers: the one register of cookies and storage entries (C29; ePrivacy Art. 5(3))."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

FILE = Path(__file__).with_name("storage.toml")


class Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One cookie or storage entry. `seconds` is the longest a cookie may live."""

    name: str
    kind: Literal["cookie", "local storage", "session storage", "database"]
    where: str
    purpose: str
    lifetime: str
    when: str
    seconds: int = 0

    def fits(self, name: str) -> bool:
        """Whether a key found in a browser is this entry."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


@cache
def read() -> tuple[Entry, ...]:
    """Every entry."""
    return tuple(msgspec.convert(tomllib.loads(FILE.read_text())["entry"], list[Entry]))


@cache
def cookie(name: str) -> Entry | None:
    """The entry of a cookie, or None for one that may not be set."""
    return next((one for one in read() if one.kind == "cookie" and one.fits(name)), None)


def may_be_set(header: str) -> bool:
    """Whether a Set-Cookie header is one of ours and lives no longer than the register says (RFC 6265 §4.1)."""
    pair, *rest = header.split(";")
    found = cookie(pair.split("=", 1)[0].strip())
    if found is None:
        return False
    said = {key.strip().lower(): value.strip() for key, _, value in (one.partition("=") for one in rest)}
    ages = said.get("max-age", "")
    if ages:
        return ages.lstrip("-").isdigit() and int(ages) <= found.seconds
    return "expires" not in said
