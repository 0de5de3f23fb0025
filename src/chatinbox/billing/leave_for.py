"""To the payment provider and back, by a whole page: checkout, card, bills, cancelling. No card number is ever ours."""

from typing import Any, Literal, TypeAlias

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.billing.details import know, rates
from chatinbox.billing.plans import Every, plan_of
from chatinbox.billing.provider import in_words, speak
from chatinbox.billing.refresh import refresh
from chatinbox.billing.row import count_seats, read_billing
from chatinbox.billing.vat import tax_for
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

Errand: TypeAlias = Literal["card", "cancel", "bills"]
BACK = "/settings/billing"


async def checkout(inst: Installation, by: Staff, every: Every) -> str:
    """The address of the provider's page where the seats of today are paid. Raises a sentence."""
    by.need("billing")
    known = await read_billing(inst, by.account_id)
    if not known.country:
        raise Refused(422, "Choose the country of your company first; it decides the tax.", "country")
    with in_words():
        customer = await know(inst, by.account_id, known)
        await refresh(inst, by.account_id)
        if (await read_billing(inst, by.account_id)).is_live:
            raise Refused(409, "This account has a plan already.", "has_plan")
        tax = tax_for(plan_of(inst.settings), known.country, known.vat_id)
        client = speak(inst, by.account_id, "billing.subscribe", "seats")
        open_: Any = {"customer": customer, "status": "open", "limit": 100}
        for one in (await client.v1.checkout.sessions.list_async(open_)).data:
            await client.v1.checkout.sessions.expire_async(one.id)  # two tabs must not pay twice
        words = await _basket(inst, by, customer, every, await rates(client, known.country, tax))
        made = await client.v1.checkout.sessions.create_async(words)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "billing.checkout", None, f"by {every}"))
    return _whole(made.url)


async def _basket(inst: Installation, by: Staff, customer: str, every: Every, tax: list[str]) -> Any:
    settings, (seats, _) = inst.settings, await count_seats(inst, by.account_id)
    price = settings.stripe_price_monthly if every == "month" else settings.stripe_price_yearly
    back = f"{settings.public_url}{BACK}"
    return {
        "mode": "subscription",
        "customer": customer,
        "line_items": [{"price": price, "quantity": max(1, seats)}],
        "subscription_data": {"metadata": {"account": str(by.account_id)}, "default_tax_rates": tax},
        "success_url": f"{back}?back=paid",
        "cancel_url": f"{back}?back=left",
    }


async def portal(inst: Installation, by: Staff, errand: Errand) -> str:
    """The address of the provider's page for one errand. Raises a sentence where there is nothing to see to."""
    by.need("billing")
    known = await read_billing(inst, by.account_id)
    if not known.customer or (errand == "cancel" and not known.is_live):
        raise Refused(409, "There is no plan to change.", "no_plan")
    back = f"{inst.settings.public_url}{BACK}?back=seen"
    words: Any = {"customer": known.customer, "return_url": back}
    if errand != "bills":
        flow: dict[str, Any] = {"after_completion": {"type": "redirect", "redirect": {"return_url": back}}}
        flow["type"] = "payment_method_update" if errand == "card" else "subscription_cancel"
        if errand == "cancel":
            flow["subscription_cancel"] = {"subscription": known.subscription}
        words["flow_data"] = flow
    with in_words():
        client = speak(inst, by.account_id, f"billing.{errand}")
        made = await client.v1.billing_portal.sessions.create_async(words)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, f"billing.{errand}"))
    return _whole(made.url)


def _whole(url: str | None) -> str:
    if not url or not url.startswith(("https://", "http://127.0.0.1:")):
        raise Refused(502, "The payment provider gave no page to go to. Please try again.", "provider")
    return url
