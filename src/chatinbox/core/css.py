"""Styles of HTML that strangers wrote: what may stay is colour, type and bounded sizes; nothing that fetches, covers
the page or hides outside it. Style sheets of a letter are written into its elements, as far as that is simple.
"""

import re

from lxml.html import HtmlElement

_LENGTHS = (
    "font-size|line-height|letter-spacing|text-indent|(?:padding|margin)(?:-(?:top|right|bottom|left))?|"
    "(?:max-|min-)?width|height|max-height|border-spacing|border(?:-(?:top|right|bottom|left))?-(?:width|radius)|border-radius"
)
_WORDS = (
    "font-(?:style|weight|variant)|text-(?:align|decoration|transform)|vertical-align|white-space|direction|display|"
    "border(?:-(?:top|right|bottom|left))?-style|border-collapse|list-style-type|word-break|overflow-wrap|float|clear"
)
_COLOURS = "color|background-color|border(?:-(?:top|right|bottom|left))?-color"
_BORDERS = "border(?:-(?:top|right|bottom|left))?"
_LENGTH = r"(?:\d{0,5}(?:\.\d{1,8})?(?:px|pt|pc|em|ex|rem|ch|in|cm|mm|%)?|auto|normal|inherit|initial|thin|medium|thick|smaller|larger|(?:xx?-)?(?:small|large))"
_COLOUR = r"(?:#[0-9a-f]{3,8}|[a-z]{3,20}|(?:rgb|hsl)a?\([\d.,%\s/deg]{1,60}\))"
_SHAPES = [
    (re.compile(_LENGTHS), re.compile(rf"{_LENGTH}(?:\s+{_LENGTH}){{0,3}}", re.I)),
    (re.compile(_WORDS), re.compile(r"[a-z0-9-]{1,30}(?:\s+[a-z-]{1,30}){0,2}", re.I)),
    (re.compile(_COLOURS), re.compile(_COLOUR, re.I)),
    (re.compile(_BORDERS), re.compile(rf"(?:(?:{_LENGTH}|{_COLOUR})(?:\s+|$)){{1,3}}", re.I)),
    (re.compile("font-family"), re.compile(r"[\w\s,'\"-]{1,200}")),
]
_MOST = {
    "px": 2000,
    "pt": 1500,
    "pc": 120,
    "em": 100,
    "ex": 200,
    "rem": 100,
    "ch": 200,
    "in": 20,
    "cm": 50,
    "mm": 500,
    "%": 400,
}
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(px|pt|pc|em|ex|rem|ch|in|cm|mm|%)?", re.I)
MOST_DECLARATIONS = 60
MOST_RULES = 400
LARGEST_SHEET = 100_000


def safe_style(text: str) -> str:
    """The declarations of a `style` attribute that may stay."""
    kept = []
    for declaration in text[:10_000].split(";")[:MOST_DECLARATIONS]:
        name, _, value = declaration.partition(":")
        name = name.strip().lower()
        value = re.sub(r"(?i)\s*!\s*important", "", value).strip()
        if name == "background" and re.fullmatch(_COLOUR, value, re.I):
            name = "background-color"
        if any(names.fullmatch(name) and shape.fullmatch(value) for names, shape in _SHAPES) and _bounded(
            name, value
        ):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)


def _bounded(name: str, value: str) -> bool:
    if "#" in value or "(" in value or name.endswith(("weight", "family")):
        return True
    most = 0.1 if name == "font-size" else 1.0
    return all(
        float(number) <= _MOST.get(unit.lower(), 2000) * most for number, unit in _NUMBER.findall(value)
    )


def write_into_elements(document: HtmlElement) -> None:
    """Gives each element the declarations that the letter's style sheets hold for its tag, class or id.

    Simple selectors only (`p`, `.note`, `p.note`, `#top`); others, media queries and at-rules are left out.
    """
    rules = _rules("\n".join(sheet.text or "" for sheet in document.iter("style"))[:LARGEST_SHEET])
    if not rules:
        return
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        names = ["", *(f".{one}" for one in element.get("class", "").split()[:8])]
        found = [rules[key] for name in names for key in (name, element.tag + name) if key in rules]
        found += [
            rules[key]
            for key in (f"#{element.get('id')}", f"{element.tag}#{element.get('id')}")
            if key in rules
        ]
        if found:
            element.set("style", ";".join([*found, element.get("style", "")]))


def _rules(sheet: str) -> dict[str, str]:
    sheet = re.sub(r"(?s)/\*.*?(?:\*/|\Z)", " ", sheet.replace("<!--", " ").replace("-->", " "))
    sheet = re.sub(r"@[^{};]*(?:;|\{(?:[^{}]|\{[^{}]*\})*\})", " ", sheet)
    rules: dict[str, str] = {}
    for selectors, declarations in re.findall(r"([^{}]{1,2000})\{([^{}]{0,4000})\}", sheet)[:MOST_RULES]:
        kept = safe_style(declarations)
        for selector in selectors.split(",")[:50]:
            key = selector.strip()
            if kept and re.fullmatch(r"(?:[a-z][a-z0-9]*)?(?:[.#][\w-]+)?", key) and key:
                rules[key] = f"{rules[key]};{kept}" if key in rules else kept
    return rules
