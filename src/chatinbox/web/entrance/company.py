"""Sign in with one's company: ask the address, go to the provider, come back.

What can be learnt from outside is that a domain has such a sign-in, never whether a person is known: nothing is looked
up but the domain.
"""

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import sessions
from chatinbox.accounts.sign_up import checked_email
from chatinbox.accounts.sso import domains, oidc, pending, provider_session, saml, saml_metadata
from chatinbox.accounts.sso.arrive import Admission, AtProvider, arrive
from chatinbox.accounts.sso.connection import Connection, path_of, read_connection
from chatinbox.accounts.sso.oidc import Begun
from chatinbox.accounts.sso.our_key import our_key
from chatinbox.accounts.sso.saml_xml import MOST_BYTES
from chatinbox.accounts.staff import Staff
from chatinbox.core import refusals
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.core.translation.said import said
from chatinbox.web.answer import refusal
from chatinbox.web.door import session_of
from chatinbox.web.entrance.way_back import after_company, carried, invited
from chatinbox.web.forms import Form, device_of, posted_elsewhere, read_form, show, signed_in, throttle

_AGAIN = Refused(
    403, "This sign-in did not begin in this browser, or too long ago. Begin again.", "sso_browser"
)
_NO = Refused(403, "Your company's sign-in said no. Ask who runs it, or begin again.", "sso_no")


def _cookie(inst: Installation) -> str:
    return "__Host-sso" if inst.settings.public_url.startswith("https:") else "sso"


def _browser(inst: Installation, request: Request) -> str:
    """What stands for this browser in a sign-in on its way."""
    return inst.vault.blind_installation("sso-browser", request.cookies.get(_cookie(inst), "")).hex()


async def get_company(inst: Installation, request: Request) -> Response:
    """Asks the address."""
    return _ask(inst, request)


