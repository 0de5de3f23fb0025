"""How a chat channel presents itself: what its sealed settings say, with a default for each."""

from __future__ import annotations

import re

import msgspec

# A colour as CSS writes it; no quote, semicolon or brace can leave the declaration it is put into.
COLOUR = re.compile(r"[a-zA-Z0-9#.,%() /-]{1,120}")
ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?")

_PINE = ("light-dark(oklch(46% .088 170), oklch(43% .08 170))", "oklch(99% .008 165)")
# Colours to choose from, each with what is written on it.
PALETTE: dict[str, tuple[str, str]] = {
    "pine": _PINE,
    "ocean": ("#1f5f99", "#ffffff"),
    "indigo": ("#4a4fb5", "#ffffff"),
    "plum": ("#7d3f8c", "#ffffff"),
    "berry": ("#a83256", "#ffffff"),
    "brick": ("#a8451f", "#ffffff"),
    "ochre": ("#7a5c12", "#ffffff"),
    "slate": ("#465364", "#ffffff"),
    "ink": ("#22262e", "#ffffff"),
}


def on_colour(colour: str) -> str:
    """White or black, whichever is read better on `#rrggbb`: one of them always reaches 4.5 : 1 (WCAG 2.2, 1.4.3)."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Words and colours of the box. `origins` are the sites that may carry it; empty means any."""

    title: str = "Chat"
    label: str = "Ask us"
    line: str = ""
    greeting: str = "Hello. What can we do for you?"
    brand: str = _PINE[0]
    on_brand: str = _PINE[1]
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
