"""Pricing: what a seat costs, and the bill before you buy, as a plain form that asks with GET.

Where no payments are taken the page stays and says what is true there: this installation is its operator's own, and
free. A link from elsewhere to `/pricing` then still tells the reader something, and tells nothing secret.
"""

from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.billing.days import change, period_from
from chatinbox.billing.plans import Every, is_on, plan_of
from chatinbox.billing.quote import quote
from chatinbox.billing.vat import COUNTRIES, checked_country, checked_vat
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.web.site.frame import FRESH, KEPT, Link, site_page

MOST = 100_000


async def get_pricing(inst: Installation, request: Request) -> Response:
    """The page, with the bill for what was asked, or for an example."""
    if not is_on(inst.settings):
        return site_page(inst, request, "site/pricing-own")
    form, refused = dict(request.query_params), None
    form.pop("lang", None)
    try:
        words = _work_out(inst, form)
    except Refused as wrong:
        refused, words = wrong, _work_out(inst, {})
    plan = plan_of(inst.settings)
    more: dict[str, Any] = {"plan": plan, "countries": COUNTRIES, **words}
    # What somebody typed is theirs: only the plain page may be kept by caches.
    kept = FRESH if form else KEPT
    return site_page(inst, request, "site/pricing", refused=refused, form=form, kept=kept, **more)


def _work_out(inst: Installation, form: dict[str, str]) -> dict[str, Any]:
    plan, every = plan_of(inst.settings), _every(form)
    seats, viewers = _count(form, "seats", 6, 1), _count(form, "viewers", 14, 0)
    start = _day(form)
    country = checked_country(form.get("country") or plan.country)
    bill = quote(plan, seats, viewers, every, start, country, checked_vat(country, form.get("vat_id", "")))
    middle = start + timedelta(days=bill.period.days // 2)
    grows = change(plan.price(every), bill.period, 1, middle)
    return {"quote": bill, "every": every, "country": country, "middle": middle, "grows": grows, "start": start,
            "seats": seats, "viewers": viewers}  # fmt: skip


def _every(form: dict[str, str]) -> Every:
    return "year" if form.get("every") == "year" else "month"


def _count(form: dict[str, str], name: str, usual: int, least: int) -> int:
    text = form.get(name, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= MOST):
        raise Refused(422, said("Write a number from %(least)s to %(most)s.", least=least, most=MOST), name)
    return int(text)


def _day(form: dict[str, str]) -> date:
    text = form.get("start", "").strip()
    if not text:
        return now().date()
    try:
        day = date.fromisoformat(text)
        period_from(day, "year")
    except ValueError:
        raise Refused(422, "Write a day such as 2027-01-31.", "start") from None
    if abs((day - now().date()).days) > 3660:
        raise Refused(422, "Choose a day within the next years.", "start")
    return day


TO = Declared(("visitor",), ("A",))
PAGES = {"/pricing": (get_pricing, None)}
LINKS = (Link("head", "/pricing", "Pricing", 20), Link("product", "/pricing", "Pricing", 20))
