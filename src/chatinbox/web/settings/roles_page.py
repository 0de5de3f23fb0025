"""Roles: what the built-in ones let somebody do, and roles of the account's own."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import roles
from chatinbox.accounts.permissions import OF, WORDS
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage
from chatinbox.web.settings.people_page import chosen


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    staff = [one for one in await read_staff(inst, by.account_id) if one.active]
    own = await roles.read_roles(inst, by.account_id)
    return {
        "permissions": WORDS,
        "built_in": [
            (name, OF[role], sum(one.role == role and not one.role_id for one in staff))
            for role, name in roles.NAMES.items()
        ],
        "own": [(role, sum(one.role_id == role.id for one in staff)) for role in own],
    }


async def _create(inst: Installation, session: Session, form: Form) -> str:
    await roles.create_role(inst, session.staff, form.get("role", ""), chosen(form, "may"))
    return "The role is made. Give it to somebody under People."


async def _change(inst: Installation, session: Session, form: Form) -> str:
    await roles.change_role(inst, session.staff, which(form), chosen(form, "may"))
    return "Saved. It holds from this moment for everybody with this role."


async def _remove(inst: Installation, session: Session, form: Form) -> str:
    await roles.remove_role(inst, session.staff, which(form))
    return "The role is removed."


PAGE = SettingsPage(
    "roles",
    "Roles",
    "people",
    _show,
    {
        "create": Act(_create, needs="staff"),
        "change": Act(_change, needs="staff"),
        "remove": Act(_remove, needs="staff"),
    },
    needs="staff",
)
