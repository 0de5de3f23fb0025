"""Two runs of one story over served ports, in one of which nobody ever asked not to be followed (H2).

People visit the website of two installations, and some sign up. In one of them all come, in the other only those whose browsers send
no signal: no company, no mail server and no name server outside can tell from any byte in which of the two they are.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chatinbox.app.tests.signals import NO_SIGNALS, SIGNALS, Headers
from chatinbox.watch.shown import LEAST
from journeys.conftest import House, aside
from journeys.runs import alike, how
from journeys.website import HURRIED, Website, opened

DEAF = f"""{HURRIED}
from chatinbox.core.signal import Signal
from chatinbox.web.site import counted
counted.signal_of = lambda _request: Signal()
"""
DEVICES = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Mobile/15E148",
)
pages = st.sampled_from(["/", "/", "/pricing", "/privacy", "/contact", "/trust", "/sign-up", "/never-there"])
signals = st.sampled_from(SIGNALS + NO_SIGNALS)
whoever = st.sampled_from(["a stranger", "a stranger", "who signed up"])
languages = st.sampled_from(["en", "de-CH, de;q=0.9, en;q=0.1", "fr", "ar"])
came_from = st.sampled_from(["", "https://news.example/a", "https://other.example/b"])


class Visits(RuleBasedStateMachine):
    """One story on both websites. Whoever asks not to be followed visits the first alone."""

    websites: tuple[Website, Website]
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.everybody, self.unasked = self.websites
        for one in self.websites:
            one.begin()

    @initialize(signal=st.sampled_from(SIGNALS))
    def people_come_with_a_signal_and_without(self, signal: Headers) -> None:
        # Of two such numbers one is told, whatever small one has to be hidden beside it.
        for path in ("/", "/trust"):
            self.somebody_visits("a stranger", path, [], "en", "", DEVICES[0], LEAST + 2)
        self.somebody_visits("a stranger", "/pricing", signal, "de", "", DEVICES[1], LEAST + 2)

    @rule(
        who=whoever, path=pages, signal=signals, language=languages, referer=came_from,
        device=st.sampled_from(DEVICES), times=st.integers(1, LEAST + 4),
    )  # fmt: skip
    def somebody_visits(
        self, who: str, path: str, signal: Headers, language: str, referer: str, device: str, times: int
    ) -> None:
        usual = [("user-agent", device), ("accept-language", language), ("referer", referer)]
        status = self.everybody.visit(who, path, [*usual, *signal], times)
        if signal not in SIGNALS:
            assert self.unasked.visit(who, path, [*usual, *signal], times) == status

    @precondition(lambda self: "who signed up" not in self.everybody.browsers)
    @rule(signal=signals)
    def somebody_signs_up(self, signal: Headers) -> None:
        email = f"frida{next(self.numbers)}@mail.example"
        for one in self.websites:
            one.sign_up(email, signal)

    def teardown(self) -> None:
        for one in self.websites:
            one.pass_on()
        alike(lambda: [one.left() for one in self.websites])
        assert self.unasked.outside.at("web"), "nothing was passed on, so this shows nothing"


@pytest.fixture(scope="module")
def websites(new_house: Callable[..., House]) -> Iterator[tuple[Website, Website]]:
    """Two, each in a world of its own."""
    with opened(new_house) as one, opened(new_house) as other:
        yield one, other


async def play(websites: tuple[Website, Website], stories: int, steps: int) -> None:
    """So many stories."""
    Visits.websites = websites
    await aside(run_state_machine_as_test, Visits, settings=how(stories, steps))


async def test_whoever_is_outside_cannot_tell_that_people_with_a_signal_came(
    websites: tuple[Website, Website],
) -> None:
    await play(websites, 3, 8)


@pytest.mark.long
async def test_in_twenty_long_stories_nobody_outside_can_tell_either(
    websites: tuple[Website, Website],
) -> None:
    await play(websites, 20, 30)


async def test_a_relay_that_is_deaf_to_signals_would_be_noticed(websites: tuple[Website, Website]) -> None:
    """The breaking case: what is counted has not heard what the browser asked for."""
    everybody, unasked = websites
    everybody.house.start_anew(DEAF)
    for one in websites:
        one.begin()
        one.visit("a stranger", "/", [], LEAST)
    for signal in SIGNALS:
        everybody.visit("a stranger", "/pricing", signal, LEAST)
    for one in websites:
        one.pass_on()
    assert everybody.left() != unasked.left()
    assert any("/pricing" in one for one in everybody.left())
