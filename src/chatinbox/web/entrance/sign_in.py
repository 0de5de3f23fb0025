"""Sign in and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import sessions, sign_in
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.forms import device_of, read_form, show, signed_in, throttle


async def get_sign_in(inst: Installation, request: Request) -> Response:
    """The sign-in."""
    if await session_of(inst, request):
        return RedirectResponse("/inbox", 303)
    changed = request.query_params.get("told") == "new"
    told = "Your password is changed. Sign in with it." if changed else None
    return show(inst, request, "entrance/sign-in", told=told)


async def post_sign_in(inst: Installation, request: Request) -> Response:
    """Signs in."""
    form = await read_form(request)
    email, password = form.get("email", ""), form.get("password", "")
    try:
        throttle(request, f"sign-in {email}")
        token = await sign_in.sign_in(inst, email, password, device_of(request))
    except Refused as refused:
        return show(inst, request, "entrance/sign-in", refused, form)
    return signed_in(inst, token)


async def post_sign_out(inst: Installation, request: Request) -> Response:
    """Ends this session."""
    await read_form(request)
    session = await session_of(inst, request)
    if session:
        await sessions.end(inst, session.staff.person_id, session.session_id)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(sessions.cookie_name(inst), path="/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


PAGES = {"/sign-in": (get_sign_in, post_sign_in), "/sign-out": (None, post_sign_out)}
