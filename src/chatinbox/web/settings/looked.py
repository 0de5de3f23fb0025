"""Who looked: the access ledger, its signed heads, whether it is whole, and from how many looks in a day owners hear of it."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import WORDS, note
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import GONE, read_staff, staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.sheet import sheet
from chatinbox.privacy.access.alerts import read_alerts
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.read import HEAD, MOST_CSV, OPERATOR, Filter, cells, read_looked
from chatinbox.privacy.access.read import PAGE as MOST
from chatinbox.web.answer import CSV, download
from chatinbox.web.forms import Form, asked_id
from chatinbox.web.settings import whole
from chatinbox.web.settings.changes import day_of
from chatinbox.web.settings.page import Act, SettingsPage, zone_of


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    return await _words(inst, session, dict(request.query_params))


async def _words(inst: Installation, session: Session, query: dict[str, str]) -> dict[str, Any]:
    by = session.staff
    zone = await zone_of(inst, session)
    found = await read_looked(inst, by, _filter(query, zone), MOST + 1)
    staff = await read_staff(inst, by.account_id)
    return {
        "looked": found[:MOST],
        "next": found[MOST - 1].number if len(found) > MOST else None,
        "query": query,
        "zone": zone,
        "staff": staff,
        "names": {one.id: one.name for one in staff},
        "gone": GONE,
        "operator": OPERATOR,
        "deeds": WORDS,
        "in_part": bool(by.kept_out),
        "alerts": await read_alerts(inst, by),
        "settings": await read_workspace(inst, by.account_id),
    } | await whole.words_of(inst, session, ACCESS)


def _filter(query: dict[str, str], zone: ZoneInfo) -> Filter:
    """What a query asks for. What cannot be read asks for nothing; somebody who is not here looked at nothing."""
    who, deed, customer = query.get("who"), query.get("deed"), query.get("customer")
    day, before = day_of(query.get("day"), zone), query.get("before", "")
    return Filter(
        staff_user_id=asked_id(who) if who != "operator" else None,
        operator=who == "operator",
        deed=deed or None,
        customer_id=asked_id(customer),
        since=day,
        until=day + timedelta(days=1) if day else None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None,
    )


async def _csv(inst: Installation, session: Session, form: Form) -> Response:
    by = session.staff
    zone = await zone_of(inst, session)
    found = await read_looked(inst, by, _filter(form, zone), MOST_CSV)
    await note(inst, by, "sheet", row_count=len(found))
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "looked.exported", after=f"{len(found)} lines"))
    names = await staff_names(inst, by.account_id)
    lines = (cells(one, names, GONE) for one in found)
    return download(sheet(HEAD, lines), "who-looked.csv", CSV)


async def _unfiltered(inst: Installation, session: Session) -> dict[str, Any]:
    return await _words(inst, session, {})


async def _settings(inst: Installation, session: Session, form: Form) -> str:
    text = form.get("alert_looks", "").strip() or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > 100_000:
        raise Refused(422, "Write a whole number up to 100,000, or nothing.", "alert_looks")
    switch = "on" if "heads_by_mail" in form else "off"
    await change_workspace(inst, session.staff, alert_looks=int(text), heads_by_mail=switch)
    return "Saved."


PAGE = SettingsPage(
    "looked",
    "Who looked",
    "privacy",
    _show,
    {
        "csv": Act(_csv, needs="ledger", proof=True),
        **whole.acts(ACCESS, "looked", _unfiltered),
        "settings": Act(_settings, needs="workspace"),
    },
    needs="ledger",
)
