"""What pages load: every file of `ui/`, read once, compressed once, served under a name that changes with its content."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.channels.chat.assets import lighten
from chatinbox.core.declared import Declared, Way

UI = Path(__file__).resolve().parents[3] / "ui"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".json": "application/json",
}
FOLDERS = ("css", "js", "icons", "pictures")
FIRST_SCRIPT = "js/inbox/look.js"  # no module: it runs before anything is drawn
FOREVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent, plain and packed."""

    type: str
    plain: bytes
    packed: bytes


@cache
def load() -> tuple[str, dict[str, Asset]]:
    """The version (a hash of everything) and every file by its path below `ui/`."""
    files: dict[str, Asset] = {}
    whole = hashlib.sha256()
    for folder in FOLDERS:
        for file in sorted((UI / folder).rglob("*")):
            if file.suffix in TYPES and file.is_file():
                content = _sent_as(file)
                whole.update(content)
                files[str(file.relative_to(UI))] = Asset(
                    TYPES[file.suffix], content, gzip.compress(content, 9, mtime=0)
                )
    return whole.hexdigest()[:12], files


def _sent_as(file: Path) -> bytes:
    """A file without what only people read; pictures and vendored modules as they are."""
    if file.suffix not in (".js", ".css") or "vendor" in file.parts:
        return file.read_bytes()
    text = re.sub(r"(?ms)^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", "", file.read_text("utf-8"))
    return lighten(text, file.suffix).encode()


def asset(path: str) -> str:
    """The address of a file of `ui/`; KeyError at once when there is none, so a page never asks in vain."""
    version, files = load()
    files[path]
    return f"/ui/{version}/{path}"


def importmap() -> dict[str, dict[str, str]]:
    """Names that modules import each other by: what is vendored by its own, ours by path."""
    _, files = load()
    names: dict[str, str] = {}
    for path in files:
        if path.startswith("js/vendor/") and path.endswith(".js"):
            names[VENDORED.get(Path(path).stem, Path(path).stem)] = asset(path)
    return {"imports": names}


def inbox_modules() -> list[str]:
    """The inbox's own modules and what they stand on, to be fetched at once instead of one after the other."""
    _, files = load()
    folders = ("js/inbox/", "js/vendor/")
    return [
        path for path in files if path.startswith(folders) and path.endswith(".js") and path != FIRST_SCRIPT
    ]


VENDORED = {
    "preact": "preact",
    "preact-hooks": "preact/hooks",
    "signals": "@preact/signals",
    "signals-core": "@preact/signals-core",
    "htm": "htm",
}


def routes() -> list[Way]:
    """The one route of all files."""
    return [Way("/ui/{version}/{path:path}", _send, Declared(("visitor", "staff", "customer")))]


async def _send(request: Request) -> Response:
    version, files = load()
    found = files.get(request.path_params["path"])
    if found is None:
        return Response("There is no such file.\n", 404, {"cache-control": "no-store"}, "text/plain")
    headers = dict(FOREVER) if request.path_params["version"] == version else {"cache-control": "no-cache"}
    headers |= {"vary": "accept-encoding", "content-type": found.type}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers=headers | {"content-encoding": "gzip"})
    return Response(found.plain, headers=headers)
