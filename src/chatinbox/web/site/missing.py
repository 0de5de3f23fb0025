"""The page for an address where nothing is. The same for every address, so it tells nobody what exists."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.installation import Installation
from chatinbox.web.site.frame import FRESH, site_page


def is_read_by_a_person(request: Request) -> bool:
    """Whether a browser asks for a page, rather than a script for data."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def show_missing(inst: Installation, request: Request) -> Response:
    """404 in words, with ways on."""
    return site_page(inst, request, "site/missing", status=404, kept=FRESH)
