"""Operator access: what somebody who runs the installation looked at in this account, with who and why. Normally nothing."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy.desk.cases import read_of_account
from chatinbox.privacy.desk.files import read_named
from chatinbox.privacy.desk.order import INSTRUMENTS, KINDS
from chatinbox.privacy.glass.grants import GROUNDS, SCOPES
from chatinbox.privacy.glass.seen import names_of, read_refusals, read_seen
from chatinbox.web.settings.page import SettingsPage, zone_of

WORDS = {
    "conversation": ("conversation", "conversations"), "message": ("message", "messages"), "note": ("note", "notes"),
    "customer": ("customer", "customers"), "address": ("address", "addresses"), "channel": ("channel", "channels"),
    "account": ("account", "accounts"), "billing": ("plan", "plans"), "invoice": ("bill", "bills"),
    "staff_user": ("staff user", "staff users"), "attachment": ("file’s name", "files’ names"),
}  # fmt: skip
"""What one row of a table is called, and several."""


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    found, looks = await read_seen(inst, session.staff)
    people = [one for grant in found for one in (grant.asked_by, grant.approved_by) if one]
    return {
        "named": await read_named(inst, session.staff),
        "cases": await read_of_account(inst, session.staff),
        "instruments": INSTRUMENTS,
        "kinds": KINDS,
        "grants": found,
        "looks": looks,
        "refusals": await read_refusals(inst, session.staff),
        "names": await names_of(inst, people),
        "grounds": GROUNDS,
        "scopes": SCOPES,
        "words": WORDS,
        "in_part": bool(session.staff.kept_out),
        "zone": await zone_of(inst, session),
    }


PAGE = SettingsPage("operator-access", "Operator access", "privacy", _show, needs="ledger")
