"""Reports about staff: whether there are lines per person. Switching off removes what was recorded of persons."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.sessions import Session
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.reports import forget
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    records, intervals = await forget.count_of_persons(inst, account_id)
    return {
        "lines": (await read_workspace(inst, account_id)).individual_reports == "on",
        "records": records,
        "intervals": intervals,
    }


async def _off(inst: Installation, session: Session, form: Form) -> str:
    if form.get("sure") != "yes":
        raise Refused(422, "Tick that you know what is removed; then switch off.", "sure")
    await forget.switch_off(inst, session.staff)
    return "Lines per person are off. What was recorded of sign-ins and activity is removed."


async def _on(inst: Installation, session: Session, _form: Form) -> str:
    await forget.switch_on(inst, session.staff)
    return "Lines per person are on. Sign-ins and activity are recorded from now on."


PAGE = SettingsPage(
    "staff-reports",
    "Reports about staff",
    "people",
    _show,
    {"off": Act(_off, proof=True), "on": Act(_on, proof=True)},
    needs="workspace",
)
