"""How long conversations are kept: rules by which old ones are erased, each looked at before it is made, and how they went."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.access import note_customers
from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_tags
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.retention.due import Asked, preview
from chatinbox.privacy.retention.rules import COUNTED, end_rule, list_rules, list_runs, make_rule, may_rule
from chatinbox.web.forms import Form, asked_id, which
from chatinbox.web.settings.page import Act, SettingsPage, Shown, zone_of


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    return await _words(inst, session)


async def _words(inst: Installation, session: Session) -> dict[str, Any]:
    by = session.staff
    return {
        "rules": await list_rules(inst, by),
        "runs": await list_runs(inst, by),
        "counted": list(COUNTED.items()),
        "channels": {one.id: one.name for one in await read_channels(inst, by.account_id)}
        if not by.kept_out
        else {},
        "tags": {one.id: one.name for one in await read_tags(inst, by)},
        "staff": await staff_names(inst, by.account_id),
        "zone": await zone_of(inst, session),
        "sees_all": not by.kept_out,
        "looked": None,
    }


def _asked(form: Form) -> Asked:
    days, counted = form.get("days", ""), form.get("counted", "")
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:6]) <= 36_500):
        raise Refused(422, "Give a number of days, from 1 to 36,500.", "days")
    channel_id, tag_id = (asked_id(form.get(name)) for name in ("channel", "tag"))
    return Asked("age" if counted == "age" else "silence", int(days), channel_id, tag_id)


async def _look(inst: Installation, session: Session, form: Form) -> Shown:
    may_rule(session.staff)
    told = await preview(inst, session.staff.account_id, _asked(form))
    await note_customers(inst, session.staff, {one.customer_id for one in told.samples})
    words = await _words(inst, session)
    return Shown("retention", words | {"looked": told})


async def _make(inst: Installation, session: Session, form: Form) -> str:
    await make_rule(inst, session.staff, _asked(form))
    return "The rule is made. It is followed from tomorrow; until then you can take it back, and nothing is erased."


async def _end(inst: Installation, session: Session, form: Form) -> str:
    if await end_rule(inst, session.staff, which(form)):
        return "The rule is taken back. Nothing was erased by it."
    return "The rule has ended. What it erased stays erased."


PAGE = SettingsPage(
    "retention",
    "How long it is kept",
    "privacy",
    _show,
    {"look": Act(_look), "make": Act(_make, proof=True), "end": Act(_end)},
    needs="erase",
)
