"""The outbox page: every letter that would have left, with its headers and HTML. Only where no mail server is named."""

from collections.abc import Awaitable, Callable

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts.access import note, note_customers
from chatinbox.channels.email.kept import list_kept, read_kept
from chatinbox.core.cleaning import clean_html
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.pages import render

Page = Callable[[Request], Awaitable[Response]]


def routes(inst: Installation) -> list[Way]:
    """The list and one letter; nothing when mail really leaves."""
    if inst.settings.smtp_url is not None:
        return []
    to = Declared(("staff",), ("T", "U"))
    return [Way("/outbox", _page(inst), to), Way("/outbox/{id}", _page(inst), to)]


def _page(inst: Installation) -> Page:
    async def page(request: Request) -> Response:
        session = await session_of(inst, request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        letters = await list_kept(inst, session.staff)
        await note_customers(inst, session.staff, {one.customer_id for one in letters if one.customer_id})
        shown, is_asked = None, "id" in request.path_params
        try:
            kept_id = read_id(request.path_params["id"]) if is_asked else letters[0].id if letters else None
            if is_asked and kept_id is None:
                raise not_found()
            if kept_id:
                shown = await read_kept(inst, session.staff, kept_id)
                whom = {"customer_id": shown.customer_id, "subject_id": kept_id}
                await note(inst, session.staff, "letter", whose=kept_id, **whom)
        except Refused:
            return RedirectResponse("/outbox", 303)
        # The letter is shown in a sandboxed frame; it was cleaned before it was sent, and is once more for this page.
        frame = Markup.escape(clean_html(shown.html).html) if shown and shown.html else None
        words = {"letters": letters, "shown": shown, "frame": frame, "is_asked": is_asked}
        return render(
            request, "outbox.html", words, policy={"style-src-attr": "'unsafe-inline'", "frame-src": "'self'"}
        )

    return page
