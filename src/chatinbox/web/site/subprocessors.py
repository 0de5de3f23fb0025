"""Companies that work for the operator: the register as a page and as a feed."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import subprocessors
from chatinbox.privacy.subprocessors import PLANES, Company
from chatinbox.web.site.feed import Entry, feed, moment
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import legal_page


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
        written_in=register.language,
    )


async def get_feed(inst: Installation, request: Request) -> Response:
    """The same as a feed, an entry a company, dated the day it was announced."""
    entries = [_entry(company) for company in subprocessors.read(inst.settings).company]
    return feed(inst, request, "/subprocessors", "/subprocessors.atom", "Companies that work for", entries)


def _entry(company: Company) -> Entry:
    planes = ", ".join(PLANES[one] for one in company.planes)
    words = f"From {company.since:%d %B %Y}. Place: {company.place}. Receives: {planes}. Transfer: {company.transfer}."
    title = f"{company.name}: {company.purpose}"
    updated = moment(company.announced_at or company.since)
    return Entry(f"{company.name}#{company.since}", title, words, updated)


TO = Declared(("visitor",), ("A",))
PAGES = {"/subprocessors": (get_page, None), "/subprocessors.atom": (get_feed, None)}
LINKS = (Link("trust", "/subprocessors", "Companies that work for us", 20),)
