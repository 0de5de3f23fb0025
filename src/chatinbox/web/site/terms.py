"""The terms of use."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import document_page


async def get_terms(inst: Installation, request: Request) -> Response:
    """The terms in force, or an older version of them."""
    return document_page(inst, request, "terms", "document")


TO = Declared(("visitor",), ("A",))
PAGES = {"/terms": (get_terms, None), "/terms/versions/{version}": (get_terms, None)}
LINKS = (Link("trust", "/terms", "Terms of use", 15, english_only=True),)
