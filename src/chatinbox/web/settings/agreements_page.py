"""Agreements: what the account agreed to, in which version, who said so; its own copy as a PDF."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import agreements, documents
from chatinbox.accounts.agreements import Agreement
from chatinbox.accounts.documents import Kind, Version
from chatinbox.accounts.queries import read_account_name, staff_names
from chatinbox.accounts.regimes import regime_of
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.privacy import paper
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage
from chatinbox.web.site.dpa import pdf_answer

_NAMES = (
    "AT Austria,BE Belgium,BG Bulgaria,HR Croatia,CY Cyprus,CZ Czechia,DK Denmark,EE Estonia,"
    "FI Finland,FR France,DE Germany,GR Greece,HU Hungary,IS Iceland,IE Ireland,IT Italy,"
    "LV Latvia,LI Liechtenstein,LT Lithuania,LU Luxembourg,MT Malta,NL Netherlands,NO Norway,PL Poland,"
    "PT Portugal,RO Romania,SK Slovakia,SI Slovenia,ES Spain,SE Sweden,CH Switzerland,GB United Kingdom,"
    "US United States"
)
COUNTRIES = (
    {"": "not said"} | dict(one.split(" ", 1) for one in _NAMES.split(",")) | {"ZZ": "another country"}
)


def _version(kind: Kind, seal: str | None) -> Version | None:
    return next((one for one in documents.versions(kind) if one.seal == seal), None)


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    made = await agreements.read_agreements(inst, account_id)
    names, at = await staff_names(inst, session.staff.account_id), now()
    holding = {kind: documents.in_force(kind, at) for kind in documents.KINDS}
    return {
        "agreements": [
            (one, {kind: _version(kind, getattr(one, kind)) for kind in documents.KINDS}) for one in made
        ],
        "acceptances": await agreements.read_acceptances(inst, account_id),
        "version_of": _version,
        "names": names,
        "titles": documents.TITLES,
        "behind": any(getattr(made[0], kind) != one.seal for kind, one in holding.items()),
        "operator": operator_of(inst.settings),
        "countries": COUNTRIES,
        "law": await regime_of(inst, account_id),
        "workspace": await read_workspace(inst, account_id),
    }


async def _renew(inst: Installation, session: Session, _form: Form) -> str:
    await agreements.renew(inst, session.staff)
    return "The account agreed to the documents in force."


async def _country(inst: Installation, session: Session, form: Form) -> str:
    code = form.get("country", "")
    if code not in COUNTRIES:
        raise Refused(422, "Choose a country from the list.", "country")
    await change_workspace(inst, session.staff, country=code)
    return "Saved. The agreement below carries what that country asks for."


async def _pdf(inst: Installation, session: Session, _form: Form) -> Response:
    operator = operator_of(inst.settings)
    if operator is None:
        raise Refused(
            409, "The operator has not named themselves yet, so there is nobody to agree with.", "operator"
        )
    [present, *_] = await agreements.read_agreements(inst, session.staff.account_id)
    version = _version("dpa", present.dpa)
    if version is None:
        raise Refused(
            409, "This account was taken over at an upgrade. Let an owner agree first.", "agreement"
        )
    party = await _party(inst, session, present)
    pdf = await asyncio.to_thread(paper.agreement, inst.settings, operator, party, version)
    return pdf_answer(pdf, "data-processing-agreement.pdf")


async def _party(inst: Installation, session: Session, present: Agreement) -> paper.Party:
    account_id = session.staff.account_id
    names = await staff_names(inst, session.staff.account_id)
    return paper.Party(
        await read_account_name(inst, account_id),
        (await read_workspace(inst, account_id)).country,
        names.get(present.staff_user_id, "a former owner"),
        f"{present.at:%Y-%m-%d %H:%M}",
        str(present.id),
    )


PAGE = SettingsPage(
    "agreements",
    "Agreements",
    "account",
    _show,
    {
        "renew": Act(_renew, needs="account"),
        "country": Act(_country, needs="workspace"),
        "pdf": Act(_pdf),
    },
)
