"""Pages that are words and pictures alone: the tour, security, accessibility."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.web.forms import FormPage
from chatinbox.web.site.frame import Link, site_page


def _page(template: str) -> FormPage:
    async def get(inst: Installation, request: Request) -> Response:
        return site_page(inst, request, template)

    return get


TO = Declared(("visitor",), ("A",))
PAGES = {
    "/product": (_page("site/product"), None),
    "/security": (_page("site/security"), None),
    "/accessibility": (_page("site/accessibility"), None),
}
LINKS = (
    Link("head", "/product", "Tour", 10),
    Link("head", "/security", "Security", 30),
    Link("product", "/product", "The inbox, in pictures", 10),
    Link("trust", "/security", "Security", 60),
    Link("trust", "/accessibility", "Accessibility", 70),
)
