"""Which language somebody asked for: as the texts say it, and whatever else browsers and others send."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.translation import asked
from chatinbox.core.translation.asked import best

OFFERED = ["en", "de", "pt-BR"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-Latn-CH-1996, en;q=0.5", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,de;q=0.4,en;q=0.2", "de"),
        ("de;q=0.2, en;q=0.7", "en"),
        ("en;q=0.5, de;q=0.5", "en"),
        ("de;q=0, fr", "en"),
        ("de;q=0.000", "en"),
        ("*", "en"),
        ("fr, *;q=0.1, de;q=0.01", "en"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("de;q=2", "en"),
        ("de;level=1", "en"),
        ("d e", "en"),
        ("ｄｅ", "en"),
        ("../de", "en"),
        ("de-a-b-c-d-e-f-g-h", "de"),
        ("de-a-b-c-d-e-f-g-h-i", "en"),
        (",,, ,de", "de"),
    ],
)
def test_the_language_that_is_wanted_most_of_those_that_are_there(header: str, language: str) -> None:
    assert best(header, OFFERED) == language


RANGE = st.from_regex(r"\A[A-Za-z*]{1,8}(-[A-Za-z0-9]{1,8}){0,3}(;q=[0-9.]{0,6})?\Z")


@given(st.one_of(st.text(), st.lists(st.one_of(RANGE, st.text(max_size=12))).map(",".join)))
def test_whatever_is_sent_is_answered_in_a_language_that_is_there(header: str) -> None:
    assert best(header, OFFERED) in OFFERED
    assert best(header, ["en"]) == "en"


@given(st.lists(st.sampled_from(["fr", "nl-BE", "x", "zh-Hant-TW"])), st.integers(0, 5))
def test_languages_that_are_not_there_change_nothing(strangers: list[str], where: int) -> None:
    ranges = [*strangers[:where], "de", *strangers[where:]]
    assert best(", ".join(ranges), OFFERED) == "de"


def test_only_the_first_ranges_are_looked_at() -> None:
    """A header is as long as a server takes; what is far behind is nobody's wish."""
    assert best(",".join(["fr"] * 5_000 + ["de"]), OFFERED) == "en"


@pytest.mark.parametrize(
    "header",
    [
        "de" + "-a" * 250_000,
        "de," * 250_000,
        "fr;q=0.5," * 50_000,
        " " * 500_000 + "de",
        "fr-" * 160_000 + "x," + "de",
    ],
)
def test_a_huge_header_is_as_much_work_as_a_small_one(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    offered = Counted(OFFERED)

    class Watched:
        def fullmatch(self, part: str) -> re.Match[str] | None:
            looked_at.append(part)
            return known.fullmatch(part)

    known = asked._RANGE
    monkeypatch.setattr(asked, "_RANGE", Watched())
    assert best(header, offered) in OFFERED
    assert len(looked_at) <= 20 and sum(map(len, looked_at)) <= 1_000
    assert offered.gone_through <= 20


class Counted(list[str]):
    """Languages that count how often they are gone through."""

    gone_through = 0

    def __iter__(self) -> Iterator[str]:
        self.gone_through += 1
        return super().__iter__()


def test_a_range_that_is_cut_is_none() -> None:
    """What is left of `de;q=0` or `de-AT` says another thing than the whole."""
    before = "fr;q=0.1," + " " * 989
    assert best(before + "de;q=0, fr", OFFERED) == "en"
    assert best(before[2:] + "de,fr", OFFERED) == "de"
