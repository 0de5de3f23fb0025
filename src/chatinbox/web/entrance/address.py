"""The links of a new address: the new one confirms it, the old one stops it."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import change_address
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.forms import read_form, show, throttle


async def get_address(inst: Installation, request: Request) -> Response:
    """Opens such a link. It asks for a press, so a program that only looks at links changes nothing."""
    try:
        asked = await change_address.look_change(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/address", asked=asked, done=False)


async def post_address(inst: Installation, request: Request) -> Response:
    """Confirms or stops."""
    await read_form(request)
    try:
        throttle(request, request.path_params["token"])
        asked = await change_address.carry_out(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/address", asked=asked, done=True)


TO = Declared(("visitor",), ("T",))
PAGES = {"/address/{token}": (get_address, post_address)}
