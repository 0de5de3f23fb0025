"""The change log: who changed which setting, from what to what."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import read_changes
from chatinbox.accounts.access import note
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.read_changes import MOST_CSV, Filter, as_csv
from chatinbox.accounts.read_changes import PAGE as MOST
from chatinbox.accounts.sessions import Session
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.web.answer import CSV, download
from chatinbox.web.forms import Form, asked_id
from chatinbox.web.settings.page import Act, SettingsPage, zone_of


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    by, zone = session.staff, await zone_of(inst, session)
    query = dict(request.query_params)
    found = await read_changes.read_changes(inst, by, _filter(query, zone), MOST + 1)
    more = found[MOST - 1] if len(found) > MOST else None
    return {
        "changes": found[:MOST],
        "query": query,
        "zone": zone,
        "staff": await read_staff(inst, by.account_id),
        "kinds": await read_changes.kinds(inst, by),
        "next": f"{more.at.isoformat()}~{more.id}" if more else None,
    }


def _filter(query: dict[str, str], zone: ZoneInfo) -> Filter:
    """What a query asks for. What cannot be read asks for nothing; a person who is not here has no changes."""
    who, what = query.get("who"), query.get("what")
    until = day_of(query.get("until"), zone)
    return Filter(
        staff_user_id=asked_id(who),
        what=what or None,
        since=day_of(query.get("since"), zone),
        until=until + timedelta(days=1) if until else None,
        before=_place(query.get("before", "")),
    )


def day_of(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The beginning of a day that a form named; None for none."""
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9000 else None


def _place(text: str) -> tuple[datetime, UUID] | None:
    at, _, row_id = text.partition("~")
    found = read_id(row_id)
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (when, found) if found and when.tzinfo else None


async def _csv(inst: Installation, session: Session, form: Form) -> Response:
    by = session.staff
    asked = _filter(form, await zone_of(inst, session))
    found = await read_changes.read_changes(inst, by, asked, MOST_CSV)
    await note(inst, by, "sheet", row_count=len(found))
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "changes.exported", after=f"{len(found)} lines"))
    return download(as_csv(found), "changes.csv", CSV)


PAGE = SettingsPage(
    "changes", "Changes", "account", _show, {"csv": Act(_csv, needs="ledger", proof=True)}, needs="ledger"
)
