"""Proration by the day, both ways, in whole cents.

The first k days of a period of n days cost `F(k) = price·k / n`, rounded half up; days a to b cost `F(b) − F(a)`. So the
days of a period add up to its price exactly, however they are cut; no part is negative; and because a seat is priced
by itself, it does not matter in which order seats came and went.
"""

from dataclasses import dataclass
from datetime import date

from chatinbox.billing.plans import Every
from chatinbox.core.clock import months_later


@dataclass(frozen=True, slots=True)
class Period:
    """What a bill is for: from `start` until the day before `end`, in UTC."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has, at least 1."""
        return max(1, (self.end - self.start).days)

    def passed(self, on: date) -> int:
        """How many whole days lie before a day, from 0 to all of them."""
        return min(max(0, (on - self.start).days), self.days)

    def left(self, on: date) -> int:
        """How many days are left, the day itself included."""
        return self.days - self.passed(on)


def period_from(start: date, every: Every) -> Period:
    """A month or a year from a day on; where the month is shorter, until its last day."""
    return Period(start, months_later(start, 1 if every == "month" else 12))


def until(price: int, period: Period, day: int) -> int:
    """F: what the first `day` days of the period cost, a seat."""
    return (2 * price * day + period.days) // (2 * period.days)


def rest(price: int, period: Period, on: date) -> int:
    """What a seat costs from a day until the end of the period."""
    return price - until(price, period, period.passed(on))


def change(price: int, period: Period, seats: int, on: date) -> int:
    """What so many seats more (or, below 0, fewer) from a day on add to the next bill, or take from it."""
    return seats * rest(price, period, on)
