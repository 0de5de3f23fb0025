"""The workspace: what the account is called, who it is for customers and when it answers, where they ask about privacy, and
which languages the search knows.
"""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import workspace
from chatinbox.accounts.opening_hours import DAYS, read_hours
from chatinbox.accounts.profile import time_zones
from chatinbox.accounts.sessions import Session
from chatinbox.conversations.search.tokens import LANGUAGES
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    settings = await workspace.read_workspace(inst, account_id)
    return {
        "workspace": settings,
        "days": [
            (number, day, settings.hours.week[number] if settings.hours.week else None)
            for number, day in enumerate(DAYS)
        ],
        "time_zones": [(name, name.replace("_", " ")) for name in time_zones()],
        "chosen": await workspace.read_languages(inst, account_id),
        "languages": sorted(
            ((one, name.capitalize()) for one, name in LANGUAGES.items()), key=lambda pair: pair[1]
        ),
    }


async def _name(inst: Installation, session: Session, form: Form) -> str:
    await workspace.rename_account(inst, session.staff, form.get("company", ""))
    return "The name is saved."


async def _identity(inst: Installation, session: Session, form: Form) -> str:
    words = form.get("legal_name", ""), form.get("postal_address", "")
    await workspace.set_identity(inst, session.staff, *words, "in_letters" in form)
    return "Saved. The chat shows it within five minutes."


async def _answering(inst: Installation, session: Session, form: Form) -> str:
    await workspace.set_answering(inst, session.staff, form.get("answers_in", ""), read_hours(form))
    return "Saved. The chat shows it within five minutes."


async def _privacy(inst: Installation, session: Session, form: Form) -> str:
    await workspace.set_privacy(inst, session.staff, form.get("email", ""), form.get("page", ""))
    return "Saved. The chat shows it within five minutes."


async def _languages(inst: Installation, session: Session, form: Form) -> str:
    chosen = [one for one in LANGUAGES if f"language-{one}" in form]
    await workspace.set_languages(inst, session.staff, chosen)
    return (
        "The languages are saved. What was written before is read again for the search, which takes a moment."
    )


PAGE = SettingsPage(
    "workspace",
    "Workspace",
    "account",
    _show,
    {
        "name": Act(_name, even_unpaid=True),
        "identity": Act(_identity, even_unpaid=True),
        "answering": Act(_answering),
        "privacy": Act(_privacy, even_unpaid=True),
        "languages": Act(_languages),
    },
    needs="workspace",
)
