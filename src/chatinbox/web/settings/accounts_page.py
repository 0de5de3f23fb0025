"""Accounts: where one works, and going from one to another."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.sessions import Session
from chatinbox.accounts.switch import list_places, switch
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, signed_in, which
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    return {"places": await list_places(inst, session.staff)}


async def _switch(inst: Installation, session: Session, form: Form) -> Response:
    account_id = which(form)
    return signed_in(inst, await switch(inst, session, account_id))


PAGE = SettingsPage("accounts", "Accounts", "you", _show, {"switch": Act(_switch)})
