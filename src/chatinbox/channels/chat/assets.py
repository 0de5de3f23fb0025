"""What the visitor's browser loads: read once, lightened, compressed, served under a name that changes with it."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

UI = Path(__file__).parents[4] / "ui"
MODULES = ("dom.js", "wire.js", "log.js", "write.js", "box.js")
SHEETS = ("tokens.css", "chat-box.css")
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True)
class Asset:
    """One file as it is sent, plain and compressed."""

    type: str
    plain: bytes
    packed: bytes


@dataclass(frozen=True)
class Assets:
    """The files of the open box; `version` names their content, so they may be kept for ever."""

    version: str
    files: dict[str, Asset]
    loader: str


def lighten(text: str, suffix: str) -> str:
    """Drop what only people read: comments that fill a line, indentation, and the spaces that stand around the signs of a
    sheet outside of its strings. Nothing else is rewritten.
    """
    if suffix == ".css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        parts = re.split(r"(\"[^\"]*\"|'[^']*')", re.sub(r"\s*\n\s*", "\n", text).strip())
        parts[::2] = [re.sub(r"(?<=[{};,]) +| +(?=[{}])", "", part) for part in parts[::2]]
        return "".join(parts)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def without_unused(style: str, elsewhere: str) -> str:
    """Drops tokens that nothing refers to, again and again: the box uses a third of the house's."""
    while True:
        used = set(re.findall(r"var\((--[\w-]+)", style)) | set(re.findall(r"--[\w-]+", elsewhere))
        unused = set(re.findall(r"(--[\w-]+):[^;{}]*;", style)) - used
        lean = style
        for name in unused:
            lean = re.sub(rf"{name}:[^;{{}}]*;", "", lean)
        if lean == style:
            return re.sub(r"\s*\n\s*", "\n", style)
        style = lean


def pack(body: bytes) -> bytes:
    """Compressed, the same bytes each time."""
    return gzip.compress(body, 9, mtime=0)


@lru_cache(maxsize=1)
def load(ui: Path = UI) -> Assets:
    """Every file of the box, read once."""
    whole = "\n".join(lighten((ui / "css" / name).read_text("utf-8"), ".css") for name in SHEETS)
    texts = {name: lighten((ui / "js/chat" / name).read_text("utf-8"), ".js") for name in MODULES}
    frame = (ui / "html/chat/frame.html").read_text("utf-8")
    texts["box.css"] = without_unused(whole, frame + "".join(texts.values()))
    files = {name: _asset(name, text.encode()) for name, text in texts.items()}
    version = hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:12]
    return Assets(version, files, lighten((ui / "js/chat/loader.js").read_text("utf-8"), ".js"))


def _asset(name: str, plain: bytes) -> Asset:
    return Asset(TYPES[Path(name).suffix], plain, pack(plain))
