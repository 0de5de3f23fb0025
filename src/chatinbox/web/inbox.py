"""The inbox's one page: a shell that carries its first words, so that it needs no second trip."""

from collections.abc import Callable

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.conversations.inbox import read_numbered
from chatinbox.core.declared import Declared, Way
from chatinbox.core.installation import Installation
from chatinbox.web.boot import read_boot
from chatinbox.web.door import session_of
from chatinbox.web.pages import render

VIEWS = ("todo", "mine", "unassigned", "waiting", "snoozed", "done", "spam", "all", "held")


def routes(inst: Installation) -> list[Way]:
    """The inbox at every address a view or a conversation has."""
    page, to = _page(inst), Declared(("staff",), ("T", "U"))
    return [Way(path, page, to) for path in ("/inbox", "/inbox/{view}", "/inbox/{view}/{number}")]


def _page(inst: Installation) -> Callable[[Request], object]:
    async def page(request: Request) -> Response:
        session = await session_of(inst, request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        view = request.path_params.get("view", "todo")
        if view not in VIEWS:
            return RedirectResponse("/inbox", 303)
        boot = await read_boot(inst, session.staff, "todo" if view == "held" else view)
        boot["view"] = view
        boot["open"] = await read_numbered(inst, session.staff, request.path_params.get("number", ""))
        words = Markup(msgspec.json.encode(boot).decode().replace("<", "\\u003c"))  # noqa: S704 — JSON without an angle bracket
        return render(request, "inbox.html", {"boot": words}, policy=_policy(inst))

    return page


def _policy(inst: Installation) -> dict[str, str]:
    """What this page may do beyond the strict policy of every page: letters' own styles, pictures of the second origin."""
    return {
        "style-src-attr": "'unsafe-inline'",
        "img-src": f"'self' data: blob: {inst.settings.files_url}",
        "connect-src": "'self'",
        "frame-src": "'self'",
    }
