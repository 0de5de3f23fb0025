"""What an operator reads of the statistics, as text."""

from datetime import date

from chatinbox.app.visits import lines
from chatinbox.watch.shown import Summary, shown


def test_the_tables_tell_a_total_and_keep_quiet_about_what_is_rare() -> None:
    days = shown({"2026-11-24": 30, "2026-11-25": 25, "2026-11-20": 4, "2026-11-21": 7})
    summary = Summary(
        date(2026, 10, 29),
        date(2026, 11, 25),
        days=days,
        visitors={"2026-11-24": 18},
        routes=shown({"/": 61, "/contact": 5}),
        devices=shown({"computer": 66}),
        referrers=shown({}),
    )
    text = "\n".join(lines(summary))
    assert "2026-10-29 to 2026-11-25: 66" in text
    assert "2026-11-20" not in text and "/contact" not in text
    assert text.count("(more, too few to show apart)") == 2
    day = next(line for line in text.splitlines() if line.startswith("2026-11-24"))
    assert day.split() == ["2026-11-24", "30", "18"]


def test_a_website_that_nobody_looked_at_says_so() -> None:
    nothing = shown({})
    summary = Summary(date(2026, 10, 29), date(2026, 11, 25), nothing, {}, nothing, nothing, nothing)
    assert "fewer than 10" in next(lines(summary))
