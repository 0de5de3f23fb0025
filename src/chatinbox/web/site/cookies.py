"""The cookie page: everything this software keeps in a browser, made from the register."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import storage
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import legal_page


async def get_cookies(inst: Installation, request: Request) -> Response:
    """The register as a table."""
    return legal_page(inst, request, "cookies", entries=storage.read())


TO = Declared(("visitor",), ("A",))
PAGES = {"/cookies": (get_cookies, None)}
LINKS = (Link("trust", "/cookies", "Cookies", 40),)
