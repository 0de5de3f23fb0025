"""What programs look for at known places: robots, site map, security contact (RFC 9116), and how signals are answered."""

from datetime import UTC, timedelta
from xml.sax.saxutils import escape

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.signal import VARY
from chatinbox.watch import relay
from chatinbox.web.forms import FormPage
from chatinbox.web.site import frame
from chatinbox.web.site.frame import Link, operator_of, whole

TEXT, DAY = "text/plain; charset=utf-8", "public, max-age=86400"
SIGNALS_SINCE = "2026-11-26"  # the day this resource last changed what it says
_HIDDEN = (
    "/inbox",
    "/settings",
    "/api/",
    "/chat/",
    "/files/",
    "/invitation/",
    "/reset/",
    "/setup/",
    "/confirm/",
)


async def get_robots(inst: Installation, request: Request) -> Response:
    """RFC 9309: the website may be read by everyone, what belongs to accounts by nobody."""
    lines = [
        "User-agent: *",
        *[f"Disallow: {path}" for path in _HIDDEN],
        f"Sitemap: {inst.settings.public_url}/sitemap.xml",
    ]
    return whole(request, ("\n".join(lines) + "\n").encode(), type_=TEXT)


async def get_closed(_inst: Installation, request: Request) -> Response:
    """RFC 9309, where there is no website: nothing here is for search engines."""
    return whole(request, b"User-agent: *\nDisallow: /\n", type_=TEXT)


async def get_site_map(inst: Installation, request: Request) -> Response:
    """Every public page there is (sitemaps.org 0.9), in each language it is offered in, and which of them are the same."""
    places = "".join(_in_each_language(inst.settings.public_url + path, path) for path in frame.menu.paths())
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:xhtml="http://www.w3.org/1999/xhtml">{places}</urlset>'
    )
    return whole(request, text.encode(), type_="application/xml")


def _in_each_language(address: str, path: str) -> str:
    """A page as its own head tells of it: without `lang` it is in the reader's language."""
    codes = frame.menu.offered(path)
    if len(codes) < 2:
        return f"<url><loc>{escape(address)}</loc></url>"
    places = {"x-default": address} | {code: f"{address}?lang={code}" for code in codes}
    same = "".join(
        f'<xhtml:link rel="alternate" hreflang="{code}" href="{escape(place)}"/>'
        for code, place in places.items()
    )
    return "".join(f"<url><loc>{escape(place)}</loc>{same}</url>" for place in places.values())


async def get_security(inst: Installation, request: Request) -> Response:
    """RFC 9116. It is good for a year from the start of this month, so that it never runs out on a site that is kept."""
    mail = operator_of(inst.settings)["email"]
    ours = inst.settings.public_url
    until = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=360)
    lines = [
        f"Contact: {f'mailto:{mail}' if mail else f'{ours}/contact'}",
        f"Expires: {until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {ours}/.well-known/security.txt",
        f"Policy: {ours}/security",
    ]
    return whole(request, ("\n".join(lines) + "\n").encode(), kept=DAY, type_=TEXT)


async def get_dnt(inst: Installation, request: Request) -> Response:
    """The tracking status of the whole site (W3C TPE §6.5): not tracking, for everybody, asked or not.

    Where finished counts are passed on it says to whom, and from when: before that, and long enough, it is only said.
    """
    told: dict[str, object] = {
        "tracking": "N",
        "same-party": [inst.settings.public_url, inst.settings.files_url],
    }
    if frame.menu.has("/privacy"):
        told["policy"] = "/privacy"
    if relay.is_on(inst.settings) and (begins := await relay.begins_at(inst.db)):
        told["counts-to"] = [{"company": "Google", "what": "sums of a day, none below ten", "from": begins}]
    return _json(request, told, "application/tracking-status+json")


async def get_gpc(_inst: Installation, request: Request) -> Response:
    """That Global Privacy Control is honoured (GPC §4)."""
    return _json(request, {"gpc": True, "lastUpdate": SIGNALS_SINCE}, "application/json")


def _json(request: Request, told: dict[str, object], type_: str) -> Response:
    answer = whole(request, msgspec.json.encode(told), kept=DAY, type_=type_)
    answer.headers["access-control-allow-origin"] = "*"
    answer.headers["vary"] = f"Accept-Encoding, {VARY}"
    return answer


_SIGNALS: dict[str, tuple[FormPage | None, FormPage | None]] = {
    "/.well-known/dnt/": (get_dnt, None),
    "/.well-known/dnt": (get_dnt, None),
    "/.well-known/gpc.json": (get_gpc, None),
}
WITHOUT_WEBSITE = {"/robots.txt": (get_closed, None)} | _SIGNALS
TO = Declared(("visitor",), ("A",))
PAGES = {
    "/robots.txt": (get_robots, None),
    "/sitemap.xml": (get_site_map, None),
    "/.well-known/security.txt": (get_security, None),
} | _SIGNALS
LINKS: tuple[Link, ...] = ()
