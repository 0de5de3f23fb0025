"""A customer gets the copy of their data: by a link that is good once, with the words that the business handed over beside it."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.package.share import look_at_shared, take_shared
from chatinbox.web.answer import download
from chatinbox.web.forms import only, read_form, show, throttle

TO = Declared(("customer",), ("U",))


async def get_copy(inst: Installation, request: Request) -> Response:
    """Asks for the words. Looking uses nothing up, and says nothing of whom it is about."""
    try:
        throttle(request, request.path_params["token"])
        await look_at_shared(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/copy-gone", refused)
    return show(inst, request, "entrance/copy")


async def post_copy(inst: Installation, request: Request) -> Response:
    """Gives the copy. The link is used up."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        only(form, ("phrase",))
        throttle(request, token)
        content = await take_shared(inst, token, form.get("phrase", ""))
    except Refused as refused:
        return show(
            inst,
            request,
            "entrance/copy" if refused.code in ("phrase", "more") else "entrance/copy-gone",
            refused,
            {},
        )
    return download(content, "your-data.zip", "application/zip")


PAGES = {"/copy/{token}": (get_copy, post_copy)}
