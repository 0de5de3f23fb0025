"""Permissions that the account gave: to whom, what for, which data, until when; giving one, and taking one back."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from chatinbox.web.forms import Form, which, whole
from chatinbox.web.settings.page import Act, SettingsPage, zone_of


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    found = await permission.read_permissions(inst, by.account_id)
    return {
        "permissions": [one for one in found if not by.kept_out or one.object_id is None],
        "in_part": bool(by.kept_out),
        "objects": permission.OBJECTS,
        "fields_of": permission.FIELDS,
        "staff": await staff_names(inst, by.account_id),
        "zone": await zone_of(inst, session),
    }


async def _support(inst: Installation, session: Session, form: Form) -> str:
    await permission.give(
        inst, session.staff, "support", "", form.get("object", ""), whole(form.get("number", "")), form.get("purpose", ""), whole(form.get("days", "")) or 0, []
    )  # fmt: skip
    return "Given. The operator's support can look at this and at nothing else, and each look is listed under Operator access."


async def _address(inst: Installation, session: Session, form: Form) -> str:
    fields = [one for one in permission.FIELDS if f"field-{one}" in form]
    thing, to, what_for = form.get("object", ""), form.get("to", ""), form.get("purpose", "")
    await permission.give(
        inst,
        session.staff,
        "address",
        to,
        thing,
        whole(form.get("number", "")),
        what_for,
        whole(form.get("days", "")) or 0,
        fields,
    )
    return "Given. What leaves on it stands under What left."


async def _take_back(inst: Installation, session: Session, form: Form) -> str:
    await permission.take_back(inst, session.staff, which(form))
    return "It is taken back, and holds no longer from this moment."


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
