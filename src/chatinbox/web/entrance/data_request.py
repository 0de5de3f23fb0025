"""A customer comes to us directly (clauses C61 to C63): asks with an address, opens the link that is sent there, says what they
wish, and follows each business's answer under a link of its own.

The page and the letter are the same whether anybody here knows the address or not. Opened from one business's own link
(`?at=` its chat key), the page names that business, and only it is asked.
"""

import json
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.channels.chat.channel import find_channel
from chatinbox.channels.email.channel import find_channels
from chatinbox.core.addresses import is_email, need_seen, normal_email
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.read import read_receipt_of_case
from chatinbox.privacy.requests.carry import take
from chatinbox.privacy.requests.case import Case, read_case
from chatinbox.privacy.requests.copy import fetch_copy, look_at_copy
from chatinbox.privacy.requests.grounds import GROUNDS
from chatinbox.privacy.requests.link import WISHES, Where, Wish, read_link, send_link
from chatinbox.privacy.requests.tell import Business, read_business, read_token
from chatinbox.web.answer import download
from chatinbox.web.forms import Form, afterwards, only, read_form, show, throttle
from chatinbox.web.language import wanted
from chatinbox.web.operator_account import operator_channel

TO = Declared(("visitor", "customer"), ("U",))


async def get_ask(inst: Installation, request: Request) -> Response:
    """Asks for the address and the wish."""
    return await _ask(inst, request, form={"at": request.query_params.get("at", "")})


async def post_ask(inst: Installation, request: Request) -> Response:
    """Sends the link to the address; the page is the same whoever it belongs to."""
    form = await read_form(request)
    email = form.get("email", "").strip()
    try:
        only(form, ("email", "wish", "at", "business"))
        if not await _can_write(inst):
            raise Refused(404, "Requests are not taken by form here.", "not_found")
        need_seen(email)
        if not is_email(email):
            raise bad_request("Give the address you wrote from, such as ada@example.com.", "email")
        wish = _wish(form)
        # The mailbox that is shown is the one that is looked up, and none that only looks like it.
        email = normal_email(email)
        throttle(request, f"letter {email}")
    except Refused as refused:
        return await _ask(inst, request, refused, form)
    account_id = await _named(inst, form)
    operator = await operator_channel(inst)
    afterwards(
        send_link(inst, email, wish, Where(operator[0] if operator else None, account_id), wanted(request))
    )
    return show(inst, request, "entrance/my-data-sent")


async def _ask(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    at = await _by_key(inst, (form or {}).get("at", ""))
    business: Business | None = await read_business(inst, at) if at else None
    takes, mail = await _can_write(inst), inst.settings.operator_privacy_email
    wishes = list(WISHES.items())
    return show(
        inst, request, "entrance/my-data-ask", refused, form, wishes=wishes, business=business, takes=takes, mail=mail
    )  # fmt: skip


async def _can_write(inst: Installation) -> bool:
    """Whether a letter to somebody of no account has a way: a server, or the operator's own outbox."""
    return inst.settings.smtp_url is not None or await operator_channel(inst) is not None


async def _named(inst: Installation, form: Form) -> UUID | None:
    """The one business that is meant, by its own link or the address one wrote to; None for every one, and nobody where there is none: nothing is found."""
    address = form.get("business", "").strip()
    if form.get("at"):
        return await _by_key(inst, form["at"]) or NOBODY
    if address:
        found = (await find_channels(inst, [address])).get(address)
        return found[0] if found else NOBODY
    return None


async def _by_key(inst: Installation, key: str) -> UUID | None:
    try:
        return (await find_channel(inst, key)).account_id
    except Refused:
        return None


def _wish(form: Form) -> Wish:
    wish = form.get("wish", "")
    if wish not in WISHES:
        raise bad_request("Choose what you wish.", "wish")
    return wish


async def get_open(inst: Installation, request: Request) -> Response:
    """Opens a link. Looking uses nothing up."""
    return await _open(inst, request)


async def post_open(inst: Installation, request: Request) -> Response:
    """Takes what is wished. Pressing twice is one request."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        only(form, ("wish",))
        throttle(request, token)
        await take(inst, token, _wish(form))
    except Refused as refused:
        if refused.code == "link":
            return show(inst, request, "entrance/link-gone", refused, again="/my-data")
        return await _open(inst, request, refused, form)
    return show(inst, request, "entrance/my-data-taken")


async def _open(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    try:
        asked = read_link(inst, request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone, again="/my-data")
    wishes = list(WISHES.items())
    return show(
        inst, request, "entrance/my-data", refused, form, email=asked.email, wish=asked.wish, wishes=wishes
    )


async def get_case(inst: Installation, request: Request) -> Response:
    """How one business's answer stands, for whoever has its link: no name and no address of the person."""
    account_id, case = await _case(inst, request)
    business = await read_business(inst, account_id)
    words = {"case": case, "grounds": GROUNDS, "business": business, "token": request.path_params["token"]}
    return show(inst, request, "entrance/my-data-case", None, None, **words)


async def get_receipt(inst: Installation, request: Request) -> Response:
    """The signed receipt of an erasure that followed a request."""
    account_id, case = await _case(inst, request)
    told = await read_receipt_of_case(inst, account_id, case.id)
    return download(json.dumps(told, indent=1), "erasure-receipt.json", "application/json")


async def get_copy(inst: Installation, request: Request) -> Response:
    """The page of a copy that can be fetched. Looking uses nothing up: programs in mailboxes open links to look at them."""
    try:
        throttle(request, request.path_params["token"])
        await look_at_copy(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused, again="/my-data")
    return show(inst, request, "entrance/my-data-copy")


async def post_copy(inst: Installation, request: Request) -> Response:
    """Gives the copy, once."""
    form = await read_form(request)
    try:
        only(form, ())
        throttle(request, request.path_params["token"])
        content = await fetch_copy(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused, again="/my-data")
    return download(content, "your-data.zip", "application/zip")


async def _case(inst: Installation, request: Request) -> tuple[UUID, Case]:
    where = read_token(inst, request.path_params["token"])
    case = await read_case(inst, *where) if where else None
    if where is None or case is None:
        raise not_found()
    return where[0], case


PAGES = {
    "/my-data": (get_ask, post_ask),
    "/my-data/{token}": (get_open, post_open),
    "/my-data/case/{token}": (get_case, None),
    "/my-data/copy/{token}": (get_copy, post_copy),
    "/my-data/case/{token}/receipt": (get_receipt, None),
}
