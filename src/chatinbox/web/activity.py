"""The door of a tab's signs of life: that somebody works with the inbox, and nothing of what they do there."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import activity
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.web.answer import Door, read_body


class Sign(msgspec.Struct, forbid_unknown_fields=True):
    """Which tab (a random word it made when it was opened, stored nowhere), and whether work there stopped."""

    tab: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    stop: bool = False


async def put_active(_inst: Installation, by: Staff, request: Request) -> Response:
    """A sign of life, or that it stopped. The moment is the server's own."""
    told = await read_body(request, Sign)
    (activity.stop if told.stop else activity.sign)(by, told.tab)
    return Response(status_code=204)


ROUTES: list[tuple[str, str, Door]] = [("PUT", "/api/active", put_active)]
