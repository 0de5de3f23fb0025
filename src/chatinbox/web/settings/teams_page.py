"""Teams: who works together, and which channels are a team's own."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from chatinbox.accounts import teams
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.core.ids import NOBODY, read_id
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage
from chatinbox.web.settings.people_page import chosen


def _ids(form: Form, prefix: str) -> list[UUID]:
    return [read_id(one) or NOBODY for one in chosen(form, prefix)]


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    return {
        "teams": await teams.read_teams(inst, by.account_id),
        "staff": [one for one in await read_staff(inst, by.account_id) if one.active],
        "channels": [one for one in await read_channels(inst, by.account_id) if one.id not in by.kept_out],
    }


async def _create(inst: Installation, session: Session, form: Form) -> str:
    await teams.create_team(inst, session.staff, form.get("team", ""))
    return "The team is made. Choose who is in it."


async def _members(inst: Installation, session: Session, form: Form) -> str:
    await teams.set_members(inst, session.staff, which(form), _ids(form, "staff"))
    return "Saved. It holds from this moment."


async def _remove(inst: Installation, session: Session, form: Form) -> str:
    await teams.remove_team(inst, session.staff, which(form))
    return "The team is removed."


async def _channel(inst: Installation, session: Session, form: Form) -> str:
    team_ids = _ids(form, "team")
    await set_channel_teams(inst, session.staff, which(form), team_ids)
    return (
        "Saved. Only these teams see the channel now."
        if team_ids
        else "Saved. Everybody sees the channel now."
    )


PAGE = SettingsPage(
    "teams",
    "Teams",
    "people",
    _show,
    {
        "create": Act(_create, needs="staff"),
        "members": Act(_members, needs="staff"),
        "remove": Act(_remove, needs="staff"),
        "channel": Act(_channel, needs="channels"),
    },
)
