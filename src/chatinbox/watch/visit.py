"""What is told apart about a visit to our own website: the day, the page, the kind of device, the site it came from.

Everything else a request carries is looked at here and dropped here (clauses C07, C08): no part of it is kept.
"""

import ipaddress
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

UNTOLD = "-"
_PROGRAMS = (
    "bot",
    "crawl",
    "spider",
    "curl",
    "wget",
    "python",
    "java/",
    "go-http",
    "headless",
    "preview",
    "monitor",
)
_TABLETS = ("ipad", "tablet", "kindle", "silk/")


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One counter. `route` is the template of a path, never the path itself."""

    day: date
    route: str
    device: str
    referrer: str


def cell_of(day: date, route: str, user_agent: str, referer: str, own_host: str, *, signal: bool) -> Cell:
    """The counter of a visit. Where a signal asks for it, only that there was one (clause C11, trap 10)."""
    if signal:
        return Cell(day, UNTOLD, UNTOLD, UNTOLD)
    return Cell(day, route[:100], device_class(user_agent), referrer_domain(referer, own_host))


def device_class(user_agent: str) -> str:
    """One of four."""
    said = user_agent.lower()
    if not said or any(mark in said for mark in _PROGRAMS):
        return "program"
    if any(mark in said for mark in _TABLETS) or ("android" in said and "mobile" not in said):
        return "tablet"
    return "phone" if "mobile" in said or "iphone" in said else "computer"


def referrer_domain(referer: str, own_host: str) -> str:
    """The domain a visitor came from: two labels, three where the second is short as in `co.uk`; `-` for none or ours.

    Names below that may be somebody's own, so they are dropped, as are bare addresses and what is no name.
    """
    try:
        host = (urlsplit(referer).hostname or "").rstrip(".").encode("idna").decode().lower()
    except (ValueError, UnicodeError):
        return UNTOLD
    labels = host.split(".")
    if (
        host == own_host
        or len(labels) < 2
        or _is_address(host)
        or not all(_is_label(part) for part in labels)
    ):
        return UNTOLD
    short = len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2
    return ".".join(labels[-3 if short else -2 :])[:100]


def _is_label(part: str) -> bool:
    return bool(part) and part.isascii() and part.replace("-", "").replace("_", "").isalnum()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
