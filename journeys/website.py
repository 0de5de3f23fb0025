"""The website of a served installation, met as its visitors meet it, with the world outside it and the night that comes."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from chatinbox.app.tests.chance import without_chance
from chatinbox.app.tests.signals import Headers
from journeys.conftest import PASSWORD, House
from journeys.outside import Outside
from journeys.runs import wait_until
from promises.stage import OPERATOR

# Visits are written and what is done after an answer begins at once, and nobody is asked to wait.
HURRIED = """
from chatinbox.watch import visits
from chatinbox.accounts.throttle import Throttle
from chatinbox.web import forms
visits.WRITE_SECONDS, forms.LATER_SECONDS = 0.1, 0
forms.by_place = forms.by_name = Throttle(10_000, 600)
"""
GOOGLE = {"analytics": "google", "google_measurement_id": "G-TEST", "google_api_secret": "s3cret"}
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


@contextmanager
def opened(new_house: Callable[..., House], first: str = HURRIED, **given: str) -> Iterator[Website]:
    """A website in a world of its own, which its operator has told where everything is."""
    with Outside() as outside:
        named = {"google_analytics_base": outside.web, **GOOGLE, **OPERATOR, **outside.settings}
        house = new_house(first, **named, **given)
        with house.above() as above:
            above.execute("set search_path = work")  # where the queue looks for its functions
            yield Website(house, outside, above)
