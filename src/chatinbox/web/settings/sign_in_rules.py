"""Sign-in rules: whether the account asks everybody for a second factor, and who has one."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import second_factor_rule
from chatinbox.accounts.factors import with_second_factor
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    staff = [one for one in await read_staff(inst, account_id) if one.active]
    return {
        "staff": staff,
        "with_second": await with_second_factor(inst, [one.person_id for one in staff]),
        "required": await second_factor_rule.is_required(inst, account_id),
    }


async def _require(inst: Installation, session: Session, _form: Form) -> str:
    await second_factor_rule.require(inst, session.staff)
    return "From their next sign-in, everybody here is asked to set up a second factor before anything else."


async def _leave_free(inst: Installation, session: Session, _form: Form) -> str:
    await second_factor_rule.leave_free(inst, session.staff)
    return "A second factor is everybody's own choice again."


PAGE = SettingsPage(
    "sign-in-rules",
    "Sign-in rules",
    "people",
    _show,
    {"require": Act(_require, proof=True), "leave-free": Act(_leave_free, proof=True)},
    needs="workspace",
)
