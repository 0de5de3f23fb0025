"""A forgotten password: ask for a link, and choose a new one with it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import promised, sign_in
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.links import look
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.forms import afterwards, read_form, show, throttle
from chatinbox.web.language import keeping, wanted


async def get_ask(inst: Installation, request: Request) -> Response:
    """Asks for a link to choose a new password."""
    return show(inst, request, "entrance/reset-ask")


async def post_ask(inst: Installation, request: Request) -> Response:
    """Sends it, when the address is known; the page is the same either way."""
    form = await read_form(request)
    email = form.get("email", "")
    try:
        throttle(request, f"letter {email}")
    except Refused as refused:
        return show(inst, request, "entrance/reset-ask", refused, form)
    afterwards(promised.keep(inst, await promised.promise(inst, "reset", email), wanted(request)))
    return show(inst, request, "entrance/sent")


async def get_reset(inst: Installation, request: Request) -> Response:
    """Opens a reset link."""
    return await _show(inst, request)


async def post_reset(inst: Installation, request: Request) -> Response:
    """Sets the new password."""
    form = await read_form(request)
    try:
        await sign_in.reset_password(inst, request.path_params["token"], form.get("password", ""))
    except Refused as refused:
        return await _show(inst, request, refused)
    return RedirectResponse(keeping(request, "/sign-in?told=new"), 303)


async def _show(inst: Installation, request: Request, refused: Refused | None = None) -> Response:
    try:
        link = await look(inst, "reset", request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone)
    assert link.person_id
    shortest = sign_in.shortest(await read_factors(inst, link.person_id))
    return show(inst, request, "entrance/reset", refused, shortest=shortest)


TO = Declared(("visitor",), ("T",))
PAGES = {"/reset": (get_ask, post_ask), "/reset/{token}": (get_reset, post_reset)}
