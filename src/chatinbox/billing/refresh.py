"""Refresh: the provider is asked how things stand, and the answer replaces what we knew.

No message of theirs is believed for what it says; it only makes us ask. So their order, their number and their age do
not matter. Of several answers under way the one that was asked for last stands: each question takes a number, and an
answer is kept only when nothing newer is known.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.billing.provider import speak
from chatinbox.billing.row import Card, read_billing
from chatinbox.billing.standing import LIVE
from chatinbox.core.clock import now
from chatinbox.core.db import Tx
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

_ASK = "update billing set asked_count = asked_count + 1 where account_id = %s returning asked_count"
_KEEP = """
update billing set subscription_ref = %(subscription)s, item_ref = %(item)s, status = %(status)s, every = %(every)s,
  seat_count = %(seats)s, period_starts_at = %(starts)s, period_ends_at = %(ends)s, overdue_at = %(overdue)s,
  cancels_at = %(cancels)s, card_sealed = %(card)s, seen_count = %(asked)s, seen_at = %(at)s
 where account_id = %(account)s and seen_count < %(asked)s and detached_at is null
   and not exists (select from seat_change where account_id = %(account)s and told_at is null)
 returning 1
"""
_BILL = """
insert into invoice (account_id, id, provider_ref, number, status, total_cents, tax_cents, currency, link_sealed, created_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (account_id, provider_ref) do update set number = excluded.number, status = excluded.status,
  total_cents = excluded.total_cents, tax_cents = excluded.tax_cents
"""


async def refresh(inst: Installation, account_id: UUID) -> bool:
    """Asks and keeps the answer; False when there is nobody to ask for, or something newer was known."""
    known = await read_billing(inst, account_id)
    if known.customer is None:
        return False
    [[(asked,)]] = await inst.db.run(account_id, (_ASK, [account_id]))
    client = speak(inst, account_id, "billing.refresh")
    look: Any = {
        "customer": known.customer,
        "status": "all",
        "limit": 100,
        "expand": ["data.default_payment_method", "data.customer.invoice_settings.default_payment_method"],
    }
    subscriptions = (await client.v1.subscriptions.list_async(look)).data
    bills = (await client.v1.invoices.list_async({"customer": known.customer, "limit": 100})).data
    key = await inst.vault.account_key(account_id)
    words = _subscription_words(key, account_id, subscriptions) | {
        "overdue": _overdue(bills), "asked": asked, "at": now(), "account": account_id,
    }  # fmt: skip
    async with inst.db.account(account_id) as tx:
        if await tx.one(_KEEP, words) is None:
            return False
        for bill in bills:
            await _keep_bill(tx, key, bill)
    return True


def _subscription_words(key: SealKey, account_id: UUID, all_: Iterable[Any]) -> dict[str, Any]:
    """What is kept of the subscription that counts: the newest that still bills, else the newest that ended."""
    one = max(all_, key=lambda s: (s.status in LIVE, s.created), default=None)
    if one is None:
        names = ("subscription", "item", "status", "every", "starts", "ends", "cancels", "card")
        return dict.fromkeys(names) | {"seats": 0}
    item, card = one["items"].data[0], _card(one)
    return {
        "subscription": one.id,
        "item": item.id,
        "status": one.status,
        "every": item.price.recurring.interval,
        "seats": item.quantity,
        "starts": _time(item.current_period_start),
        "ends": _time(item.current_period_end),
        "cancels": _time(one.cancel_at),
        "card": card and key.seal(msgspec.json.encode(card), account_id, "billing", "card", account_id),
    }


def _card(subscription: Any) -> Card | None:
    customer = subscription.customer
    settings = None if isinstance(customer, str) else getattr(customer, "invoice_settings", None)
    method = subscription.default_payment_method or getattr(settings, "default_payment_method", None)
    card = getattr(method, "card", None)
    return card and Card(card.brand, card.last4, f"{card.exp_month:02}/{card.exp_year % 100:02}")


def _overdue(bills: Iterable[Any]) -> datetime | None:
    """Since when the oldest bill that was tried waits to be paid."""
    return _time(
        min((bill.created for bill in bills if bill.status == "open" and bill.attempted), default=None)
    )


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def _keep_bill(tx: Tx, key: SealKey, bill: Any) -> None:
    if bill.status == "draft":
        return
    row_id, link = new_id(), bill.hosted_invoice_url
    # The link is sealed for the row that stands: asked again, an invoice keeps its first row and its link.
    sealed = link and key.seal(link, tx.account_id, "invoice", "link", row_id)
    tax = sum(part.amount for part in bill.total_taxes or [])
    await tx.execute(
        _BILL,
        [tx.account_id, row_id, bill.id, bill.number, bill.status, bill.total, tax, bill.currency, sealed,
         _time(bill.created)],
    )  # fmt: skip
