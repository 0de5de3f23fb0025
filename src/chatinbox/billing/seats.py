"""Seats: who may answer is counted, and the provider is told what that changes, by the day.

A change is written first, with what it costs, and told then; what was not told is told again under the same word, so
that it is charged once. What counts is the number of seats on a day, so no order of coming and going matters.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chatinbox.billing.days import change
from chatinbox.billing.plans import plan_of
from chatinbox.billing.provider import speak
from chatinbox.billing.row import Billing, count_seats, read_billing
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

_NEWEST = "update billing set asked_count = asked_count + 1, seen_count = asked_count + 1"
KEYS_LAST = timedelta(hours=20)  # Stripe forgets an idempotency key after a day


async def note_change(inst: Installation, account_id: UUID) -> bool:
    """Writes down that the number of seats became another; whether it did. Nothing is charged before it is told."""
    known, on = await read_billing(inst, account_id), now().date()
    seats = max(1, (await count_seats(inst, account_id))[0])
    if not known.is_live or known.period is None or known.every is None or seats == known.seats:
        return False
    amount = change(plan_of(inst.settings).price(known.every), known.period, seats - known.seats, on)
    async with inst.db.account(account_id) as tx:
        # Only from the number we started from: another process may have written this change meanwhile.
        held = await tx.one(
            f"{_NEWEST}, seat_count = %s where account_id = %s and seat_count = %s and subscription_ref = %s returning 1",
            [seats, account_id, known.seats, known.subscription],
        )
        if held is None:
            return False
        await tx.execute(
            "insert into seat_change (account_id, id, subscription_ref, on_day, before_count, after_count, amount_cents, at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [account_id, new_id(), known.subscription, on, known.seats, seats, amount, now()],
        )
    return True


async def tell_changes(inst: Installation, account_id: UUID) -> None:
    """Tells the provider what it was not told yet, in the order in which it was noted."""
    text = (
        "select id, subscription_ref, on_day, before_count, after_count, amount_cents, at from seat_change"
        " where account_id = %s and told_at is null order by at, id"
    )
    [rows] = await inst.db.run(account_id, (text, [account_id]))
    known = await read_billing(inst, account_id) if rows else None
    for row_id, subscription, on, before, after, amount, at in rows:
        assert known
        if known.is_live and subscription == known.subscription:
            if amount:
                await _charge(
                    inst, account_id, known, row_id, on, before, after, amount, now() - at > KEYS_LAST
                )
            await _set_quantity(inst, account_id, known, row_id, after)
        await inst.db.run(
            account_id,
            (
                "update seat_change set told_at = %s where account_id = %s and id = %s",
                [now(), account_id, row_id],
            ),
            (f"{_NEWEST} where account_id = %s", [account_id]),
        )


async def _charge(
    inst: Installation, account_id: UUID, known: Billing, row_id: UUID, on: date, before: int, after: int,
    amount: int, is_old: bool,
) -> None:  # fmt: skip
    client = speak(inst, account_id, "billing.seats", "seats")
    if is_old and await _is_charged(client, known, row_id):
        return
    words: Any = {
        "customer": known.customer,
        "subscription": known.subscription,
        "amount": amount,
        "currency": plan_of(inst.settings).currency,
        "description": f"Seats from {on:%-d %B %Y}: {before} to {after}",
        "metadata": {"seat_change": str(row_id)},
    }
    await client.v1.invoice_items.create_async(words, {"idempotency_key": f"seats {row_id}"})


async def _is_charged(client: Any, known: Billing, row_id: UUID) -> bool:
    found = await client.v1.invoice_items.list_async({"customer": known.customer, "limit": 100})
    return any(getattr(one.metadata, "seat_change", None) == str(row_id) for one in found.data)


async def _set_quantity(
    inst: Installation, account_id: UUID, known: Billing, row_id: UUID, seats: int
) -> None:
    words: Any = {"items": [{"id": known.item, "quantity": seats}], "proration_behavior": "none"}
    if known.every == "year":  # what changes within a year is billed with the month
        words["pending_invoice_item_interval"] = {"interval": "month"}
    client = speak(inst, account_id, "billing.seats", "seats")
    await client.v1.subscriptions.update_async(
        known.subscription or "", words, {"idempotency_key": f"quantity {row_id}"}
    )
