"""Details of the bill: the country and the VAT id of the company, which decide the tax."""

from typing import Any
from uuid import UUID

import stripe

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.billing import addressee
from chatinbox.billing.plans import plan_of
from chatinbox.billing.provider import in_words, speak
from chatinbox.billing.row import Billing, read_billing
from chatinbox.billing.vat import COUNTRIES, KINDS, Tax, checked_country, checked_vat, tax_for
from chatinbox.core.installation import Installation


async def set_details(inst: Installation, by: Staff, country: str, vat_id: str) -> None:
    """Keeps country and VAT id, here and at the provider where the account is known there. Raises a sentence."""
    by.need("billing")
    country, vat_id = checked_country(country), checked_vat(country, vat_id)
    before = await read_billing(inst, by.account_id)
    if (before.country, before.vat_id) == (country, vat_id):
        return
    if before.customer:
        with in_words():
            await _tell(inst, by.account_id, before, country, vat_id)
    key = await inst.vault.account_key(by.account_id)
    sealed = key.seal(vat_id, by.account_id, "billing", "vat", by.account_id) if vat_id else None
    keep = "update billing set country = %s, vat_sealed = %s where account_id = %s"
    was = COUNTRIES[before.country] if before.country else None
    await inst.db.run(
        by.account_id,
        (keep, [country, sealed, by.account_id]),
        noted(key, by, "billing.country", was, COUNTRIES[country]),
        noted(key, by, "billing.vat_id", before.vat_id or None, vat_id or None),
    )


async def know(inst: Installation, account_id: UUID, known: Billing) -> str:
    """The account's id at the provider; the account is made known there when it is not yet. Country must be set."""
    if known.customer:
        return known.customer
    country = known.country or ""
    tax = tax_for(plan_of(inst.settings), country, known.vat_id)
    words: Any = {
        "name": await read_account_name(inst, account_id),
        "address": {"country": country},
        "metadata": {"account": str(account_id)},
        "tax_exempt": "reverse" if tax.reverse else "none",
    }
    if known.vat_id:
        words["tax_id_data"] = [{"type": KINDS.get(country, "eu_vat"), "value": known.vat_id}]
    if known.addressee:
        words |= addressee.in_provider_words(known.addressee)
    kinds = ("company", "country", "vat_id", *addressee.fields(known.addressee))
    client = speak(inst, account_id, "billing.subscribe", *kinds)
    # Once for each time it becomes known: who was deleted there is made anew, also on the same day.
    once: Any = {"idempotency_key": f"customer {account_id} {known.asked}"}
    made = await client.v1.customers.create_async(words, once)
    blind = inst.vault.blind_installation("billing customer", made.id)
    await inst.db.directory("select directory.add_billing_customer(%s, %s)", [blind, account_id])
    keep = "update billing set customer_ref = %s, detached_at = null where account_id = %s"
    await inst.db.run(account_id, (keep, [made.id, account_id]))
    return made.id


async def rates(client: stripe.StripeClient, country: str, tax: Tax) -> list[str]:
    """The provider's id of a tax rate, made there when it is not there yet; none where no tax is added."""
    if not tax.rate:
        return []
    listed = await client.v1.tax_rates.list_async({"active": True, "limit": 100})
    for one in listed.data:
        if one.country == country and round(one.percentage * 100) == tax.rate and not one.inclusive:
            return [one.id]
    words: Any = {"display_name": "VAT", "inclusive": False, "percentage": tax.rate / 100, "country": country}
    made = await client.v1.tax_rates.create_async(words, {"idempotency_key": f"vat {country} {tax.rate}"})
    return [made.id]


async def _tell(inst: Installation, account_id: UUID, known: Billing, country: str, vat_id: str) -> None:
    client = speak(inst, account_id, "billing.details", "country", "vat_id")
    tax, customer = tax_for(plan_of(inst.settings), country, vat_id), known.customer or ""
    words: Any = {"address": {"country": country}, "tax_exempt": "reverse" if tax.reverse else "none"}
    await client.v1.customers.update_async(customer, words)
    for one in (await client.v1.customers.tax_ids.list_async(customer)).data:
        await client.v1.customers.tax_ids.delete_async(customer, one.id)
    if vat_id:
        new: Any = {"type": KINDS.get(country, "eu_vat"), "value": vat_id}
        await client.v1.customers.tax_ids.create_async(customer, new)
    if known.subscription and known.is_live:
        found: Any = {"default_tax_rates": await rates(client, country, tax) or ""}
        await client.v1.subscriptions.update_async(known.subscription, found)
