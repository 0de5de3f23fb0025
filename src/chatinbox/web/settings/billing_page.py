"""Plan and bills: what the account pays, what it will pay, and the way to the payment provider's own pages."""

import contextlib
from typing import Any, cast

import stripe
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatinbox.accounts.sessions import Session
from chatinbox.billing import leave_for
from chatinbox.billing.addressee import set_addressee
from chatinbox.billing.bills import read_bills
from chatinbox.billing.details import set_details
from chatinbox.billing.forget import forget
from chatinbox.billing.keep_up import keep_up
from chatinbox.billing.plans import Every, is_on, plan_of
from chatinbox.billing.quote import quote
from chatinbox.billing.row import count_seats, read_billing
from chatinbox.billing.vat import COUNTRIES
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form
from chatinbox.web.pages import HEADERS, POLICY, fill
from chatinbox.web.settings.page import Act, SettingsPage

_BACK = {
    "paid": "Thank you. The payment provider tells us as soon as it is through; this page shows it then.",
    "left": "You came back without paying. Nothing was changed.",
}


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    account_id, plan, back = (
        session.staff.account_id,
        plan_of(inst.settings),
        request.query_params.get("back"),
    )
    if back:  # where the provider does not answer, its message brings the same a little later
        with contextlib.suppress(stripe.StripeError):
            await keep_up(inst, account_id)
    known, (seats, viewers) = await read_billing(inst, account_id), await count_seats(inst, account_id)
    every: Every = "year" if (known.every or request.query_params.get("every")) == "year" else "month"
    country = known.country or plan.country
    start = now().date()
    return {
        "plan": plan,
        "billing": known,
        "stands": known.stands(plan, now()),
        "seats": seats,
        "viewers": viewers,
        "every": every,
        "countries": sorted(COUNTRIES.items(), key=lambda one: one[1]),
        "quotes": {
            one: quote(plan, max(1, seats), viewers, one, start, country, known.vat_id) for one in _EVERY
        },
        "bills": await read_bills(inst, account_id),
        "back": "Thank you. The plan is paid." if back == "paid" and known.is_live else _BACK.get(back or ""),
    }


_EVERY: tuple[Every, ...] = ("month", "year")


async def _details(inst: Installation, session: Session, form: Form) -> str:
    await set_details(inst, session.staff, form.get("country", ""), form.get("vat_id", ""))
    return "Country and VAT id are kept. The next bill names them."


async def _addressee(inst: Installation, session: Session, form: Form) -> str:
    await set_addressee(inst, session.staff, form.get("email", ""), form.get("addressee_name", ""))
    return (
        "Kept. The next bill goes there."
        if form.get("email", "").strip()
        else "Bills go to nobody by letter."
    )


async def _subscribe(inst: Installation, session: Session, form: Form) -> Response:
    every: Every = "year" if form.get("every") == "year" else "month"
    return _leave(await leave_for.checkout(inst, session.staff, every))


async def _portal(inst: Installation, session: Session, form: Form) -> Response:
    errand = cast(leave_for.Errand, form["do"])
    return _leave(await leave_for.portal(inst, session.staff, errand))


async def _forget(inst: Installation, session: Session, _form: Form) -> str:
    await forget(inst, session.staff)
    return "The payment provider has deleted your card, country, VAT id and whom bills go to, and so have we. The bills stay, as the law asks."


def _leave(url: str) -> Response:
    """A page that goes on at once to the provider's. Not a redirect: our policy lets forms go to us alone."""
    csp = "; ".join(f"{name} {value}" for name, value in (POLICY | {"script-src": "'none'"}).items())
    page, _ = fill("settings/leaving.html", {"url": url})
    return HTMLResponse(
        page, 200, HEADERS | {"content-security-policy": csp, "referrer-policy": "no-referrer"}
    )


PAGE = SettingsPage(
    "billing",
    "Plan and bills",
    "account",
    _show,
    {
        "details": Act(_details, proof=True),
        "addressee": Act(_addressee, proof=True),
        "subscribe": Act(_subscribe, proof=True),
        "card": Act(_portal, proof=True),
        "bills": Act(_portal, proof=True),
        "cancel": Act(_portal),  # two clicks: it destroys nothing, and can be taken back
        "forget": Act(_forget, proof=True),
    },
    needs="billing",
    exists=lambda inst: is_on(inst.settings),
)
