"""Sessions: where one is signed in."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import sessions
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage, zone_of


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    person_id = session.staff.person_id
    return {
        "sessions": await sessions.list_sessions(inst, person_id),
        "zone": await zone_of(inst, session),
    }


async def _end(inst: Installation, session: Session, form: Form) -> str:
    await sessions.end(inst, session.staff.person_id, which(form))
    return "That session has ended."


async def _end_others(inst: Installation, session: Session, _form: Form) -> str:
    count = await sessions.end_others(inst, session.staff.person_id, session.session_id)
    return f"{count} other session{'' if count == 1 else 's'} ended."


PAGE = SettingsPage("sessions", "Sessions", "you", _show, {"end": Act(_end), "end-others": Act(_end_others)})
