"""An invitation: join an account."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import invite, people, sign_in
from chatinbox.accounts.sso.compulsory import must_use_sso
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.entrance.second_step import let_in
from chatinbox.web.forms import Form, device_of, read_form, show, throttle


async def get_invitation(inst: Installation, request: Request) -> Response:
    """Opens an invitation."""
    return await _show(inst, request)


async def post_invitation(inst: Installation, request: Request) -> Response:
    """Joins and signs in."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        throttle(request, token)
        if form.get("do") == "decline":
            await invite.decline(inst, token)
            return show(inst, request, "entrance/declined")
        staff = await invite.accept(inst, token, form.get("name", ""), form.get("password", ""))
    except Refused as refused:
        if refused.code == "link":
            return show(inst, request, "entrance/link-gone", refused)
        return await _show(inst, request, refused, form)
    if await must_use_sso(inst, staff):
        return RedirectResponse("/sign-in/company", 303)
    return await let_in(inst, request, await sign_in.enter(inst, staff, device_of(request)))


async def _show(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    try:
        asked = await invite.read_invitation(inst, request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone)
    known = await people.find_person(inst, asked.email) is not None
    return show(inst, request, "entrance/invitation", refused, form, asked=asked, known=known)


PAGES = {"/invitation/{token}": (get_invitation, post_invitation)}
