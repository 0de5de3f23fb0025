"""Two runs of one story over served ports, in one of which nobody ever asked not to be followed (H2).

People visit the website of two installations, and some sign up. In one of them all come, in the other only those whose browsers send
no signal: no company, no mail server and no name server outside can tell from any byte in which of the two they are.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chatinbox.app.tests.chance import without_chance
from chatinbox.app.tests.signals import NO_SIGNALS, SIGNALS, Headers
from chatinbox.core import postgres
from chatinbox.watch.shown import LEAST
from journeys.conftest import PASSWORD, House, aside
from journeys.outside import Outside
from journeys.runs import alike, how, wait_until
from promises.stage import OPERATOR

# Visits are written and what is done after an answer begins at once, and nobody is asked to wait.
HURRIED = """
from chatinbox.watch import visits
from chatinbox.accounts.throttle import Throttle
from chatinbox.web import forms
visits.WRITE_SECONDS, forms.LATER_SECONDS, forms.by_place = 0.1, 0, Throttle(10_000, 600)
"""
DEAF = f"""{HURRIED}
from chatinbox.core.signal import Signal
from chatinbox.web.site import counted
counted.signal_of = lambda _request: Signal()
"""
GOOGLE = {"analytics": "google", "google_measurement_id": "G-TEST", "google_api_secret": "s3cret"}
DEVICES = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Mobile/15E148",
)
pages = st.sampled_from(["/", "/", "/pricing", "/privacy", "/contact", "/trust", "/sign-up", "/never-there"])
signals = st.sampled_from(SIGNALS + NO_SIGNALS)
whoever = st.sampled_from(["a stranger", "a stranger", "who signed up"])
languages = st.sampled_from(["en", "de-CH, de;q=0.9, en;q=0.1", "fr", "ar"])
came_from = st.sampled_from(["", "https://news.example/a", "https://other.example/b"])
_RELAY = "select count(*) from work.procrastinate_jobs where task_name = 'relay_counts'"


class Website:
    """The website of one installation, the browsers that visit it, and the world outside it."""

    def __init__(self, house: House, outside: Outside, above: psycopg.Connection) -> None:
        self.house, self.outside, self.above = house, outside, above
        self.browsers = {"a stranger": house.client()}

    def begin(self) -> None:
        """Nobody was ever here."""
        self._written()
        self.above.execute("truncate watch.visit, watch.visitors, watch.relayed_day")
        self.outside.forget()
        self.browsers.pop("who signed up", None)

    def visit(self, who: str, path: str, headers: Headers, times: int) -> int:
        """Somebody looks at a page so many times; how it was answered."""
        browser = self.browsers.get(who) or self.browsers["a stranger"]
        [status] = {browser.get(path, headers=headers).status_code for _ in range(times)}
        return status

    def sign_up(self, email: str, headers: Headers) -> None:
        """Somebody signs up, and opens the letter they get."""
        browser = self.house.client()
        form = {"name": "Frida Berg", "email": email, "company": f"Berg {email}", "password": PASSWORD}
        assert browser.post("/sign-up", data=form, headers=headers).status_code == 200
        wait_until(lambda: self.outside.letters(email))
        [link] = set(re.findall(r"/confirm/[\w-]+", self.outside.letters(email)[0].replace("=\r\n", "")))
        answer = browser.post(link, data={"password": PASSWORD}, headers=headers)
        assert answer.status_code == 303, answer.text
        self.browsers["who signed up"] = browser

    def pass_on(self) -> None:
        """A day goes by, and the worker does what it does every night."""
        self._written()
        self.above.execute("update watch.visit set day = day - 1")
        self.above.execute("update watch.relay set declared_at = now() - interval '9 days'")
        values = "'default', 'relay_counts', 'relay_counts', 'relay_counts', '{\"timestamp\": 0}'"
        self.above.execute(
            "insert into work.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)"
            f" values ({values})".encode()
        )
        wait_until(lambda: self._one(_RELAY) == 0)
        assert self._one("select count(*) from watch.relayed_day") == 7, "the night did not come"
        self.above.execute("update watch.relay set declared_at = now()")

    def left(self) -> list[str]:
        """All that ever left, without what is drawn at random, and without where its own world listens."""
        told = [f"{one.where} {one.to} {one.raw.decode()}" for one in self.outside.arrived]
        told += [f"name server {one}" for one in self.outside.asked]
        for known, what in ((self.house.url, "us"), (self.outside.web, "Google")):
            told = [one.replace(known, what).replace(known.removeprefix("http://"), what) for one in told]
        told = [without_chance(one.replace("=\r\n", ""), "berg") for one in told]
        return [re.sub(r"(?m)^(Message-ID:|Date:).*$|(?<=/confirm/).*$", r"\1", one) for one in told]

    def _written(self) -> None:
        """Every visit of until now stands in the database, for what was counted before this one is written before it."""
        ask = "select coalesce(sum(visit_count), 0) from watch.visit where route = '/terms'"
        before = self._one(ask)
        self.browsers["a stranger"].get("/terms")
        wait_until(lambda: self._one(ask) > before)

    def _one(self, ask: str) -> Any:
        row = self.above.execute(ask.encode()).fetchone()
        return row and row[0]


class Visits(RuleBasedStateMachine):
    """One story on both websites. Whoever asks not to be followed visits the first alone."""

    websites: tuple[Website, Website]
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.everybody, self.unasked = self.websites
        for one in self.websites:
            one.begin()

    @initialize()
    def people_without_a_signal_come(self) -> None:
        self.somebody_visits("a stranger", "/", [], "en", "", DEVICES[0], LEAST + 2)

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
    with ExitStack() as open_:
        opened = []
        for _ in range(2):
            outside = open_.enter_context(Outside())
            named = {"google_analytics_base": outside.web, **GOOGLE, **OPERATOR, **outside.settings}
            house = new_house(HURRIED, **named)
            cluster = postgres.up(house.data)
            open_.callback(postgres.leave, house.data)
            above = psycopg.connect(cluster.dsn(cluster.superuser, "chatinbox"), autocommit=True)
            above.execute("set search_path = work")  # where the queue looks for its functions
            opened.append(Website(house, outside, open_.enter_context(above)))
        yield opened[0], opened[1]


async def play(websites: tuple[Website, Website], stories: int, steps: int) -> None:
    """So many stories."""
    Visits.websites = websites
    await aside(run_state_machine_as_test, Visits, settings=how(stories, steps))


async def test_whoever_is_outside_cannot_tell_that_people_with_a_signal_came(
    websites: tuple[Website, Website],
) -> None:
    await play(websites, 2, 7)


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
