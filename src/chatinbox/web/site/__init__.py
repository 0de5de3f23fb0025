"""The public website, a module a page. A page has `PAGES` (what GET and POST do, by path) and `LINKS` (where it is linked).

To add a page: one module here, one template in `ui/html/site/`, its name in `ROOMS`. Header, footer, site map and the
crawl of the tests know it from then on.
"""

from starlette.routing import Route

from chatinbox.core.installation import Installation
from chatinbox.web.forms import form_routes
from chatinbox.web.site import (
    frame,
    home,
    missing,
)
from chatinbox.web.site.frame import Menu

ROOMS = (home,)

__all__ = ["ROOMS", "home", "missing", "routes"]


def routes(inst: Installation) -> list[Route]:
    """The routes of the website; where the operator has none, of `/` alone, which leads to the sign-in."""
    rooms = ROOMS if inst.settings.has_website else (home,)
    return [route for room in rooms for route in form_routes(inst, room.PAGES)]


frame.menu = Menu([link for room in ROOMS for link in room.LINKS])
