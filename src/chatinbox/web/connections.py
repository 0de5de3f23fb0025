"""The door by which connected programs bring customers. A token opens its own connection and no other."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.integrations.bring import bring_customers
from chatinbox.integrations.token import find_token
from chatinbox.web.answer import answer, guarded

log = structlog.get_logger()
MOST_BYTES = 200_000
_SIGN_IN = Refused(
    401, "This token is not good, or has ended. Connect the program anew in the settings.", "token"
)
wrong = Throttle(30, 600)
of_one = Throttle(120, 60)  # requests of one connection


def routes(inst: Installation) -> list[Way]:
    """The route."""

    async def take(request: Request) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        whose = await find_token(inst, token.strip()) if kind.lower() == "bearer" else None
        if whose is None:
            wrong.take(neighbourhood(request.client.host if request.client else ""))
            raise _SIGN_IN
        if read_id(request.path_params["id"]) != whose.connection_id:
            raise not_found()
        of_one.take(str(whose.connection_id))
        raw = await read_small(request, MOST_BYTES, "This is too large. Send fewer customers at a time.")
        brought = await bring_customers(inst, *whose, raw, request.headers.get("idempotency-key"))
        rows = [{"became": one.became, "customer_id": one.customer_id} for one in brought]
        return answer({"customers": rows})

    async def through(request: Request) -> Response:
        return await guarded(lambda: take(request))

    return [Way("/connections/{id}/customers", through, Declared(("program",), ("T", "U")), ["POST"])]
