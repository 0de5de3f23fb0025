"""People: who works in the account, and who is invited."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from chatinbox.accounts import colleagues, invite
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Role
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage

letters = Throttle(30, 3600)  # what one account may have sent to addresses it only claims to know


def _which(form: Form) -> UUID:
    return read_id(form.get("id")) or UUID(int=0)


def _role(form: Form) -> Role:
    return "owner" if form.get("role") == "owner" else "staff"


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    return {
        "staff": await read_staff(inst, by.account_id),
        "invitations": await invite.list_invitations(inst, by),
    }


async def _invite(inst: Installation, session: Session, form: Form) -> str:
    letters.take(str(session.staff.account_id))
    address = await invite.invite(inst, session.staff, form.get("email", ""), _role(form))
    return f"Invited. The link, should the letter not arrive: {address}"


async def _withdraw(inst: Installation, session: Session, form: Form) -> str:
    await invite.withdraw(inst, session.staff, _which(form))
    return "The invitation is withdrawn."


async def _set_role(inst: Installation, session: Session, form: Form) -> str:
    await colleagues.set_role(inst, session.staff, _which(form), _role(form))
    return "The role is changed."


async def _deactivate(inst: Installation, session: Session, form: Form) -> str:
    await colleagues.deactivate(inst, session.staff, _which(form))
    return "They can no longer sign in here. What they wrote stays."


async def _reactivate(inst: Installation, session: Session, form: Form) -> str:
    await colleagues.reactivate(inst, session.staff, _which(form))
    return "They can sign in again."


PAGE = SettingsPage(
    "people",
    "People",
    "account",
    _show,
    {
        "invite": Act(_invite, needs="staff"),
        "withdraw": Act(_withdraw, needs="staff"),
        "role": Act(_set_role, needs="staff"),
        "deactivate": Act(_deactivate, needs="staff"),
        "reactivate": Act(_reactivate, needs="staff"),
    },
)
