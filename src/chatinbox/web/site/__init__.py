"""The public website, a module a page. A page has `PAGES` (what GET and POST do, by path) and `LINKS` (where it is linked).

To add a page: one module here, one template in `ui/html/site/`, its name in `ROOMS`. Header, footer, site map and the
crawl of the tests know it from then on.
"""

from types import ModuleType

from starlette.routing import Route

from chatinbox.core.installation import Installation
from chatinbox.watch.visits import Visits
from chatinbox.web.forms import form_routes
from chatinbox.web.site import (
    frame,
    home,
    missing,
)
from chatinbox.web.site.counted import counting
from chatinbox.web.site.frame import Menu

ROOMS = (home,)

__all__ = ["ROOMS", "home", "missing", "routes"]


def routes(inst: Installation, visits: Visits) -> list[Route]:
    """The routes of the website; where the operator has none, of `/` alone, which leads to the sign-in."""
    if not inst.settings.has_website:
        return form_routes(inst, home.PAGES)
    return [route for room in ROOMS for route in _counted(inst, visits, room)]


def _counted(inst: Installation, visits: Visits, room: ModuleType) -> list[Route]:
    """A room's routes. A page that is linked counts its visits, under its template; files and forms do not."""
    pages = dict(room.PAGES)
    for path in {"/", *(link.path for link in room.LINKS)} & pages.keys():
        get, post = pages[path]
        pages[path] = (counting(visits, path, get), post)
    return form_routes(inst, pages)


frame.menu = Menu([link for room in ROOMS for link in room.LINKS])
