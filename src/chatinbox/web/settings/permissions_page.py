"""Permissions that the account gave: to whom, what for, which data, until when; giving one, and taking one back."""

from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    found = await permission.read_permissions(inst, by.account_id)
    return {
        "permissions": [one for one in found if not by.kept_out or one.object_id is None],
        "in_part": bool(by.kept_out),
        "receivers": permission.RECEIVERS,
        "objects": permission.OBJECTS,
        "fields_of": permission.FIELDS,
        "staff": {one.id: one.name for one in await read_staff(inst, by.account_id)},
        "zone": ZoneInfo((await read_profile(inst, by.person_id)).time_zone),
    }


async def _support(inst: Installation, session: Session, form: Form) -> str:
    await permission.give(
        inst, session.staff, "support", "", form.get("object", ""), _number(form), form.get("purpose", ""), _days(form), []
    )  # fmt: skip
    return "Given. The operator's support can look at this and at nothing else, and each look is listed under Operator access."


async def _address(inst: Installation, session: Session, form: Form) -> str:
    fields = [one for one in permission.FIELDS if f"field-{one}" in form]
    thing, to, what_for = form.get("object", ""), form.get("to", ""), form.get("purpose", "")
    await permission.give(
        inst, session.staff, "address", to, thing, _number(form), what_for, _days(form), fields
    )
    return "Given. What leaves on it stands under What left."


async def _take_back(inst: Installation, session: Session, form: Form) -> str:
    await permission.take_back(inst, session.staff, which(form))
    return "It is taken back, and holds no longer from this moment."


def _number(form: Form) -> int | None:
    digits = form.get("number", "").strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _days(form: Form) -> int:
    digits = form.get("days", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0


PAGE = SettingsPage(
    "permissions",
    "Permissions",
    "privacy",
    _show,
    {
        "support": Act(_support, needs="account", proof=True),
        "address": Act(_address, needs="account", proof=True),
        "take-back": Act(_take_back, needs="account"),
    },
    needs="ledger",
)
