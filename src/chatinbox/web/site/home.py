"""The first page. It stands at `/`, where staff who are signed in go on to their inbox."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.site.frame import Link, site_page


async def get_home(inst: Installation, request: Request) -> Response:
    """The inbox for who is signed in, else the website, else the sign-in."""
    if await session_of(inst, request):
        return RedirectResponse("/inbox", 303, {"cache-control": "private, no-store"})
    if not inst.settings.has_website:
        return RedirectResponse("/sign-in", 303)
    page = site_page(inst, request, "site/home", kept="private, no-cache")
    page.headers["vary"] += ", Cookie"  # who is signed in gets another answer here
    return page


TO = Declared(("visitor",), ("A",))
PAGES = {"/": (get_home, None)}
LINKS: tuple[Link, ...] = ()
