"""Sign-in & security: passkeys, the authenticator app, recovery codes, the password."""

from typing import Any

import segno
from markupsafe import Markup
from starlette.requests import Request

from chatinbox.accounts import authenticator, passkeys, people, second_factor, sign_in
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage, Shown


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    person_id = session.staff.person_id
    factors, question = await read_factors(inst, person_id), None
    if passkeys.are_possible(inst):
        question = await passkeys.ask_to_add(inst, await people.read_person(inst, person_id))
    return {
        "factors": factors,
        "shortest": sign_in.shortest(factors),
        "passkeys": await passkeys.read(inst, person_id),
        "question": question,
        "limited": session.limited,
    }


async def _scan(inst: Installation, session: Session, _form: Form) -> Shown:
    return await _to_scan(inst, session, authenticator.begin(inst, session.staff.person_id))


async def _to_scan(inst: Installation, session: Session, token: str, refused: Refused | None = None) -> Shown:
    person = await people.read_person(inst, session.staff.person_id)
    secret = authenticator.secret_of(inst, person.id, token)
    drawn = segno.make(authenticator.address(person, secret), error="m").svg_inline(
        scale=5, border=3, light="#fff", svgclass="qr", lineclass=None
    )
    spelt = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    words = {"picture": Markup(drawn), "secret": spelt, "token": token}  # noqa: S704 — drawn by segno, numbers only
    return Shown("security-scan", words, refused)


async def _turn_on(inst: Installation, session: Session, form: Form) -> str | Shown:
    token = form.get("token", "")
    try:
        codes = await second_factor.add_authenticator(inst, session, token, form.get("code", ""))
    except Refused as refused:
        if refused.code != "code":
            raise
        return await _to_scan(inst, session, token, refused)
    return _codes(codes, "The authenticator app is on.")


async def _turn_off(inst: Installation, session: Session, form: Form) -> str:
    await second_factor.remove_authenticator(inst, session, form.get("alone", ""))
    return "The authenticator app is off, and your other sessions have ended."


async def _add_passkey(inst: Installation, session: Session, form: Form) -> str | Shown:
    words = [form.get(name, "") for name in ("name", "challenge", "answer")]
    return _codes(await second_factor.add_passkey(inst, session, *words), "The passkey is added.")


async def _rename_passkey(inst: Installation, session: Session, form: Form) -> str:
    await passkeys.rename(inst, session.staff.person_id, which(form), form.get("name", ""))
    return "The passkey has its new name."


async def _remove_passkey(inst: Installation, session: Session, form: Form) -> str:
    passkey_id = which(form)
    await second_factor.remove_passkey(inst, session, passkey_id, form.get("alone", ""))
    return "The passkey is removed, and your other sessions have ended."


async def _new_codes(inst: Installation, session: Session, _form: Form) -> str | Shown:
    return _codes(await second_factor.new_codes(inst, session), "The former codes are no longer good.")


def _codes(codes: list[str], told: str) -> str | Shown:
    return Shown("security-codes", {"codes": codes, "told": told}) if codes else told


async def _password(inst: Installation, session: Session, form: Form) -> str:
    if not (await read_factors(inst, session.staff.person_id)).has_password:
        raise Refused(409, "You have no password yet. Set one below.", "no_password")
    return await _set_password(inst, session, form)


async def _first_password(inst: Installation, session: Session, form: Form) -> str:
    if (await read_factors(inst, session.staff.person_id)).has_password:
        raise Refused(409, "You have a password already. Change it below.", "has_password")
    return await _set_password(inst, session, form)


async def _set_password(inst: Installation, session: Session, form: Form) -> str:
    await sign_in.change_password(
        inst, session.staff, session.session_id, form.get("old", ""), form.get("password", "")
    )
    return "Your password is changed, and your other sessions have ended."


PAGE = SettingsPage(
    "security",
    "Sign-in & security",
    "you",
    _show,
    {
        "scan": Act(_scan, proof=True),
        "turn-on": Act(_turn_on, proof=True),
        "turn-off": Act(_turn_off, proof=True),
        "add-passkey": Act(_add_passkey, proof=True),
        "rename-passkey": Act(_rename_passkey),
        "remove-passkey": Act(_remove_passkey, proof=True),
        "new-codes": Act(_new_codes, proof=True),
        "password": Act(_password),
        "first-password": Act(_first_password, proof=True),
    },
)
