"""Logs of what stands around the program, where they usually lie: whether network addresses are in them. The security log is the one
place for these, and what a proxy keeps beside it has no day on which it goes.

It looks at the ends of a bounded number of files, and says of an address only that there is one.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

PLACES = (
    "var/log/nginx/*.log*", "var/log/apache2/*.log*", "var/log/httpd/*log*", "var/log/caddy/*.log*", "var/log/haproxy*.log*",
    "var/log/traefik/*.log*", "var/log/lighttpd/*.log*", "var/log/mail.log*", "var/log/maillog*", "var/log/exim4/*log*",
    "var/log/postgresql/*.log*",
)  # fmt: skip
MOST_FILES = 40  # of one place
END_BYTES = 1 << 16
_PACKED = (".gz", ".xz", ".zst", ".bz2")
_MAY_BE = re.compile(
    rb"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"  # a port may follow, and IPv6's form of it may come before
    rb"|(?<![\w.:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]|\.\d)"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """Files in which an address stands, and how many could not be looked at: packed, or another user's."""

    holding: list[Path]
    shut: int


def look(data: Path, root: Path = Path("/")) -> Looked:
    """Looks into the known places, and into the embedded database's own log."""
    holding, shut = [], 0
    for path in _files(data, root):
        if path.suffix in _PACKED:
            shut += 1
            continue
        try:
            if _has_address(_end_of(path)):
                holding.append(path)
        except OSError:
            shut += 1
    return Looked(holding, shut)


def _files(data: Path, root: Path) -> Iterator[Path]:
    for place in PLACES:
        try:
            yield from islice((one for one in sorted(root.glob(place)) if one.is_file()), MOST_FILES)
        except OSError:  # a folder that we may not enter
            continue
    yield from (one for one in (data / "postgres.log", data / "postgres.log.before") if one.is_file())


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END_BYTES))
        return file.read(END_BYTES)


def _has_address(raw: bytes) -> bool:
    """Whether an address of somebody else is in it; this machine's own loop is nobody's."""
    for found in _MAY_BE.findall(raw):
        try:
            one = ipaddress.ip_address(found.decode())
        except ValueError:
            continue  # a time, or a version
        if not (one.is_loopback or one.is_unspecified):
            return True
    return False
