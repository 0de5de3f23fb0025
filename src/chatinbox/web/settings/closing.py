"""Close the account: what happens, the export before it, the thirty days, and the way back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import closing
from chatinbox.accounts.access import note
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.sessions import Session
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.privacy.account_export import export_account
from chatinbox.privacy.certificate import public_key
from chatinbox.web.answer import download
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    closed_at = await closing.read_closed_at(inst, session.staff.account_id)
    return {
        "ends_at": closed_at + closing.GRACE if closed_at else None,
        "would_end_at": now() + closing.GRACE,
        "public_key": public_key(inst.vault),
    }


async def _export(inst: Installation, session: Session, _form: Form) -> Response:
    by = session.staff
    parts = await export_account(inst, by)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "account.exported"))
    await note(inst, by, "export")
    return download(parts, "account.zip", "application/zip")


async def _close(inst: Installation, session: Session, form: Form) -> str:
    ends = await closing.close_account(inst, session.staff, form.get("typed", ""))
    return f"The account is closed. Until {ends:%-d %B %Y} you can open it again here."


async def _undo(inst: Installation, session: Session, _form: Form) -> str:
    await closing.undo_closing(inst, session.staff)
    return "The account is open again, and everything is as it was."


PAGE = SettingsPage(
    "closing",
    "Export and closing",
    "account",
    _show,
    {
        "export": Act(_export, needs="export", proof=True),
        "close": Act(_close, needs="account", proof=True),
        "undo": Act(_undo, needs="account", proof=True),
    },
    needs="export",
)
