"""Sign up, and confirm the address."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import begin, passkeys, promised_sign_up, sign_in
from chatinbox.accounts.begin import read_beginner
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.second_step import Halfway
from chatinbox.accounts.sign_up import checked
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of, takes_sign_ups
from chatinbox.web.entrance.second_step import let_in
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.forms import (
    SIGN_UP_FIELDS,
    Form,
    afterwards,
    device_of,
    only,
    origin_of,
    read_form,
    show,
    throttle,
)
from chatinbox.web.language import wanted


async def get_sign_up(inst: Installation, request: Request) -> Response:
    """The sign-up, where it is open."""
    return _form(inst, request) if takes_sign_ups(inst.settings) else _closed(inst, request)


def _closed(inst: Installation, request: Request) -> Response:
    """Says why no account is opened here; 503 where it is only that nobody has put their name to the documents yet."""
    if inst.settings.sign_up == "open" and operator_of(inst.settings) is None:
        return show(inst, request, "entrance/sign-up-unnamed", Refused(503, "", "unnamed"))
    return show(inst, request, "entrance/sign-up-closed")


def _form(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    words = {"passkeys": passkeys.are_possible(inst)}
    return show(inst, request, "entrance/sign-up", refused, form, **words)


def _by_passkey(inst: Installation, form: Form) -> bool:
    return form.get("passkey") == "on" and passkeys.are_possible(inst)


async def post_sign_up(inst: Installation, request: Request) -> Response:
    """Takes the sign-up; all that is done before the answer, and the answer, is the same for a known address."""
    if not takes_sign_ups(inst.settings):
        return _closed(inst, request)
    form = await read_form(request)
    try:
        only(form, (*SIGN_UP_FIELDS, "passkey"))
        throttle(request, f"letter {form.get('email', '')}")
        name, email, company = checked(form.get("name", ""), form.get("email", ""), form.get("company", ""))
        password = None if _by_passkey(inst, form) else form.get("password", "")
        if password is not None:
            check_strength(password, name, email, company)
    except Refused as refused:
        return _form(inst, request, refused, form)
    taken = await promised_sign_up.promise(
        inst, name, email, company, password, origin_of(request), wanted(request)
    )
    afterwards(promised_sign_up.keep(inst, taken, open_first_channels))
    return show(inst, request, "entrance/sent")


async def get_confirm(inst: Installation, request: Request) -> Response:
    """Opens a confirmation link. It asks for the password, or for a way to sign in from whoever has none yet, so a program
    that only looks at links uses nothing up.
    """
    try:
        return await _confirm(inst, request)
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused)


async def _confirm(inst: Installation, request: Request, refused: Refused | None = None) -> Response:
    beginner = await read_beginner(inst, request.path_params["token"])
    if beginner is None:
        return show(inst, request, "entrance/confirm", refused)
    question = await passkeys.ask_to_add(inst, beginner) if passkeys.are_possible(inst) else None
    return show(inst, request, "entrance/begin", refused, question=question)


async def post_confirm(inst: Installation, request: Request) -> Response:
    """Confirms the address and signs in."""
    form, token = await read_form(request), request.path_params["token"]
    try:
        throttle(request, token)
        entered = await _entered(inst, token, form, device_of(request))
    except Refused as refused:
        if refused.code == "link":
            return show(inst, request, "entrance/link-gone", refused)
        return await _confirm(inst, request, refused)
    return await let_in(inst, request, entered)


async def _entered(inst: Installation, token: str, form: Form, device: str) -> str | Halfway:
    password, do = form.get("password", ""), form.get("do", "")
    if do == "passkey":
        challenge, answer = form.get("challenge", ""), form.get("answer", "")
        return await begin.begin_with_passkey(inst, token, challenge, answer, device)
    if do == "password":
        return await begin.begin_with_password(inst, token, password, device)
    return await sign_in.confirm_address(inst, token, password, device)


TO = Declared(("visitor",), ("T",))
PAGES = {"/sign-up": (get_sign_up, post_sign_up), "/confirm/{token}": (get_confirm, post_confirm)}
