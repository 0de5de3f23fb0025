"""Periods, sheets and charts, with wild inputs."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core import clock
from chatinbox.core.sheet import sheet
from chatinbox.reports.period import kept_since, months, read_period, read_zone
from chatinbox.reports.work import Work, WorkReport, unusual_days
from chatinbox.web.reports.charts import bars, ceiling, heat
from chatinbox.web.reports.words import duration, hours


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "_offset", moment - datetime.now(UTC))


def test_a_period_is_whole_days_of_the_reader_and_ends_now(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    there, here = (
        read_period("28d", read_zone("Pacific/Auckland")),
        read_period("28d", read_zone("America/New_York")),
    )
    assert (there.last, here.last) == (date(2026, 11, 1), date(2026, 10, 31))
    assert len(there.days()) == 28 and there.until <= clock.now()
    assert there.words() == "5 October to 1 November 2026"
    assert [words for _, words in months(read_zone("UTC"))][:2] == ["October 2026", "September 2026"]


def test_a_month_in_which_clocks_change_has_all_its_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 11, 20, tzinfo=UTC))
    october = read_period("2026-10", read_zone("Europe/Copenhagen"))
    assert (
        october.until.astimezone(UTC) - october.since.astimezone(UTC)
    ).total_seconds() == 31 * 86400 + 3600


def test_thirteen_months_before_a_long_months_end_is_a_day_that_exists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(monkeypatch, datetime(2027, 3, 31, 12, tzinfo=UTC))
    assert kept_since().date() == date(2026, 2, 28)
    at(monkeypatch, datetime(2027, 1, 15, 12, tzinfo=UTC))
    assert kept_since().date() == date(2025, 12, 15)


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), max_size=5))
def test_no_cell_of_a_sheet_begins_as_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(sheet(["a", "b"], rows).decode("utf-8-sig"), newline="")))
    assert len(read) == len(rows) + 1
    for wrote, found in zip(rows, read[1:], strict=True):
        for was, cell in zip(wrote, found, strict=True):
            assert cell in (was, "'" + was)
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("name", ["=1+1", "+41 79", "-2", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0", "＝1"])
def test_a_name_that_is_a_formula_is_words(name: str) -> None:
    assert f"'{name.strip()}"[:2] in sheet(["Name"], [[name]]).decode().replace("' ", "'").replace("'\t", "'")


def test_numbers_below_nothing_stay_numbers() -> None:
    assert sheet(["n"], [[-3]]).decode("utf-8-sig") == "n\r\n-3\r\n"


@given(st.floats(0, 1e9))
def test_the_scale_reaches_over_everything_in_four_round_steps(most: float) -> None:
    top = ceiling(most)
    assert top >= most and top % 4 == 0 and (top == 4 or top <= 2.6 * most + 4)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=0, max_size=40))
def test_no_bar_leaves_its_chart(counts: list[tuple[int, int]]) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(len(counts))]
    drawn = bars(days, [[a for a, _ in counts], [b for _, b in counts]], ["words <b>"] * len(counts))
    assert "-0.1" not in drawn.shapes and "<b>" not in drawn.shapes and 'height="-' not in drawn.shapes
    assert "nan" not in drawn.shapes


def test_an_hour_of_nothing_is_neutral_and_the_busiest_is_darkest() -> None:
    drawn = str(heat({(1, 0): 1, (7, 23): 3600}, {(7, 23): "busy"}))
    assert drawn.count('class="h0"') == 166 and drawn.count('class="h5"') == drawn.count('class="h1"') == 1


def test_an_unusual_day_is_named_and_usual_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 11, 22, 20, tzinfo=UTC))
    period = read_period("28d", read_zone("UTC"))
    weekdays = [day for day in period.days() if day.weekday() < 5]
    by_day = {day: Work(answers=20 + day.day % 3) for day in weekdays} | {date(2026, 11, 13): Work(answers=2)}
    found = unusual_days(WorkReport(Work(), {}, {}, by_day), period)
    assert [(day, count) for day, count, _ in found] == [(date(2026, 11, 13), 2)]
    assert unusual_days(WorkReport(Work(), {}, {}, {}), period) == []
    last = {date(2026, 11, 15): Work(answers=90)}  # today is a Sunday, so only two others are over
    assert unusual_days(WorkReport(Work(), {}, {}, last), period) == []


def test_durations_are_read_in_two_parts() -> None:
    said = [duration(s) for s in (None, 45, 840, 3960, 183_600)]
    assert said == ["–", "45 s", "14 min", "1 h 06", "2 d 3 h"]
    assert [hours(s) for s in (0, 30, 2700, 21_900)] == ["0", "under 1 min", "45 min", "6 h 05"]
