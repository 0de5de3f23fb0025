"""The notice for California (CCPA, Cal. Civ. Code §1798.100 and .130), made from the data map."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import records, subprocessors
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import legal_page


async def get_california(inst: Installation, request: Request) -> Response:
    """Categories, sources, purposes, times and receivers."""
    companies = subprocessors.read(inst.settings).company
    return legal_page(inst, request, "california", categories=records.categories(), companies=companies)


TO = Declared(("visitor",), ("A",))
PAGES = {"/california": (get_california, None)}
LINKS = (Link("trust", "/california", "Your privacy choices (California)", 45),)
