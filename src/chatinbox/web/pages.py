"""Pages: rendered here, with the strict headers every page has."""

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from chatinbox.privacy.features import needs
from chatinbox.web.assets import UI, asset, importmap, inbox_modules

_room = jinja2.Environment(
    loader=jinja2.FileSystemLoader(UI / "html"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def day(moment: date) -> str:
    """A day as people write it: 23 November 2026."""
    return f"{moment.day} {moment:%B %Y}"


def on(moment: datetime, zone: tzinfo = UTC) -> str:
    """A day in a table: 23 Nov 2026."""
    return f"{moment.astimezone(zone):%-d %b %Y}"


def at(moment: datetime, zone: tzinfo = UTC) -> str:
    """A moment in a table: 23 Nov 2026 14:05."""
    return f"{moment.astimezone(zone):%-d %b %Y %H:%M}"


_room.filters.update(at=at, on=on)
_room.globals.update(day=day, asset=asset, importmap=importmap, inbox_modules=inbox_modules, needed_by=needs)

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "tk": "N",  # W3C Tracking Preference Expression §6.3: nobody is tracked here, whatever was asked
}


def fill(template: str, words: Mapping[str, Any]) -> str:
    """A template's text."""
    return _room.get_template(template).render(**words)


def render(
    _request: Request,
    template: str,
    words: Mapping[str, Any],
    status: int = 200,
    policy: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page. `policy` changes single lines of the Content-Security-Policy."""
    nonce = secrets.token_urlsafe(16)
    lines = POLICY | {"script-src": f"'self' 'nonce-{nonce}'"} | dict(policy or {})
    text = fill(template, {"nonce": nonce, **words})
    csp = "; ".join(f"{name} {value}" for name, value in lines.items())
    return HTMLResponse(text, status, HEADERS | {"content-security-policy": csp})
