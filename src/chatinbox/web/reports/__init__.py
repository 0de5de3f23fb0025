"""The reports' door: who may see lines about staff, and that each look at them is noted before it is shown."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts.profile import time_zones
from chatinbox.accounts.proof import is_recent
from chatinbox.accounts.sessions import Session
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.sheet import sheet
from chatinbox.reports.views import ReportName, note_view
from chatinbox.web.answer import CSV, download
from chatinbox.web.door import session_of
from chatinbox.web.forms import Form, form_routes, read_form, show
from chatinbox.web.reports.behind import TITLES, behind, read_figure
from chatinbox.web.reports.pages import HOW, PAGES, PARTS, SPOKEN, Shown, person
from chatinbox.web.reports.reader import Reader, read_reader
from chatinbox.web.settings import ask_proof
from chatinbox.web.settings.reported import PAGE as REPORTED


def routes(inst: Installation) -> list[Way]:
    """The routes of the reports."""
    paths = {"/reports/me": (_own, _own), "/reports/person/{id}": (_person, _person)}
    to = Declared(("staff",), ("T",))
    return form_routes(
        inst,
        {
            "/reports": (_first, None),
            "/reports/conversations": (_behind, None),
            **paths,
            "/reports/{page}": (_page, _page),
        },
        to,
    )


def _sign_in() -> Response:
    return RedirectResponse("/sign-in", 303)


async def _first(inst: Installation, request: Request) -> Response:
    session = await session_of(inst, request)
    if session is None:
        return _sign_in()
    return RedirectResponse("/reports/work" if session.staff.may("reports") else "/reports/me", 303)


async def _page(inst: Installation, request: Request) -> Response:
    """A report about everybody."""
    session, name = await session_of(inst, request), request.path_params["page"]
    if session is None:
        return _sign_in()
    if name not in PAGES:
        raise not_found()
    session.staff.need("reports")
    asked = await _asked(inst, session, request)
    if isinstance(asked, Response):
        return asked
    reader = await read_reader(inst, session, request)
    if reader.lines:
        await note_view(inst, session.staff, _NAMED[name], None)
    title, read = PAGES[name]
    return _answer(inst, request, reader, await read(inst, reader), asked, name, title, name)


_NAMED: dict[str, ReportName] = {"work": "work", "activity": "activity", "sign-ins": "sign-ins"}


async def _own(inst: Installation, request: Request) -> Response:
    """What is counted about oneself: the same page as others see it."""
    session = await session_of(inst, request)
    if session is None:
        return _sign_in()
    return await _of(inst, session, request, session.staff.staff_user_id)


async def _person(inst: Installation, request: Request) -> Response:
    """What is counted about a colleague. A foreign, made-up or malformed id gets one answer."""
    session, of = await session_of(inst, request), read_id(request.path_params["id"])
    if session is None:
        return _sign_in()
    if of != session.staff.staff_user_id:
        session.staff.need("reports")
    if of is None:
        raise not_found()
    return await _of(inst, session, request, of)


async def _of(inst: Installation, session: Session, request: Request, of: UUID) -> Response:
    reader = await read_reader(inst, session, request)
    if of not in reader.staff or (not reader.lines and of != session.staff.staff_user_id):
        raise not_found()
    asked = await _asked(inst, session, request)
    if isinstance(asked, Response):
        return asked
    if of != session.staff.staff_user_id:
        await note_view(inst, session.staff, "person", of)
    own = of == session.staff.staff_user_id
    title = "How my work is reported" if own else reader.staff[of].name
    return _answer(
        inst, request, reader, await person(inst, reader, of), asked, "person", title, "me" if own else ""
    )


async def _behind(inst: Installation, request: Request) -> Response:
    """The conversations behind a figure, for whoever may see the figure: one's own, or as who may see reports."""
    session = await session_of(inst, request)
    if session is None:
        return _sign_in()
    by, figure = session.staff, read_figure(request)
    if figure.only != by.staff_user_id:
        by.need("reports")
    reader = await read_reader(inst, session, request)
    if not reader.lines or (figure.only and figure.only not in reader.staff):
        raise not_found()
    if figure.only != by.staff_user_id:
        await note_view(inst, by, "person" if figure.only else "work", figure.only)
    shown = await behind(inst, reader, figure, request.query_params.get("after"))
    here = "me" if figure.only == by.staff_user_id else ""
    return _answer(inst, request, reader, shown, None, "conversations", TITLES[figure.deed], here)


async def _asked(inst: Installation, session: Session, request: Request) -> Response | Form | None:
    """None for a page; for a sheet its form, or the page that asks first who it is."""
    if request.method != "POST":
        return None
    form = await read_form(request)
    if not is_recent(session):
        return await ask_proof(inst, request, session, REPORTED, form) or form
    return form


def _answer(
    inst: Installation,
    request: Request,
    reader: Reader,
    shown: Shown,
    asked: Form | None,
    template: str,
    title: str,
    here: str,
) -> Response:
    if asked is not None:
        name = f"{template}-{reader.period.first}-{reader.period.last}.csv"
        return download(sheet(shown.head, shown.rows), name, CSV)
    words: dict[str, Any] = {
        "reader": reader,
        "by": reader.by,
        "title": title,
        "here": here,
        "zones": time_zones(),
        "how": HOW,
        "hours_of": PARTS,
        "menu": [(name, words) for name, (words, _) in PAGES.items()] if reader.by.may("reports") else [],
    }
    return show(inst, request, f"reports/{template}", None, None, **words, **SPOKEN, **shown.words)
