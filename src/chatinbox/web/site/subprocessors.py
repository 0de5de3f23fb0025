"""Companies that work for the operator: the register as a page and as a feed."""

from datetime import UTC, date, datetime, time
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Tree

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.privacy import subprocessors
from chatinbox.privacy.subprocessors import PLANES, Company
from chatinbox.web.site.frame import Link, whole
from chatinbox.web.site.legal import legal_page

ATOM = "http://www.w3.org/2005/Atom"


async def get_page(inst: Installation, request: Request) -> Response:
    """The companies at work, and those that were announced."""
    register, today = subprocessors.read(inst.settings), now().date()
    return legal_page(
        inst,
        request,
        "subprocessors",
        active=[one for one in register.company if one.is_active(today)],
        coming=[one for one in register.company if not one.is_active(today)],
        planes=PLANES,
    )


async def get_feed(inst: Installation, request: Request) -> Response:
    """The same as an Atom feed (RFC 4287), an entry a company, dated the day it was announced."""
    operator = operator_of(inst.settings)
    if operator is None:
        return legal_page(inst, request, "not-named")
    register = subprocessors.read(inst.settings)
    where = f"{inst.settings.public_url}/subprocessors"
    feed = Tree.Element(f"{{{ATOM}}}feed")
    days = [_day(one) for one in register.company]
    _put(feed, "id", where)
    _put(feed, "title", f"Companies that work for {operator.name}")
    _put(feed, "updated", max(days, default=_moment(date(2026, 11, 26))))
    Tree.SubElement(feed, f"{{{ATOM}}}link", href=where)
    Tree.SubElement(feed, f"{{{ATOM}}}link", href=f"{where}.atom", rel="self")
    _put(Tree.SubElement(feed, f"{{{ATOM}}}author"), "name", operator.name)
    for company in sorted(register.company, key=_day, reverse=True):
        _entry(feed, where, company)
    Tree.register_namespace("", ATOM)
    raw = Tree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return whole(request, raw, type_="application/atom+xml; charset=utf-8")


def _entry(feed: Tree.Element, where: str, company: Company) -> None:
    entry = Tree.SubElement(feed, f"{{{ATOM}}}entry")
    _put(entry, "id", uuid5(NAMESPACE_URL, f"{where}#{company.name}#{company.since}").urn)
    _put(entry, "title", f"{company.name}: {company.purpose}")
    _put(entry, "updated", _day(company))
    planes = ", ".join(PLANES[one] for one in company.planes)
    words = f"From {company.since:%d %B %Y}. Place: {company.place}. Receives: {planes}. Transfer: {company.transfer}."
    _put(entry, "content", words)


def _put(parent: Tree.Element, name: str, words: str) -> None:
    Tree.SubElement(parent, f"{{{ATOM}}}{name}").text = words


def _day(company: Company) -> str:
    return _moment(company.announced_at or company.since)


def _moment(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()


TO = Declared(("visitor",), ("A",))
PAGES = {"/subprocessors": (get_page, None), "/subprocessors.atom": (get_feed, None)}
LINKS = (Link("trust", "/subprocessors", "Companies that work for us", 20),)
