"""Sign up, and confirm the address."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import sign_in
from chatinbox.accounts.links import look
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.sign_up import checked, sign_up
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.entrance.second_step import let_in
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.forms import (
    SIGN_UP_FIELDS,
    afterwards,
    device_of,
    only,
    origin_of,
    read_form,
    show,
    throttle,
)


async def get_sign_up(inst: Installation, request: Request) -> Response:
    """The sign-up, where it is open."""
    is_open = inst.settings.sign_up == "open"
    return show(inst, request, "entrance/sign-up" if is_open else "entrance/sign-up-closed")


async def post_sign_up(inst: Installation, request: Request) -> Response:
    """Signs up; the answer is the same for a known address."""
    if inst.settings.sign_up != "open":
        return show(inst, request, "entrance/sign-up-closed")
    form = await read_form(request)
    try:
        only(form, SIGN_UP_FIELDS)
        throttle(request, f"letter {form.get('email', '')}")
        name, email, company = checked(form.get("name", ""), form.get("email", ""), form.get("company", ""))
        check_strength(form.get("password", ""), name, email, company)
    except Refused as refused:
        return show(inst, request, "entrance/sign-up", refused, form)
    afterwards(_sign_up(inst, name, email, company, form.get("password", ""), origin_of(request)))
    return show(inst, request, "entrance/sent")


async def _sign_up(
    inst: Installation, name: str, email: str, company: str, password: str, origin: str | None
) -> None:
    made = await sign_up(inst, name, email, company, password, origin=origin)
    if made is None:
        await sign_in.ask_reset(inst, email)
        return
    await open_first_channels(inst, made.account_id, company)
    await sign_in.send_confirmation(inst, made.account_id, made.staff.person_id, email)


async def get_confirm(inst: Installation, request: Request) -> Response:
    """Opens a confirmation link. It asks for the password, so a program that only looks at links uses nothing up."""
    try:
        await look(inst, "confirm", request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/confirm")


async def post_confirm(inst: Installation, request: Request) -> Response:
    """Confirms the address and signs in."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        throttle(request, token)
        entered = await sign_in.confirm_address(inst, token, form.get("password", ""), device_of(request))
    except Refused as refused:
        page = "entrance/link-gone" if refused.code == "link" else "entrance/confirm"
        return show(inst, request, page, refused)
    return await let_in(inst, request, entered)


PAGES = {"/sign-up": (get_sign_up, post_sign_up), "/confirm/{token}": (get_confirm, post_confirm)}
