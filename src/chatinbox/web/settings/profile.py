"""My profile: what one is called."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.rename import rename_self
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(_inst: Installation, _session: Session, _request: Request) -> dict[str, Any]:
    return {}


async def _rename(inst: Installation, session: Session, form: Form) -> str:
    await rename_self(inst, session.staff, form.get("name", ""))
    return "Your name is changed."


PAGE = SettingsPage("profile", "My profile", "you", _show, {"rename": Act(_rename)})
