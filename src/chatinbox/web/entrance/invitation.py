"""An invitation: join an account."""

from typing import Literal, TypeAlias
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import invite, passkeys, people, sign_in
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.invite import Asked
from chatinbox.accounts.sso.compulsory import must_use_sso
from chatinbox.accounts.sso.domains import find_connection
from chatinbox.accounts.switch import switch
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.door import session_of
from chatinbox.web.entrance.second_step import let_in
from chatinbox.web.forms import Form, device_of, read_form, show, signed_in, throttle
from chatinbox.web.language import keeping

Way: TypeAlias = Literal["session", "new", "password", "passkey", "company", "letter"]


async def get_invitation(inst: Installation, request: Request) -> Response:
    """Opens an invitation."""
    return await _show(inst, request)


async def post_invitation(inst: Installation, request: Request) -> Response:
    """Joins and signs in."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        throttle(request, token)
        if form.get("do") == "decline":
            await invite.decline(inst, token)
            return show(inst, request, "entrance/declined")
        if form.get("do") == "join":
            return await _join(inst, request, token)
        staff = await invite.accept(inst, token, form.get("name", ""), form.get("password", ""))
    except Refused as refused:
        if refused.code == "link":
            return show(inst, request, "entrance/link-gone", refused)
        return await _show(inst, request, refused, form)
    if await must_use_sso(inst, staff):
        return RedirectResponse(keeping(request, "/sign-in/company"), 303)
    return await let_in(inst, request, await sign_in.enter(inst, staff, device_of(request)))


async def _show(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    try:
        asked = await invite.read_invitation(inst, request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone)
    known, session = await people.find_person(inst, asked.email), await session_of(inst, request)
    is_theirs = invite.is_theirs(known, session)
    way = "session" if is_theirs else await _way_in(inst, asked, known)
    words = {
        "asked": asked,
        "way": way,
        "me": session.staff.name if session and is_theirs else None,
        "stays": session is not None and session.stays_here and session.staff.person_id == known,
        "token": request.path_params["token"],
    }
    return show(inst, request, "entrance/invitation", refused, form, **words)


async def _way_in(inst: Installation, asked: Asked, known: UUID | None) -> Way:
    """How whoever was invited joins: only what they have is offered. Whoever holds the link may learn of it."""
    if known is None:
        return "new"
    factors = await read_factors(inst, known)
    if factors.has_password:
        return "password"
    if factors.passkey_count and passkeys.are_possible(inst):
        return "passkey"
    found = await find_connection(inst, asked.email)
    return "company" if found and found[0] == asked.account_id else "letter"


async def _join(inst: Installation, request: Request, token: str) -> Response:
    """Joins as who is signed in, and goes there."""
    session = await session_of(inst, request)
    if session is None:
        raise Refused(403, "You are signed out meanwhile. Sign in again to join.", "session")
    account_id = await invite.accept_as(inst, token, session)
    try:
        return signed_in(inst, await switch(inst, session, account_id))
    except Refused as refused:
        if refused.code != "use_sso":
            raise
        return RedirectResponse(keeping(request, "/sign-in/company"), 303)


TO = Declared(("visitor",), ("T",))
PAGES = {"/invitation/{token}": (get_invitation, post_invitation)}
