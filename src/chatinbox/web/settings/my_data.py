"""My data: all data about oneself as a file, and the end of one's sign-in."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import sessions
from chatinbox.accounts.leave import TYPED, delete_sign_in
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy import my_data
from chatinbox.privacy.data_map import read
from chatinbox.web.answer import download
from chatinbox.web.forms import Form, whole
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    page = min(whole(request.query_params.get("page", "")) or 0, 10_000)
    found, more = await my_data.count_rows(inst, session.staff.person_id, page)
    kept = [(read()[name].purpose, count, read()[name].kept) for name, count in sorted(found.items())]
    return {"kept": kept, "most": my_data.MOST, "page": page, "more": more, "typed": TYPED}


async def _download(inst: Installation, session: Session, _form: Form) -> Response:
    content = await my_data.package(inst, session.staff.person_id)
    return download(content, "my-data.zip", "application/zip")


async def _delete(inst: Installation, session: Session, form: Form) -> Response:
    await delete_sign_in(inst, session.staff, form.get("typed", ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(sessions.cookie_name(inst), path="/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


PAGE = SettingsPage(
    "my-data",
    "My data",
    "you",
    _show,
    {"download": Act(_download, proof=True), "delete": Act(_delete, proof=True)},
)