def _ask(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    return show(inst, request, "entrance/company", refused, form, back=carried(request))


async def post_company(inst: Installation, request: Request) -> Response:
    """Sends to the provider of the address's domain."""
    form = await read_form(request)
    email = form.get("email", "")
    try:
        throttle(request, f"company {email}")
        checked_email(email)
        connection = await _connection_for(inst, email)
    except Refused as refused:
        return _ask(inst, request, refused, form)
    mark = secrets.token_urlsafe(24)
    browser = inst.vault.blind_installation("sso-browser", mark).hex()
    url = await _begin(inst, connection, oidc.fresh(connection, browser, invited(request)))
    answer = show(inst, request, "entrance/company-go", url=url)
    # Not a redirect: a form's answer may not lead to another origin under our policy.
    answer.headers["refresh"] = f"0;url={url}"
    answer.headers["referrer-policy"] = "no-referrer"
    name = _cookie(inst)
    answer.set_cookie(
        name, mark, max_age=600, path="/", httponly=True, samesite="lax", secure=name.startswith("__Host-")
    )
    return answer


async def _connection_for(inst: Installation, email: str) -> Connection:
    found = await domains.find_connection(inst, email)
    connection = await read_connection(inst, found[0]) if found else None
    if connection is None:
        sentence = said(
            "We know of no company sign-in for this domain. Check the address, or sign in with a password."
        )
        raise Refused(422, sentence, "email")
    return connection


async def _begin(inst: Installation, connection: Connection, begun: Begun) -> str:
    state = await pending.make(inst, "begin", connection.account_id, begun)
    if connection.kind == "saml":
        return await saml.begin(inst, connection, state, begun)
    return oidc.begin(inst, connection, state, begun)


async def _came_back(inst: Installation, request: Request, state: str) -> tuple[Connection, Begun]:
    """The connection and what was begun with it; used up whatever comes of it. Raises for another's path."""
    account_id, begun = await pending.use(inst, "begin", state, Begun)
    connection = await read_connection(inst, account_id)
    if connection is None or str(connection.id) != begun.connection_id:
        raise _AGAIN
    if path_of(inst, account_id) != request.path_params["path"]:
        raise Refused(403, _AGAIN.sentence, "sso_mixed_up")
    return connection, begun


async def get_back(inst: Installation, request: Request) -> Response:
    """Comes back from an OpenID Connect provider."""
    query = request.query_params
    try:
        connection, begun = await _came_back(inst, request, query.get("state", ""))
        if begun.browser != _browser(inst, request):
            raise _AGAIN
        if "error" in query or connection.kind != "oidc":
            raise _NO
        came = await oidc.finish(inst, connection, begun, query.get("code", ""), query.get("iss"))
        staff = await arrive(inst, connection, came)
    except Refused as refused:
        return _refused(inst, request, refused)
    return await _in(inst, request, staff, came.at_provider, begun.invitation)


async def post_saml(inst: Installation, request: Request) -> Response:
    """A SAML provider's answer, posted by the browser from the provider's page; our cookie does not come with it.

    So the answer is used up here, and the session is given at the next step, to the browser that began.
    """
    try:
        raw = await read_small(request, 2 * MOST_BYTES, said("This answer is too large to be one."))
        form = posted_elsewhere(raw)
        connection, begun = await _came_back(inst, request, form.get("RelayState", ""))
        if connection.kind != "saml":
            raise _NO
        came = await saml.finish(inst, connection, begun, form.get("SAMLResponse", ""))
        staff = await arrive(inst, connection, came)
    except Refused as refused:
        return _refused(inst, request, refused)
    words = Admission(staff.staff_user_id, staff.person_id, begun.browser, came.at_provider, begun.invitation)
    token = await pending.make(inst, "admission", connection.account_id, words)
    return RedirectResponse(f"/sso/{request.path_params['path']}/done?admission={token}", 303)


async def get_metadata(inst: Installation, request: Request) -> Response:
    """What a SAML provider is told of us, for those who may connect one."""
    session = await session_of(inst, request)
    if session is None or path_of(inst, session.staff.account_id) != request.path_params["path"]:
        return refusal(not_found())
    account_id = session.staff.account_id
    connection = await read_connection(inst, account_id)
    told = saml_metadata.ours(inst, account_id, await our_key(inst, account_id), connection)
    return Response(told, media_type="application/samlmetadata+xml")


async def get_done(inst: Installation, request: Request) -> Response:
    """The browser that began asks for its session, after the provider's form came in from elsewhere."""
    try:
        account_id, admission = await pending.use(
            inst, "admission", request.query_params.get("admission", ""), Admission
        )
        if admission.browser != _browser(inst, request):
            raise _AGAIN
        staff = await sessions.read_active(inst, account_id, admission.staff_user_id, admission.person_id)
        if staff is None:
            raise _AGAIN
    except Refused as refused:
        return _refused(inst, request, refused)
    return await _in(inst, request, staff, admission.at_provider, admission.invitation)


async def _in(
    inst: Installation, request: Request, staff: Staff, at_provider: AtProvider | None, invitation: str
) -> Response:
    token = await provider_session.start(inst, staff, device_of(request), at_provider)
    answer = signed_in(inst, token, await after_company(inst, invitation))
    answer.delete_cookie(_cookie(inst), path="/")
    return answer


def _refused(inst: Installation, request: Request, refused: Refused) -> Response:
    refusals.note(refused, "sso")
    return show(inst, request, "entrance/company-trouble", refused)


async def get_domain(inst: Installation, request: Request) -> Response:
    """A postmaster opens the link; looking uses nothing up."""
    try:
        name, company = await domains.look(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/company-domain", name=name, company=company, said=None)


async def post_domain(inst: Installation, request: Request) -> Response:
    """A postmaster says yes, or no."""
    said = "no" if (await read_form(request)).get("say") == "no" else "yes"
    try:
        answer = domains.deny if said == "no" else domains.confirm
        name = await answer(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)
    return show(inst, request, "entrance/company-domain", name=name, company="", said=said)


TO = Declared(("visitor",), ("T",))
PAGES = {
    "/sign-in/company": (get_company, post_company),
    "/sso/{path}/back": (get_back, None),
    "/sso/{path}/saml": (None, post_saml),
    "/sso/{path}/metadata": (get_metadata, None),
    "/sso/{path}/done": (get_done, None),
    "/sso/domain/{token}": (get_domain, post_domain),
}
