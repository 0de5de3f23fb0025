"""Settings: one door for all pages. It knows who acts, whether they may, and whether they said again who they are."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import passkeys, people
from chatinbox.accounts.closing import GRACE
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.offers import Offered
from chatinbox.accounts.permissions import WHILE_CLOSED
from chatinbox.accounts.proof import is_recent, prove_again
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sessions import Session
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.forms import Form, form_routes, need_own, read_form, show, throttle
from chatinbox.web.settings import (
    accounts_page,
    agreements_page,
    billing_page,
    changes,
    channels,
    closing,
    connections_page,
    data_page,
    erasures,
    ledger,
    looked,
    my_data,
    operator_access,
    people_page,
    permissions_page,
    profile,
    reported,
    reports_switch,
    requests_page,
    retention,
    rights,
    roles_page,
    security,
    sessions_page,
    sign_in_rules,
    sso_page,
    teams_page,
    workspace,
)
from chatinbox.web.settings.page import Act, SettingsPage, Shown
from chatinbox.web.site.frame import announced_now
from chatinbox.web.upload_form import is_upload, read_upload_form

PAGES: dict[str, SettingsPage] = {
    page.name: page
    for page in (
        profile.PAGE,
        security.PAGE,
        sessions_page.PAGE,
        accounts_page.PAGE,
        my_data.PAGE,
        reported.PAGE,
        people_page.PAGE,
        teams_page.PAGE,
        roles_page.PAGE,
        sign_in_rules.PAGE,
        sso_page.PAGE,
        reports_switch.PAGE,
        channels.PAGE,
        connections_page.PAGE,
        data_page.PAGE,
        ledger.PAGE,
        looked.PAGE,
        rights.PAGE,
        requests_page.PAGE,
        permissions_page.PAGE,
        operator_access.PAGE,
        erasures.PAGE,
        retention.PAGE,
        workspace.PAGE,
        agreements_page.PAGE,
        billing_page.PAGE,
        changes.PAGE,
        closing.PAGE,
    )
}

# The fields of the page that asks who it is, and what each of them offers.
_PROOF = {
    "proof": "password",
    "proof_code": "code",
    "proof_challenge": "challenge",
    "proof_answer": "answer",
}


def routes(inst: Installation) -> list[Way]:
    """The routes of the settings."""
    to = Declared(("staff",), ("T", "U"))  # what is customers' in it: an export of the account
    return form_routes(inst, {"/settings": (_first, None), "/settings/{page}": (_get, _post)}, to)


async def _first(_inst: Installation, _request: Request) -> Response:
    return RedirectResponse("/settings/profile", 303)


async def _get(inst: Installation, request: Request) -> Response:
    session, page = await session_of(inst, request, limited=True), _page(inst, request)
    if session is None:
        return RedirectResponse("/sign-in", 303)
    if session.limited and page is not security.PAGE:
        return RedirectResponse("/settings/security", 303)
    if page is None or (page.needs and not session.staff.may(page.needs)):
        return RedirectResponse("/settings/profile", 303)
    return await _show(inst, request, session, page)


async def _post(inst: Installation, request: Request) -> Response:
    session, page = await session_of(inst, request, limited=True), _page(inst, request)
    if session is None:
        need_own(request)
        return RedirectResponse("/sign-in", 303)
    if session.limited and page is not security.PAGE:
        return RedirectResponse("/settings/security", 303)
    form = await (read_upload_form(inst, request) if is_upload(request) else read_form(request))
    if page is None:
        return RedirectResponse("/settings/profile", 303)
    try:
        act = page.acts.get(form.get("do", ""))
        if act is None:
            raise Refused(400, "There is nothing to do by that name.", "do")
        needs = [needed for needed in (page.needs, act.needs) if needed]
        for needed in needs:
            session.staff.need(needed, even_unpaid=act.even_unpaid)
        if page.group != "you" and not WHILE_CLOSED.intersection(needs):
            session.staff.need_open(even_unpaid=act.even_unpaid)
        if act.proof and not is_recent(session):
            asked = await ask_proof(inst, request, session, page, form)
            if asked:
                return asked
        told = await act.do(inst, session, form)
        session = await session_of(inst, request, limited=True) or session  # they may do less now, or more
    except Refused as refused:
        if page.needs and not session.staff.may(page.needs):
            raise
        return await _show(inst, request, session, page, refused, form)
    if isinstance(told, Shown):
        return await _show(inst, request, session, page, told.refused, form, None, told.template, told.words)
    return told if isinstance(told, Response) else await _show(inst, request, session, page, told=told)


def _page(inst: Installation, request: Request) -> SettingsPage | None:
    page = PAGES.get(request.path_params["page"])
    return page if page and page.exists(inst) else None


async def ask_proof(
    inst: Installation, request: Request, session: Session, page: SettingsPage, form: Form
) -> Response | None:
    """The page that asks who it is, carrying what was typed; None when this form brought the proof with it."""
    proof = {name: form.pop(name) for name in _PROOF if name in form}
    refused, person_id = None, session.staff.person_id
    if proof:
        offered = Offered(**{_PROOF[name]: value for name, value in proof.items()})
        try:
            throttle(request, f"proof {person_id}")
            await prove_again(inst, session, offered)
        except Refused as wrong:
            refused = wrong
        else:
            return None
    factors, question = await read_factors(inst, person_id), None
    if factors.passkey_count and passkeys.are_possible(inst):
        question = await passkeys.ask(inst, "proof", person_id)
    words = {"factors": factors, "question": question}
    return await _show(inst, request, session, page, refused, form, None, "proof", words)


async def _show(
    inst: Installation,
    request: Request,
    session: Session,
    page: SettingsPage,
    refused: Refused | None = None,
    form: Form | None = None,
    told: str | None = None,
    template: str | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    by = session.staff
    menu = (security.PAGE,) if session.limited else PAGES.values()
    words: dict[str, Any] = {
        "me": await people.read_person(inst, by.person_id),
        "by": by,
        "session_id": session.session_id,
        "company": await read_account_name(inst, by.account_id),
        "page": page.name,
        "menu": [one for one in menu if one.exists(inst) and (not one.needs or by.may(one.needs))],
        "told": told,
        "closes_at": by.closed_at + GRACE if by.closed_at else None,
        "announced": announced_now(),
    }
    words |= await page.show(inst, session, request) if template is None else more or {}
    return show(inst, request, f"settings/{template or page.name}", refused, form, **words)


__all__ = ["PAGES", "Act", "SettingsPage", "ask_proof", "routes"]
