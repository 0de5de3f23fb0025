"""Settings: one door for all pages. It knows who acts, whether they may, and whether they said again who they are."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatinbox.accounts import people
from chatinbox.accounts.proof import is_recent, prove_again
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.forms import Form, form_routes, read_form, show, throttle
from chatinbox.web.settings import channels, people_page, profile, sessions_page, sso_page
from chatinbox.web.settings.page import Act, SettingsPage

PAGES: dict[str, SettingsPage] = {
    page.name: page
    for page in (profile.PAGE, sessions_page.PAGE, people_page.PAGE, channels.PAGE, sso_page.PAGE)
}


def routes(inst: Installation) -> list[Route]:
    """The routes of the settings."""
    return form_routes(inst, {"/settings": (_first, None), "/settings/{page}": (_get, _post)})


async def _first(_inst: Installation, _request: Request) -> Response:
    return RedirectResponse("/settings/profile", 303)


async def _get(inst: Installation, request: Request) -> Response:
    session, page = await session_of(inst, request), _page(request)
    if session is None:
        return RedirectResponse("/sign-in", 303)
    if page is None or (page.needs and not session.staff.may(page.needs)):
        return RedirectResponse("/settings/profile", 303)
    return await _show(inst, request, session, page)


async def _post(inst: Installation, request: Request) -> Response:
    form = await read_form(request)
    session, page = await session_of(inst, request), _page(request)
    if session is None:
        return RedirectResponse("/sign-in", 303)
    if page is None:
        return RedirectResponse("/settings/profile", 303)
    try:
        act = page.acts.get(form.get("do", ""))
        if act is None:
            raise Refused(400, "There is nothing to do by that name.", "do")
        for needed in (page.needs, act.needs):
            if needed:
                session.staff.need(needed)
        if act.proof and not is_recent(session):
            asked = await _ask_proof(inst, request, session, page, form)
            if asked:
                return asked
        told = await act.do(inst, session, form)
    except Refused as refused:
        if page.needs and not session.staff.may(page.needs):
            raise
        return await _show(inst, request, session, page, refused, form)
    return told if isinstance(told, Response) else await _show(inst, request, session, page, told=told)


def _page(request: Request) -> SettingsPage | None:
    return PAGES.get(request.path_params["page"])


async def _ask_proof(
    inst: Installation, request: Request, session: Session, page: SettingsPage, form: Form
) -> Response | None:
    """The page that asks who it is, carrying what was typed; None when this form brought the proof with it."""
    proof, refused = form.pop("proof", None), None
    if proof is not None:
        try:
            throttle(request, f"proof {session.staff.person_id}")
            await prove_again(inst, session, proof)
        except Refused as wrong:
            refused = wrong
        else:
            return None
    return await _show(inst, request, session, page, refused, form, template="proof")


async def _show(
    inst: Installation,
    request: Request,
    session: Session,
    page: SettingsPage,
    refused: Refused | None = None,
    form: Form | None = None,
    told: str | None = None,
    template: str | None = None,
) -> Response:
    by = session.staff
    words: dict[str, Any] = {
        "me": await people.read_person(inst, by.person_id),
        "by": by,
        "session_id": session.session_id,
        "company": await read_account_name(inst, by.account_id),
        "page": page.name,
        "menu": [one for one in PAGES.values() if not one.needs or by.may(one.needs)],
        "told": told,
    }
    if template is None:
        words |= await page.show(inst, session, request)
    return show(inst, request, f"settings/{template or page.name}", refused, form, **words)


__all__ = ["PAGES", "Act", "SettingsPage", "routes"]
