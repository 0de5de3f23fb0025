"""The door for messages of the payment provider. Where no payments are taken, there is no such door."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.billing.hear import hear
from chatinbox.billing.plans import is_on
from chatinbox.core.declared import Declared, Way
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.web.answer import answer, guarded

MOST_BYTES = 1_000_000


def routes(inst: Installation) -> list[Way]:
    """The route, where payments are taken."""

    async def take(request: Request) -> Response:
        raw = await read_small(request, MOST_BYTES, "This message is too large.")
        await hear(inst, raw, request.headers.get("stripe-signature", ""))
        return answer({})

    async def through(request: Request) -> Response:
        return await guarded(lambda: take(request))

    to = Declared(("program",), ("T",))
    return [Way("/webhooks/stripe", through, to, ["POST"])] if is_on(inst.settings) else []
