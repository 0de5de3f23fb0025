"""The bill before you buy: one pure function, used by the pricing page, the settings and the tests alike."""

from dataclasses import dataclass
from datetime import date, timedelta

from chatinbox.billing.days import Period, period_from, rest
from chatinbox.billing.plans import Every, Plan
from chatinbox.billing.vat import Tax, tax_for
from chatinbox.core.translation.said import said


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill. Amounts in cents before tax; `days` of `of` are paid for."""

    words: str
    days: int
    of: int
    price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A bill: its lines, the tax, what is to pay, and what each whole period after it costs with tax."""

    period: Period
    lines: tuple[Line, ...]
    net: int
    tax: Tax
    tax_cents: int
    total: int
    after: int

    @property
    def last_day(self) -> date:
        """The last day that is paid for."""
        return self.period.end - timedelta(days=1)


def quote(
    plan: Plan,
    seats: int,
    viewers: int,
    every: Every,
    start: date,
    country: str,
    vat_id: str = "",
    change_on: date | None = None,
) -> Quote:
    """The bill for a month or year that begins on `start`; with `change_on`, for what is left of it from that day."""
    period, price = period_from(start, every), plan.price(every)
    on = change_on or start
    days, each = period.left(on), rest(price, period, on)
    lines = (
        Line(_count(seats, "seat"), days, period.days, price, seats * each),
        Line(_count(viewers, "viewer"), days, period.days, 0, 0),
    )
    net, tax = seats * each, tax_for(plan, country, vat_id)
    whole = seats * price
    return Quote(period, lines, net, tax, tax.of(net), net + tax.of(net), whole + tax.of(whole))


def _count(count: int, word: str) -> str:
    if word == "seat":
        return said("1 seat") if count == 1 else said("%(count)s seats", count=count)
    return said("1 viewer") if count == 1 else said("%(count)s viewers", count=count)
