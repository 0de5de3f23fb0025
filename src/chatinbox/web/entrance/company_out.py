"""Signing out at both ends: a company's provider ends sessions here, and sends back whoever we sent to it to be signed out there.

A path of nobody, a foreign one and one where nothing holds are answered alike.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from chatinbox.accounts.sso import logout, oidc_logout, sign_out
from chatinbox.accounts.sso.connection import Connection, Kind, find_account, read_connection
from chatinbox.accounts.sso.saml_redirect import Word
from chatinbox.accounts.sso.saml_xml import MOST_BYTES, failed
from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.core import refusals
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.core.translation.said import said
from chatinbox.web.door import session_of
from chatinbox.web.forms import Form, origin_of, posted_elsewhere, show

_NOT_OUT = said(
    "Your company's sign-in spoke of signing out in a way we cannot trust, so nobody was signed out by it."
)
_LARGE = said("This is too large to be one.")
# How often tokens from one place have a provider asked for new keys. What holds by the keys that are known is heard always.
asking = Throttle(60, 600)


async def _spoken_to(inst: Installation, request: Request, kind: Kind) -> Connection:
    account_id = await find_account(inst, request.path_params["path"])
    connection = await read_connection(inst, account_id) if account_id else None
    if connection is None or connection.kind != kind:
        raise failed("sso_mixed_up")
    return connection


async def get_logout(inst: Installation, request: Request) -> Response:
    """A SAML provider signs somebody out here, or answers that it signed them out there; by an address."""
    word: Word = "SAMLRequest" if "SAMLRequest" in request.query_params else "SAMLResponse"
    return await _logout(inst, request, word, {})


async def post_logout(inst: Installation, request: Request) -> Response:
    """The same by a form that the browser posts from the provider's page. What it says is signed, and counts alone."""
    form = posted_elsewhere(await read_small(request, 2 * MOST_BYTES, _LARGE))
    return await _logout(inst, request, "SAMLRequest" if "SAMLRequest" in form else "SAMLResponse", form)


async def _logout(inst: Installation, request: Request, word: Word, form: Form) -> Response:
    try:
        connection = await _spoken_to(inst, request, "saml")
        told, relay = logout.signed_word(connection, word, request.url.query, form.get(word, ""))
        relay = relay or form.get("RelayState", "")
        if word == "SAMLResponse":
            return await _out(inst, request, there=await sign_out.came_back(inst, connection, relay, told))
        status = await logout.hear(inst, connection, told)
        url = await logout.answer_to(inst, connection, told, relay, status)
    except Refused as refused:
        return _not_out(inst, request, refused)
    return RedirectResponse(url, 303) if url else await _out(inst, request, there=True)


async def get_signed_out(inst: Installation, request: Request) -> Response:
    """An OpenID Connect provider sends back whoever we sent to it, signed out there."""
    try:
        connection = await _spoken_to(inst, request, "oidc")
        there = await sign_out.came_back(inst, connection, request.query_params.get("state", ""))
    except Refused as refused:
        return _not_out(inst, request, refused)
    return await _out(inst, request, there=there)


async def post_backchannel(inst: Installation, request: Request) -> Response:
    """An OpenID Connect provider's server says that somebody signed out there (Back-Channel Logout 1.0 §2.7, §2.8). Whether
    there was a session to end is not said, so nobody learns by it who is signed in.
    """
    answer = Response(status_code=200)
    try:
        form = posted_elsewhere(await read_small(request, 2 * oidc_logout.MOST_BYTES, _LARGE))
        connection = await _spoken_to(inst, request, "oidc")
        place = neighbourhood(origin_of(request) or "")
        await oidc_logout.hear(
            inst, connection, form.get("logout_token", ""), may_ask=lambda: asking.take(place)
        )
    except Refused as refused:
        refusals.note(refused, "sso_logout")
        answer = JSONResponse({"error": "invalid_request", "error_description": _NOT_OUT}, 400)
    answer.headers["cache-control"] = "no-store"
    return answer


def _not_out(inst: Installation, request: Request, refused: Refused) -> Response:
    refusals.note(refused, "sso_logout")
    return show(inst, request, "entrance/trouble", Refused(refused.status, _NOT_OUT, refused.code))


async def _out(inst: Installation, request: Request, there: bool) -> Response:
    """Tells that they are out; to whoever is still signed in (it was another's answer, or another session), only that they came back."""
    is_in = await session_of(inst, request, limited=True) is not None
    # In no other language by a link: it would bring the same answer again, and an answer counts once.
    return show(inst, request, "entrance/company-out", there=there, url=None, is_in=is_in, others=())


TO = Declared(("visitor",), ("T",))
PAGES = {
    "/sso/{path}/logout": (get_logout, post_logout),
    "/sso/{path}/signed-out": (get_signed_out, None),
    "/sso/{path}/backchannel-logout": (None, post_backchannel),
}
