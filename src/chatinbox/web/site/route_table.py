"""Every way in, with who may come and whose data it touches: made from what the running program declares (clause C03)."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import WHO, Declared, Line
from chatinbox.core.installation import Installation
from chatinbox.privacy.subprocessors import PLANES
from chatinbox.web.site.frame import Link, site_page


async def get_routes(inst: Installation, request: Request) -> Response:
    """The table, a part for each sort of reader. A way for two of them stands in both parts."""
    table: list[Line] = request.app.state.table
    parts = [(who, words, [line for line in table if who in line.to.who]) for who, words in WHO.items()]
    return site_page(inst, request, "site/routes", parts=parts, planes=PLANES, count=len(table))


TO = Declared(("visitor",), ("A",))
PAGES = {"/trust/routes": (get_routes, None)}
LINKS = (Link("build", "/trust/routes", "Every way in", 60, english_only=True),)
