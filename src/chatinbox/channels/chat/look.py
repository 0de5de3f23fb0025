"""How a chat channel presents itself: what its sealed settings say, with a default for each."""

from __future__ import annotations

import re

import msgspec

# A colour as CSS writes it; no quote, semicolon or brace can leave the declaration it is put into.
COLOUR = re.compile(r"[a-zA-Z0-9#.,%() /-]{1,120}")
ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?")


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Words and colours of the box. `origins` are the sites that may carry it; empty means any."""

    title: str = "Chat"
    label: str = "Ask us"
    line: str = ""
    greeting: str = "Hello. What can we do for you?"
    brand: str = "light-dark(oklch(46% .088 170), oklch(43% .08 170))"
    on_brand: str = "oklch(99% .008 165)"
    origins: tuple[str, ...] = ()

    @property
    def initial(self) -> str:
        """The letter in the box's head."""
        return self.title.strip()[:1].upper() or "?"


def read_look(settings: dict[str, object], name: str) -> Look:
    """The look from a channel's settings; a value that could break out of its place falls back to the default."""
    given = {key: value for key, value in settings.items() if key in Look.__struct_fields__ and value}
    for key in ("brand", "on_brand"):
        if not COLOUR.fullmatch(str(given.get(key, "#000"))):
            given.pop(key)
    listed = given.pop("origins", None)
    words = {key: str(value)[:200] for key, value in given.items()}
    allowed = [str(item) for item in listed] if isinstance(listed, list | tuple) else []
    words.setdefault("title", name or Look().title)
    return Look(**words, origins=tuple(item for item in allowed if ORIGIN.fullmatch(item)))
