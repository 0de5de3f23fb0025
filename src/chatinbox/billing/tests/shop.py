"""What Stripe would know: customers, subscriptions, bills. After its API reference, as far as it is used here.

The outside world acts on it by methods (`pay`, `card_fails`, `pass_time`); every change leaves a message in `messages`.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from chatinbox.core.clock import now

Thing = dict[str, Any]
PRICES = {"price_month": (1900, "month"), "price_year": (19000, "year")}


def seconds() -> int:
    return int(now().timestamp())


def later(at: int, every: str) -> int:
    """A month or a year later, as Stripe counts: the same day, or the last of a shorter month."""
    day = datetime.fromtimestamp(at, UTC)
    months = day.month + (1 if every == "month" else 12)
    year, month = day.year + (months - 1) // 12, (months - 1) % 12 + 1
    return int(day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1])).timestamp())


@dataclass
class Shop:
    """The provider's books."""

    customers: dict[str, Thing] = field(default_factory=dict)
    cards: dict[str, Thing] = field(default_factory=dict)
    tax_ids: dict[str, Thing] = field(default_factory=dict)
    tax_rates: dict[str, Thing] = field(default_factory=dict)
    subscriptions: dict[str, Thing] = field(default_factory=dict)
    invoices: dict[str, Thing] = field(default_factory=dict)
    invoice_items: dict[str, Thing] = field(default_factory=dict)
    sessions: dict[str, Thing] = field(default_factory=dict)
    portals: dict[str, Thing] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    messages: list[Thing] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))

    def id(self, kind: str) -> str:
        return f"{kind}_{next(self.numbers):08}"

    def say(self, type_: str, thing: Thing) -> None:
        event = {"id": self.id("evt"), "object": "event", "type": type_, "created": seconds()}
        self.messages.append(event | {"data": {"object": dict(thing)}})

    # --- what visitors of its pages do ----------------------------------------------------------------------------

    def pay(self, session_id: str) -> str | None:
        """The card is entered on the checkout page. The new subscription's id; None when the session is over."""
        session = self.sessions[session_id]
        if session["status"] != "open":
            return None
        customer, line = session["customer"], session["line_items"]["0"]
        card = {"id": self.id("pm"), "object": "payment_method", "type": "card", "customer": customer}
        card["card"] = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031}
        self.cards[card["id"]] = card
        amount, every = PRICES[line["price"]]
        start, sub_id = seconds(), self.id("sub")
        rates = list((session["subscription_data"].get("default_tax_rates") or {}).values())
        item = {"id": self.id("si"), "object": "subscription_item", "quantity": int(line["quantity"])}
        item["price"] = {
            "id": line["price"],
            "object": "price",
            "unit_amount": amount,
            "recurring": {"interval": every},
        }
        item |= {"current_period_start": start, "current_period_end": later(start, every)}
        self.subscriptions[sub_id] = {
            "id": sub_id, "object": "subscription", "customer": customer, "status": "active", "created": start,
            "cancel_at": None, "default_payment_method": card["id"], "default_tax_rates": rates,
            "items": {"object": "list", "data": [item]},
        }  # fmt: skip
        session |= {"status": "complete", "subscription": sub_id}
        self.bill(sub_id)
        self.say("checkout.session.completed", session)
        self.say("customer.subscription.created", self.subscriptions[sub_id])
        return sub_id

    def cancel(self, sub_id: str, cancelled: bool = True) -> None:
        """Cancelled at the end of what is paid, or taken back, in the customer portal."""
        one = self.subscriptions[sub_id]
        one["cancel_at"] = one["items"]["data"][0]["current_period_end"] if cancelled else None
        self.say("customer.subscription.updated", one)

    def card_works(self, customer: str, works: bool) -> None:
        """Whether the bank pays; once it does, bills that are open are paid at the next try."""
        (self.failing.discard if works else self.failing.add)(customer)
        if works:
            for bill in self.invoices.values():
                if bill["customer"] == customer and bill["status"] == "open":
                    bill["status"] = "paid"
                    self.say("invoice.paid", bill)
            for one in self.subscriptions.values():
                if one["customer"] == customer and one["status"] == "past_due":
                    one["status"] = "active"
                    self.say("customer.subscription.updated", one)

    # --- what time does -------------------------------------------------------------------------------------------

    def pass_time(self) -> None:
        """Renews what is due, and ends what was cancelled."""
        for sub_id, one in self.subscriptions.items():
            item = one["items"]["data"][0]
            while one["status"] in ("active", "past_due") and seconds() >= item["current_period_end"]:
                if one["cancel_at"] is not None:
                    one["status"] = "canceled"
                    self.say("customer.subscription.deleted", one)
                    break
                every = item["price"]["recurring"]["interval"]
                start = item["current_period_end"]
                item |= {"current_period_start": start, "current_period_end": later(start, every)}
                self.bill(sub_id)
                self.say("customer.subscription.updated", one)

    def bill(self, sub_id: str) -> None:
        """A bill for the period that begins, with what waits from the one before; tried at once."""
        one = self.subscriptions[sub_id]
        item, customer = one["items"]["data"][0], one["customer"]
        waiting = [
            w for w in self.invoice_items.values() if w["subscription"] == sub_id and w["invoice"] is None
        ]
        bill_id = self.id("in")
        for line in waiting:
            line["invoice"] = bill_id
        net = item["quantity"] * item["price"]["unit_amount"] + sum(int(w["amount"]) for w in waiting)
        rates = [self.tax_rates[rate]["percentage"] for rate in one["default_tax_rates"]]
        tax = round(net * sum(rates) / 100 + 1e-9)
        paid = customer not in self.failing
        self.invoices[bill_id] = {
            "id": bill_id, "object": "invoice", "customer": customer, "status": "paid" if paid else "open",
            "number": f"CI-{len(self.invoices) + 1:04}", "total": net + tax, "total_taxes": [{"amount": tax}] if tax else [],
            "currency": "eur", "attempted": True, "created": item["current_period_start"],
            "hosted_invoice_url": f"https://invoice.stripe.com/i/{bill_id}",
        }  # fmt: skip
        one["status"] = "active" if paid else "past_due"
        self.say("invoice.paid" if paid else "invoice.payment_failed", self.invoices[bill_id])
