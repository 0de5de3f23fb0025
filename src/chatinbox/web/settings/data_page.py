"""Data: what the account holds about its customers at this moment, from where, who got some, and what each feature needs."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy import features
from chatinbox.privacy.inventory import KINDS, take_inventory
from chatinbox.web.settings.page import SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    return {
        "inventory": await take_inventory(inst, session.staff),
        "kinds": KINDS,
        "features": [
            (one, features.needs(one.name)) for one in features.read().values() if one.name != "website"
        ],
    }


PAGE = SettingsPage("data", "Data", "privacy", _show, needs="ledger")
