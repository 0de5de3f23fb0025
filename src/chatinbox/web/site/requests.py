"""How often courts, authorities or a danger asked for data, and what became of it: numbers for everybody (C37, C38)."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.privacy.desk.counts import count_late, read_counts
from chatinbox.web.site.frame import Link, site_page

KINDS = {"law": said("Orders of the law"), "safety": said("Dangers to life, limb or property")}


async def get_requests(inst: Installation, request: Request) -> Response:
    """The numbers, by year and kind."""
    counts, late = await read_counts(inst), await count_late(inst)
    return site_page(inst, request, "site/requests", counts=counts, late=late, kinds=KINDS)


TO = Declared(("visitor",), ("A",))
PAGES = {"/trust/requests": (get_requests, None)}
LINKS = (Link("trust", "/trust/requests", "Orders and requests", 13),)
