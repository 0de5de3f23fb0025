"""Sign in and out: with a passkey, or with a password and, where there is one, the second factor."""

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import passkeys, sessions, sign_in
from chatinbox.accounts.second_step import Halfway
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso import sign_out
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.web.door import session_of
from chatinbox.web.entrance.second_step import let_in, post_second_step
from chatinbox.web.entrance.way_back import carried
from chatinbox.web.forms import Form, device_of, read_form, show, throttle

log = structlog.get_logger()


async def get_sign_in(inst: Installation, request: Request) -> Response:
    """The sign-in. Who comes from an invitation may be signed in already, and not in the way that joining takes."""
    session = await session_of(inst, request, limited=True)
    if session and not carried(request):
        return RedirectResponse("/settings/security" if session.limited else "/inbox", 303)
    changed = request.query_params.get("told") == "new"
    told = said("Your password is changed. Sign in with it.") if changed else None
    return await _show(inst, request, told=told)


async def post_sign_in(inst: Installation, request: Request) -> Response:
    """Signs in."""
    form = await read_form(request)
    try:
        if form.get("do") == "second":
            return await post_second_step(inst, request, form)
        return await let_in(inst, request, await _enter(inst, request, form))
    except Refused as refused:
        return await _show(inst, request, refused, form)


async def _enter(inst: Installation, request: Request, form: Form) -> str | Halfway:
    device = device_of(request)
    if form.get("do") == "passkey":
        throttle(request, f"passkey {form.get('challenge', '')}")
        return await sign_in.sign_in_with_passkey(
            inst, form.get("challenge", ""), form.get("answer", ""), device
        )
    email = form.get("email", "")
    throttle(request, f"sign-in {email}")
    return await sign_in.sign_in(inst, email, form.get("password", ""), device)


async def _show(
    inst: Installation,
    request: Request,
    refused: Refused | None = None,
    form: Form | None = None,
    told: str | None = None,
) -> Response:
    question = await passkeys.ask(inst, "open") if passkeys.are_possible(inst) else None
    return show(
        inst, request, "entrance/sign-in", refused, form, told=told, question=question, back=carried(request)
    )


async def post_sign_out(inst: Installation, request: Request) -> Response:
    """Ends this session; at the company's sign-in too, where it began there and the account wants that."""
    await read_form(request)
    session, there = await session_of(inst, request, limited=True), None
    if session:
        await sessions.end(inst, session.staff.person_id, session.session_id)
        there = await _there(inst, request, session)
    answer: Response = there or RedirectResponse("/sign-in", 303)
    answer.delete_cookie(sessions.cookie_name(inst), path="/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


async def _there(inst: Installation, request: Request, session: Session) -> Response | None:
    """The page that sends them on to the company's sign-in; None where they are not, or cannot be: here they are signed out."""
    try:
        if (url := await sign_out.ask(inst, session)) is None:
            return None
        # Not a redirect: a form's answer may not lead to another origin under our policy.
        answer = show(inst, request, "entrance/company-out", url=url)
        answer.headers["refresh"] = f"0;url={url}"
    except Exception:
        log.exception("sso_sign_out_failed")
        return None
    answer.headers["referrer-policy"] = "no-referrer"
    return answer


TO = Declared(("visitor",), ("T",))
PAGES = {"/sign-in": (get_sign_in, post_sign_in), "/sign-out": (None, post_sign_out)}
