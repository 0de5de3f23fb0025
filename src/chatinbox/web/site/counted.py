"""Counting visits of the website's own pages, at the door: no page knows of it, and no script in a browser takes part."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.throttle import neighbourhood
from chatinbox.core.installation import Installation
from chatinbox.watch.visits import Visits
from chatinbox.web.forms import FormPage
from chatinbox.web.site.frame import signal_of


def counting(visits: Visits, route: str, page: FormPage) -> FormPage:
    """The page, counted whenever it was shown. A page from a browser's own store is a visit too (304)."""

    async def shown(inst: Installation, request: Request) -> Response:
        answer = await page(inst, request)
        if request.method == "GET" and answer.status_code in (200, 304):
            headers = request.headers
            visits.count(
                route,
                headers.get("user-agent", ""),
                headers.get("referer", ""),
                urlsplit(inst.settings.public_url).hostname or "",
                neighbourhood(request.client.host if request.client else ""),
                signal=signal_of(request).on,
            )
        return answer

    return shown
