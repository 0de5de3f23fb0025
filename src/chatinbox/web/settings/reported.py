"""How my work is reported: what is recorded, who may see it, who looked. The numbers stand in the reports themselves."""

from typing import Any, cast
from uuid import UUID

from starlette.requests import Request

from chatinbox.accounts.permissions import OF, Permission, Role
from chatinbox.accounts.queries import Colleague, read_staff
from chatinbox.accounts.roles import read_roles
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff_record import KINDS, OF_PERSON
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.installation import Installation
from chatinbox.reports.views import views_of
from chatinbox.web.settings.page import SettingsPage, zone_of


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    lines = (await read_workspace(inst, by.account_id)).individual_reports == "on"
    staff = await read_staff(inst, by.account_id)
    roles = {one.id: one.permissions for one in await read_roles(inst, by.account_id)}
    kinds = [words for kind, words in KINDS.items() if lines or kind not in OF_PERSON]
    return {
        "lines": lines,
        "kinds": kinds,
        "see": sorted(one.name for one in staff if one.active and "reports" in _permissions(one, roles)),
        "views": await views_of(inst, by.account_id, by.staff_user_id),
        "zone": await zone_of(inst, session),
        "names": {one.id: one.name for one in staff},
    }


def _permissions(one: Colleague, roles: dict[UUID, frozenset[Permission]]) -> frozenset[Permission]:
    """What a colleague may do: by a role of the account's own, else by the built-in one."""
    return roles[one.role_id] if one.role_id in roles else OF[cast(Role, one.role)]


PAGE = SettingsPage("reported", "How my work is reported", "you", _show)
