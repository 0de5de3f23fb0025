"""Requests: what customers ask about their data by themselves, with its clock, and what the business says to it."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.access import note_customers
from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.conversations.channels import read_channels
from chatinbox.core.installation import Installation
from chatinbox.privacy.requests.case import WINDOW, list_cases
from chatinbox.privacy.requests.decide import approve, extend, refuse
from chatinbox.privacy.requests.grounds import GROUNDS
from chatinbox.privacy.requests.tell import WISHED
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage, zone_of


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    cases = await list_cases(inst, by)
    await note_customers(inst, by, {one.customer_id for one in cases if one.name})
    chats = [one.address for one in await read_channels(inst, by.account_id) if one.kind == "chat"]
    return {
        "own_link": f"{inst.settings.public_url}/my-data?at={chats[0]}" if chats else "",
        "cases": cases,
        "staff": await staff_names(inst, by.account_id),
        "zone": await zone_of(inst, session),
        "grounds": GROUNDS,
        "wished": WISHED,
        "days": WINDOW.days,
    }


async def _approve(inst: Installation, session: Session, form: Form) -> str:
    await approve(inst, session.staff, which(form))
    return "It is approved, and is done now. The person is told."


async def _refuse(inst: Installation, session: Session, form: Form) -> str:
    rest = await refuse(inst, session.staff, which(form), form.get("ground", ""), form.get("words", ""))
    more = {"nothing": "", "access": " The copy they asked for is still made.", "erasure": " The erasing they asked for is still done."}  # fmt: skip
    return f"It is refused. The person is told the ground, and your words.{more[rest]}"


async def _extend(inst: Installation, session: Session, form: Form) -> str:
    await extend(inst, session.staff, which(form), form.get("words", ""))
    return "You have two more months. The person is told the reason."


PAGE = SettingsPage(
    "requests",
    "Requests",
    "privacy",
    _show,
    {
        "approve": Act(_approve, proof=True),
        "refuse": Act(_refuse, proof=True),
        "extend": Act(_extend),
    },
    needs="erase",
)
