"""The public website, a module a page. A page has `PAGES` (what GET and POST do, by path) and `LINKS` (where it is linked).

To add a page: one module here, one template in `ui/html/site/`, its name in `ROOMS`. Header, footer, site map and the
crawl of the tests know it from then on.
"""

from types import ModuleType

from chatinbox.core.declared import Way
from chatinbox.core.installation import Installation
from chatinbox.watch.visits import Visits
from chatinbox.web.forms import form_routes
from chatinbox.web.site import (
    california,
    changes,
    cookies,
    dpa,
    environment,
    frame,
    home,
    known_places,
    missing,
    plain_pages,
    pricing,
    privacy,
    proven,
    records,
    requests,
    route_table,
    status,
    subprocessors,
    terms,
    trust,
    write_to_us,
)
from chatinbox.web.site.counted import counting
from chatinbox.web.site.frame import Menu

LEGAL = (privacy, subprocessors, terms, dpa, cookies, california, records)
CHECKED = (trust, environment, route_table, requests)
ROOMS = (
    home,
    *LEGAL,
    *CHECKED,
    plain_pages,
    pricing,
    status,
    changes,
    write_to_us,
    known_places,
    proven,
)

__all__ = ["ROOMS", "home", "missing", "pricing", "routes"]


def routes(inst: Installation, visits: Visits) -> list[Way]:
    """The routes of the website; where the operator has none, of `/`, which leads to the sign-in, of known places, of what one agrees to and can check."""
    if not inst.settings.has_website:
        return [
            route
            for room, pages in (
                (home, home.PAGES),
                (known_places, known_places.WITHOUT_WEBSITE),
                (proven, proven.PAGES),
                *((room, room.PAGES) for room in (*LEGAL, *CHECKED)),
            )
            for route in form_routes(inst, pages, getattr(room, "TO", None))
        ]
    return [route for room in ROOMS for route in _counted(inst, visits, room)]


def _counted(inst: Installation, visits: Visits, room: ModuleType) -> list[Way]:
    """A room's routes. A page that is linked counts its visits, under its template; files and forms do not."""
    pages = dict(room.PAGES)
    for path in {"/", *(link.path for link in room.LINKS)} & pages.keys():
        get, post = pages[path]
        pages[path] = (counting(visits, path, get), post)
    return form_routes(inst, pages, getattr(room, "TO", None))


frame.menu = Menu([link for room in ROOMS for link in room.LINKS])
