"""The workspace: what the account is called, where customers read and ask about privacy, which languages the search knows."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from chatinbox.accounts import workspace
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sign_up import checked
from chatinbox.conversations.search.tokens import LANGUAGES
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    return {
        "workspace": await workspace.read_workspace(inst, account_id),
        "chosen": await workspace.read_languages(inst, account_id),
        "languages": sorted(
            ((one, name.capitalize()) for one, name in LANGUAGES.items()), key=lambda pair: pair[1]
        ),
    }


async def _name(inst: Installation, session: Session, form: Form) -> str:
    await workspace.rename_account(inst, session.staff, form.get("company", ""))
    return "The name is saved."


async def _privacy(inst: Installation, session: Session, form: Form) -> str:
    email = form.get("email", "").strip()
    if email:
        _, email, _ = checked("x", email, "x")
    page = form.get("page", "").strip()
    parts = urlsplit(page)
    if page and (parts.scheme not in ("https", "http") or not parts.hostname or len(page) > 300):
        sentence = "Write the whole address of the page, such as https://www.example.com/privacy."
        raise Refused(422, sentence, "page")
    await workspace.change_workspace(inst, session.staff, privacy_address=email, privacy_page=page)
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
    {"name": Act(_name), "privacy": Act(_privacy), "languages": Act(_languages)},
    needs="workspace",
)
