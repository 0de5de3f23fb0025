"""What left the account: the ledger, for whoever may read it."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import note
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.core.sheet import sheet
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.left.read import BASIS, GATES, HEAD, OUTCOME, cells, read_ledger
from chatinbox.privacy.left.read import PAGE as MOST
from chatinbox.web.answer import CSV, download
from chatinbox.web.forms import Form
from chatinbox.web.settings import whole
from chatinbox.web.settings.page import Act, SettingsPage, zone_of

MOST_CSV = 50_000


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    return await _words(inst, session, dict(request.query_params))


async def _unfiltered(inst: Installation, session: Session) -> dict[str, Any]:
    return await _words(inst, session, {})


async def _words(inst: Installation, session: Session, query: dict[str, str]) -> dict[str, Any]:
    found = await read_ledger(inst, session.staff, _gate(query), _before(query), MOST + 1)
    zone = await zone_of(inst, session)
    words: dict[str, Any] = {
        "left": found[:MOST],
        "next": found[MOST - 1].at.isoformat() if len(found) > MOST else None,
        "zone": zone,
        "in_part": bool(session.staff.kept_out),
    }
    words |= {"gate": _gate(query), "gates": GATES, "basis": BASIS, "outcome": OUTCOME}
    return words | await whole.words_of(inst, session, LEFT)


def _gate(query: dict[str, str]) -> str | None:
    said = query.get("gate", "")
    return said if said in GATES else None


def _before(query: dict[str, str]) -> datetime | None:
    """A time that cannot be read asks for nothing."""
    try:
        at = datetime.fromisoformat(query.get("before", ""))
    except ValueError:
        return None
    return at if at.tzinfo else None


async def _csv(inst: Installation, session: Session, form: Form) -> Response:
    by = session.staff
    found = await read_ledger(inst, by, _gate(form), None, MOST_CSV)
    await note(inst, by, "sheet", row_count=len(found))
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "ledger.exported", after=f"{len(found)} lines"))
    return download(sheet(HEAD, map(cells, found)), "what-left.csv", CSV)


PAGE = SettingsPage(
    "ledger",
    "What left",
    "privacy",
    _show,
    {"csv": Act(_csv, needs="ledger", proof=True), **whole.acts(LEFT, "ledger", _unfiltered)},
    needs="ledger",
)
