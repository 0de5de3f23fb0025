"""The bill before you buy: every cent is accounted for, however days and seats are cut, and VAT is who it is for."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chatinbox.billing.days import Period, change, period_from, rest, until
from chatinbox.billing.plans import plan_of
from chatinbox.billing.quote import quote
from chatinbox.billing.vat import Tax, checked_vat, tax_for
from chatinbox.core.errors import Refused
from chatinbox.core.settings import Settings

PLAN = plan_of(Settings())
START = date(2026, 12, 9)
prices = some.integers(0, 10_000_000)
periods = some.builds(
    lambda start, days: Period(start, start + timedelta(days=days)),
    some.dates(date(2020, 1, 1), date(2060, 1, 1)),
    some.integers(1, 366),
)


@given(prices, periods, some.lists(some.integers(0, 366)))
def test_parts_of_a_period_add_up_to_its_price_and_none_is_negative(
    price: int, period: Period, cuts: list[int]
) -> None:
    edges = sorted({0, period.days, *(cut for cut in cuts if cut < period.days)})
    parts = [until(price, period, b) - until(price, period, a) for a, b in pairwise(edges)]
    assert sum(parts) == price and all(part >= 0 for part in parts)


@given(prices, periods, some.integers(0, 366))
def test_a_part_is_within_half_a_cent_of_its_days(price: int, period: Period, day: int) -> None:
    day = min(day, period.days)
    assert abs(2 * (until(price, period, day) * period.days - price * day)) <= period.days


@given(
    prices,
    periods,
    some.lists(some.tuples(some.integers(0, 366), some.integers(-5, 5)), max_size=12),
    some.randoms(),
)
def test_seats_that_come_and_go_cost_the_same_in_any_order(
    price: int, period: Period, moves: list[tuple[int, int]], chance: object
) -> None:
    def total(all_: list[tuple[int, int]]) -> int:
        return sum(change(price, period, seats, period.start + timedelta(days=day)) for day, seats in all_)

    mixed = list(moves)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert total(mixed) == total(moves)
    one_by_one = [(day, 1 if seats > 0 else -1) for day, seats in moves for _ in range(abs(seats))]
    assert total(one_by_one) == total(moves)


@given(prices, periods, some.lists(some.integers(0, 9), min_size=1, max_size=366))
def test_what_is_billed_is_the_seats_of_each_day(price: int, period: Period, seats: list[int]) -> None:
    each = (seats * period.days)[: period.days]
    billed = each[0] * price
    for day in range(1, period.days):
        billed += change(price, period, each[day] - each[day - 1], period.start + timedelta(days=day))
    days = [until(price, period, day + 1) - until(price, period, day) for day in range(period.days)]
    assert billed == sum(count * cost for count, cost in zip(each, days, strict=True)) >= 0


@given(periods, prices, some.integers(-400, 800))
def test_a_day_outside_the_period_costs_all_of_it_or_nothing(period: Period, price: int, day: int) -> None:
    left = rest(price, period, period.start + timedelta(days=day))
    assert 0 <= left <= price
    assert left == (price if day <= 0 else left) and (day < period.days or left == 0)


@given(some.integers(-(10**12), 10**12), some.integers(0, 10_000))
def test_a_refund_gives_back_the_tax_that_was_taken(cents: int, rate: int) -> None:
    assert Tax(rate).of(cents) + Tax(rate).of(-cents) == 0


def test_a_bill_is_the_same_as_by_hand() -> None:
    bill = quote(PLAN, 6, 14, "month", START, "DE")
    assert [(line.words, line.amount) for line in bill.lines] == [("6 seats", 11400), ("14 viewers", 0)]
    assert (bill.net, bill.tax.words, bill.tax_cents, bill.total) == (11400, "VAT 19 %", 2166, 13566)
    assert (bill.period.end, bill.after) == (date(2027, 1, 9), 13566)


def test_from_the_middle_of_a_month_the_days_that_are_left_are_paid() -> None:
    bill = quote(PLAN, 6, 14, "month", date(2026, 12, 1), "DE", change_on=START)
    assert (bill.lines[0].days, bill.lines[0].of) == (23, 31)
    assert bill.net == 6 * (1900 - 490) == 8460


def test_a_year_is_two_months_less_and_viewers_are_free() -> None:
    assert quote(PLAN, 3, 900, "year", START, "US").total == 3 * 10 * 1900


def test_a_month_that_begins_on_the_last_day_ends_on_the_last_of_the_next() -> None:
    assert period_from(date(2027, 1, 31), "month").end == date(2027, 2, 28)
    assert period_from(date(2028, 2, 29), "year").end == date(2029, 2, 28)


@pytest.mark.parametrize(
    ("country", "vat_id", "rate", "reverse"),
    [
        ("DE", "", 1900, False),
        ("DE", "DE123456789", 1900, False),
        ("FR", "", 2000, False),
        ("FR", "FR12345678901", 0, True),
        ("FI", "", 2550, False),
        ("GB", "GB123456789", 0, False),
        ("US", "", 0, False),
    ],
)
def test_who_pays_the_tax(country: str, vat_id: str, rate: int, reverse: bool) -> None:
    assert tax_for(PLAN, country, vat_id) == Tax(rate, reverse)


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("DE", " de 123 456 789", "DE123456789"),
        ("GR", "EL123456789", "EL123456789"),
        ("AT", "ATU12345678", "ATU12345678"),
        ("CH", "CHE-123.456.789 MWST", "CHE123456789MWST"),
        ("US", "", ""),
    ],
)
def test_a_vat_id_is_kept_without_its_spaces(country: str, typed: str, kept: str) -> None:
    assert checked_vat(country, typed) == kept


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("DE", "DE12345678"),
        ("DE", "FR12345678901"),
        ("GR", "GR123456789"),
        ("US", "US1"),
        ("DE", "DE１２３４５６７８９"),
        ("IT", "x" * 5_000_000),
    ],
)
def test_what_is_no_vat_id_of_the_country_is_said_at_its_field(country: str, typed: str) -> None:
    with pytest.raises(Refused) as told:
        checked_vat(country, typed)
    assert told.value.code == "vat_id"
