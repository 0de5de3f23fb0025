"""Set-up: the first owner of an empty installation begins with a link."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import sessions
from chatinbox.accounts.setup import look_setup, set_up
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.forms import SIGN_UP_FIELDS, device_of, only, origin_of, read_form, show, signed_in


async def get_setup(inst: Installation, request: Request) -> Response:
    """Opens the set-up link of an empty installation."""
    try:
        await look_setup(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/setup")


async def post_setup(inst: Installation, request: Request) -> Response:
    """Makes the first owner and signs them in."""
    form = await read_form(request)
    try:
        only(form, SIGN_UP_FIELDS)
        name, email, company, password = [form.get(field, "") for field in SIGN_UP_FIELDS]
        token, origin = request.path_params["token"], origin_of(request)
        made = await set_up(inst, token, name, email, company, password, origin)
    except Refused as refused:
        page = "entrance/link-gone" if refused.code == "link" else "entrance/setup"
        return show(inst, request, page, refused, form)
    await open_first_channels(inst, made.account_id, form["company"])
    return signed_in(inst, await sessions.start(inst, made.staff, device_of(request)))


TO = Declared(("visitor", "operator"), ("T",))
PAGES = {"/setup/{token}": (get_setup, post_setup)}
