"""The security log on a page, for owners of the operator's own account alone. It asks for a second factor lately proven and for
a reason, and each reading is noted before a line is shown, as on the command line (clause C13).

Whoever else asks gets what stands at an address where nothing is. The log is read over a connection of its reader, which can
read nothing else; the program's own connections cannot read it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import people
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.sessions import Session
from chatinbox.core.clock import now
from chatinbox.core.declared import Way
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import reader_dsn
from chatinbox.core.vault import Erased
from chatinbox.watch.read_security_log import Read, Reading, read_entries, read_readings
from chatinbox.watch.security_days import first_kept
from chatinbox.web.forms import Form, only, show
from chatinbox.web.operator_door import PROOF, ask_second_factor, need_second_factor, operator_way

PATH = "/operator/security-log"
MOST = 1000
LEAST_REASON, LONGEST_REASON = 10, 500
_PERSON = "person "
_FIELDS = ("day", "reason", *PROOF)


def routes(inst: Installation) -> list[Way]:
    """The one route of the console."""
    sentence = "The security log could not be read. Please try again in a moment."
    return [operator_way(inst, PATH, ("S", "T"), _ask, _read, sentence)]


async def _ask(
    inst: Installation,
    request: Request,
    session: Session,
    refused: Refused | None = None,
    form: Form | None = None,
) -> Response:
    """The question: which day, and why. Beside it, who read before."""
    factors = await read_factors(inst, session.staff.person_id)
    words = {"factors": factors, **await _frame(inst), "entries": None}
    return show(inst, request, "operator/security-log", refused, form, **words)


async def _read(inst: Installation, request: Request, session: Session, form: Form) -> Response:
    only(form, _FIELDS)
    try:
        factors = await need_second_factor(inst, session)
        day, reason = _day(form.get("day", "")), _reason(form.get("reason", ""))
    except Refused as refused:
        return await _ask(inst, request, session, refused, form)
    if asked := await ask_second_factor(inst, request, session, factors, form, PATH):
        return asked
    reader = f"{_PERSON}{session.staff.person_id}"
    dsn = reader_dsn(inst.db.dsn, inst.vault)
    entries = await asyncio.to_thread(read_entries, dsn, inst.vault, reader, reason, day, day)
    words: Mapping[str, Any] = {"factors": factors, **await _frame(inst), "read_day": day, "reason": reason}
    return show(inst, request, "operator/security-log", **words, entries=_newest(entries), count=len(entries))


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not first_kept(now().date()) <= found <= now().date():
        raise bad_request("Choose one of the days that are kept.", "day")
    return found


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not LEAST_REASON <= len(reason) <= LONGEST_REASON:
        raise bad_request(
            "Say why you read this, in ten letters or more. It is noted with your name.", "reason"
        )
    return reason


def _newest(entries: list[Read]) -> list[Read]:
    return entries[: -MOST - 1 : -1]


async def _frame(inst: Installation) -> dict[str, Any]:
    readings: list[Reading] = await asyncio.to_thread(read_readings, reader_dsn(inst.db.dsn, inst.vault))
    shown = [replace(one, reader=await _name(inst, one.reader)) for one in readings[:20]]
    today = now().date()
    return {"readings": shown, "today": today, "first": first_kept(today), "most": MOST, "path": PATH}


async def _name(inst: Installation, reader: str) -> str:
    """What people call who read. The note holds an id, so that it tells nothing of somebody who was forgotten since."""
    if not (person_id := read_id(reader.removeprefix(_PERSON))):
        return reader
    try:
        return (await people.read_person(inst, person_id)).email
    except (Erased, ValueError):
        return "somebody who is here no more"
