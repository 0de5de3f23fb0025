"""People: who works in the account, with which role and in which teams, and who is invited."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import colleagues, hand_over, invite
from chatinbox.accounts.permissions import OF
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.roles import NAMES, read_roles
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import read_teams
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.clock import now
from chatinbox.core.ids import NOBODY, read_id
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage

letters = Throttle(30, 3600)  # what one account may have sent to addresses it only claims to know


def chosen(form: Form, prefix: str) -> list[str]:
    """What was ticked of a list of boxes named `prefix-…`."""
    return [name.removeprefix(f"{prefix}-") for name in form if name.startswith(f"{prefix}-")]


async def choices(inst: Installation, by: Staff) -> list[tuple[str, str]]:
    """The roles somebody may give: each value of the form with its words."""
    own = [
        (str(one.id), one.name)
        for one in await read_roles(inst, by.account_id)
        if one.permissions <= by.permissions
    ]
    built_in = [
        (role, name) for role, name in NAMES.items() if role != "owner" and OF[role] <= by.permissions
    ]
    return built_in + own


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by, staff = session.staff, await read_staff(inst, session.staff.account_id)
    teams = await read_teams(inst, by.account_id)
    names = dict(NAMES) | {str(one.id): one.name for one in await read_roles(inst, by.account_id)}
    return {
        "staff": [one for one in staff if one.active],
        "left": [one for one in staff if not one.active],
        "viewers": sum(one.active and one.role == "viewer" for one in staff),
        "roles": await choices(inst, by) if by.may("staff") else [],
        "role_of": {one.id: names.get(str(one.role_id or one.role), "Staff") for one in staff},
        "teams": teams,
        "could_own": [(str(one.id), one.name) for one in staff if one.active and one.role != "owner"],
        "stays": list(hand_over.STAYS.items()),
        "teams_of": {
            one.id: ", ".join(team.name for team in teams if one.id in team.member_ids) for one in staff
        },
        "invitations": [
            (one, max(1, round((one.expires_at - now()).total_seconds() / 3600)))
            for one in (await invite.list_invitations(inst, by) if by.may("staff") else [])
        ],
    }


async def _invite(inst: Installation, session: Session, form: Form) -> str:
    letters.take(str(session.staff.account_id))
    teams = [read_id(one) or NOBODY for one in chosen(form, "team")]
    asked = form.get("email", ""), form.get("role", "")
    address = await invite.invite(inst, session.staff, *asked, teams)
    return f"Invited. The link, should the letter not arrive: {address}"


async def _withdraw(inst: Installation, session: Session, form: Form) -> str:
    await invite.withdraw(inst, session.staff, which(form))
    return "The invitation is withdrawn, and its address is erased."


async def _resend(inst: Installation, session: Session, form: Form) -> str:
    letters.take(str(session.staff.account_id))
    address = await invite.resend(inst, session.staff, which(form))
    return f"Sent again; the earlier link is no longer good. The new one, should the letter not arrive: {address}"


async def _set_role(inst: Installation, session: Session, form: Form) -> str:
    new = await colleagues.set_role(inst, session.staff, which(form), form.get("role", ""))
    return f"The role is changed: {new.name}. They sign in again to go on."


async def _deactivate(inst: Installation, session: Session, form: Form) -> str:
    await colleagues.deactivate(inst, session.staff, which(form))
    return "They can no longer sign in here. What they wrote stays."


async def _reactivate(inst: Installation, session: Session, form: Form) -> str:
    await colleagues.reactivate(inst, session.staff, which(form))
    return "They can sign in again."


async def _hand_over(inst: Installation, session: Session, form: Form) -> str:
    name = await hand_over.hand_over(inst, session.staff, which(form), form.get("stays", ""))
    return f"{name} is an owner now. Every owner gets a letter that says so."


PAGE = SettingsPage(
    "people",
    "People",
    "people",
    _show,
    {
        "invite": Act(_invite, needs="staff"),
        "withdraw": Act(_withdraw, needs="staff"),
        "resend": Act(_resend, needs="staff"),
        "role": Act(_set_role, needs="staff"),
        "deactivate": Act(_deactivate, needs="staff"),
        "reactivate": Act(_reactivate, needs="staff"),
        "hand-over": Act(_hand_over, needs="account", proof=True),
    },
)
