"""What changed: CHANGELOG.md as a page."""

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.web.site.frame import Link, site_page

FILE = Path(__file__).resolve().parents[4] / "CHANGELOG.md"
_BOLD, _CODE, _LINK = (
    re.compile(r"\*\*(.+?)\*\*"),
    re.compile(r"`([^`]+)`"),
    re.compile(r"\[([^]]+)\]\([^)]*\)"),
)


async def get_changes(inst: Installation, request: Request) -> Response:
    """Every version and what it brought."""
    return site_page(inst, request, "site/changes", changes=_changes())


@cache
def _changes() -> Markup:
    return as_html(FILE.read_text("utf-8"))


def as_html(text: str) -> Markup:
    """The little Markdown that our change log is written in: headings, lists, paragraphs, bold, code. All else is words."""
    blocks = [_block(block) for block in re.split(r"\n\s*\n", text.strip()) if not block.startswith("# ")]
    return Markup("\n").join(blocks)


def _block(block: str) -> Markup:
    if heading := re.match(r"(#{2,4}) (.*)", block):
        level = len(heading[1])
        return Markup("<h{0}>{1}</h{0}>").format(level, _words(heading[2]))
    if block.startswith("- "):
        items = [_words(" ".join(item.split())) for item in re.split(r"(?m)^- ", block)[1:]]
        return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(i) for i in items))
    return Markup("<p>{}</p>").format(_words(" ".join(block.split())))


def _words(text: str) -> Markup:
    safe = str(Markup.escape(text))
    safe = _LINK.sub(r"\1", safe)
    return Markup(_CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<b>\1</b>", safe)))  # noqa: S704 — escaped above


TO = Declared(("visitor",), ("A",))
PAGES = {"/changelog": (get_changes, None)}
LINKS = (Link("build", "/changelog", "What changed", 20),)
