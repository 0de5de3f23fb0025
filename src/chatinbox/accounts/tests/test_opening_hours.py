"""When somebody answers again, by the account's own wall clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.accounts.opening_hours import OpeningHours, opens_at, read_hours
from chatinbox.core.errors import Refused

NINE_TO_FIVE = ("09:00", "17:00")
WEEKDAYS = OpeningHours("Europe/Oslo", (NINE_TO_FIVE,) * 5 + (None, None))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-25 07:59", "2026-11-25 08:00"),  # a Wednesday in winter: Oslo is an hour ahead
        ("2026-11-25 08:00", None),
        ("2026-11-25 15:59", None),
        ("2026-11-25 16:00", "2026-11-26 08:00"),
        ("2026-11-27 16:00", "2026-11-30 08:00"),  # Friday evening: Monday
        ("2026-03-27 17:00", "2026-03-30 07:00"),  # the clock is put forward that Sunday
        ("2026-10-23 17:00", "2026-10-26 08:00"),  # and back
    ],
)
def test_people_answer_by_the_wall_clock_of_the_account(now: str, opens: str | None) -> None:
    assert opens_at(WEEKDAYS, at(now)) == (at(opens) if opens else None)


def test_where_nothing_is_said_there_is_nothing_to_wait_for() -> None:
    assert opens_at(OpeningHours(), at("2026-11-25 03:00")) is None


@given(
    st.integers(0, 60 * 24 * 400),
    st.sampled_from(["Europe/Oslo", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_who_comes_when_it_was_said_finds_somebody_and_nobody_a_minute_before(
    minutes: int, zone: str
) -> None:
    hours = OpeningHours(zone, (NINE_TO_FIVE, None, ("00:00", "12:30"), None, None, ("10:00", "11:00"), None))
    now = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    opens = opens_at(hours, now)
    if opens:
        assert now < opens <= now + timedelta(days=8)
        assert opens_at(hours, opens) is None and opens_at(hours, opens - timedelta(minutes=1)) == opens


@pytest.mark.parametrize(
    "form",
    [
        {"from-0": "17:00", "to-0": "09:00"},
        {"from-0": "09:00", "to-0": ""},
        {"from-0": "late", "to-0": "later"},
        {"from-6": "09:00", "to-6": "09:00"},
    ],
)
def test_what_is_no_span_is_refused_with_its_day(form: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        read_hours({"time_zone": "UTC"} | form)
    assert "day: write from when to when" in refused.value.sentence


def test_a_form_without_hours_says_nothing() -> None:
    assert read_hours({"time_zone": "Europe/Oslo", "from-0": " "}) == OpeningHours("Europe/Oslo")
    with pytest.raises(Refused):
        read_hours({"time_zone": "Mars/Olympus"})
