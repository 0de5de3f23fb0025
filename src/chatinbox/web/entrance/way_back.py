"""Where somebody goes on once they are signed in: to the invitation they came from, else to the inbox.

The token travels in the address of the pages between; whether it is good is looked at when they are back, and nobody else learns.
"""

import re

from starlette.requests import Request

from chatinbox.accounts import invite
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.language import keeping

_TOKEN = re.compile(r"[\w-]{20,64}", re.ASCII)


def invited(request: Request) -> str:
    """The token of the invitation that somebody signs in for; empty where there is none."""
    token = request.query_params.get("invitation", "")
    return token if _TOKEN.fullmatch(token) else ""


def carried(request: Request) -> str:
    """What carries it on to the next page."""
    return f"?invitation={invited(request)}" if invited(request) else ""


def after(request: Request) -> str:
    """Where they go on."""
    return keeping(request, f"/invitation/{invited(request)}") if invited(request) else "/inbox"


async def after_company(inst: Installation, invitation: str) -> str:
    """The same for who came by a company's sign-in: where it was the inviting account's own, they have joined by it."""
    if not invitation:
        return "/inbox"
    try:
        await invite.read_invitation(inst, invitation)
    except Refused:
        return "/inbox"
    return f"/invitation/{invitation}"
