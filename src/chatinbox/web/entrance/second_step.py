"""The second step of signing in. Which second factors there are is said only to who gave the right password."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import passkeys, second_step
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.offers import Offered
from chatinbox.accounts.second_step import Halfway
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.entrance.way_back import after, carried
from chatinbox.web.forms import Form, device_of, show, signed_in, throttle


async def let_in(
    inst: Installation, request: Request, entered: str | Halfway, refused: Refused | None = None
) -> Response:
    """Off to the inbox, or to the invitation they came from, with a session; or the page that asks for the second factor."""
    if isinstance(entered, str):
        return signed_in(inst, entered, after(request))
    factors = await read_factors(inst, entered.person_id)
    question = None
    if factors.passkey_count and passkeys.are_possible(inst):
        question = await passkeys.ask(inst, "second", entered.person_id)
    return show(
        inst,
        request,
        "entrance/second-step",
        refused,
        step=entered.token,
        back=carried(request),
        factors=factors,
        question=question,
    )


async def post_second_step(inst: Installation, request: Request, form: Form) -> Response:
    """Takes the second factor."""
    half = None
    try:
        half = second_step.whose(inst, form.get("step", ""))
        throttle(request, f"code {half.person_id}")
        offered = Offered(
            code=form.get("code", ""),
            recovery=form.get("recovery", ""),
            challenge=form.get("challenge", ""),
            answer=form.get("answer", ""),
        )
        token = await second_step.finish(inst, half.token, offered, device_of(request))
        return signed_in(inst, token, after(request))
    except Refused as refused:
        if half is None or refused.code == "second_step":
            raise
        return await let_in(inst, request, half, refused)
