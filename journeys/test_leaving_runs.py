"""Whatever leaves a served installation has its row in a ledger before, and there is nothing else (H5).

Staff answer, customers write, somebody forgot a password, a colleague is invited, a program is told, the company's own sign-in is
asked, and at night counts are passed on. At the moment a connection comes to anybody outside, somebody who sees everything looks
into the ledgers: its row is there, with receiver, reason and kinds of data. Each row has its connection, and none is without.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chatinbox.privacy.left.read import COLUMNS, Left, open_rows
from chatinbox.watch.shown import LEAST
from journeys.business import Business, installation, open_businesses
from journeys.conftest import PASSWORD, House, aside
from journeys.outside import Arrival, Outside
from journeys.runs import enough, how, wait_until
from journeys.website import HURRIED, Website, opened

BESIDE = """
import socket
from chatinbox.app import worker
known = worker.record_deeds
async def curious(*given):
    socket.create_connection(("127.0.0.1", {port}), 1).close()
    await known(*given)
worker.record_deeds, worker.HEARD = curious, ["message.received"]
"""
AFTERWARDS = """
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.ids import new_id
begin, end, late = Ledger.begin, Ledger.end, {}
async def begin_nothing(ledger, entry):
    row_id = new_id()
    late[row_id] = entry
    return row_id
async def end_all(ledger, account_id, row_id, *how):
    await end(ledger, account_id, await begin(ledger, late[row_id]), *how)
Ledger.begin, Ledger.end = begin_nothing, end_all
"""
WORDS = ["apricots are here", "ü — ß"]
# What is in the bytes by these words, and what a row says then.
SAYS = {"apricots": {"message", "words"}, "mail.example": {"e-mail address"}}
writers = st.sampled_from(["Frida <frida@mail.example>", "Karl <karl@mail.example>"])
words = st.sampled_from(WORDS)
_STATES = "select id, outcome from tenant.ledger union all select id, outcome from work.house_ledger"
_OF_HOUSE = "select id, at, 'http', recipient, basis, instruction, fields, outcome, '' from work.house_ledger"


@dataclass
class Books:
    """What left, as both sides tell it: those outside, and the ledgers, opened with their keys."""

    website: Website

    def rows(self) -> list[Left]:
        """Every row of every ledger, the earliest first."""
        return sorted(asyncio.run(self._opened()), key=lambda one: one.at)

    async def _opened(self) -> list[Left]:
        above = self.website.above
        found = [Left(*row) for row in above.execute(_OF_HOUSE).fetchall()]
        async with installation(self.website.house) as inst:
            for (account_id,) in above.execute("select distinct account_id from tenant.ledger").fetchall():
                ask = f"select {COLUMNS} from ledger where account_id = %s"
                [rows] = await inst.db.run(account_id, (ask, [account_id]))
                found += await open_rows(inst, account_id, rows)
        return found

    def need_closed(self) -> None:
        """Raises AssertionError unless each connection has a row of its own that was there before, and each row a connection."""
        arrived, rows = list(self.website.outside.arrived), self.rows()
        for one in arrived:
            own = next((row for row in rows if _is_of(row, one)), None)
            assert own, f"{one.where} {one.to} {one.raw[:60]!r}: no row was there before"
            _need_said(own, one)
            rows.remove(own)
        left = [row for row in rows if row.outcome != "withheld"]
        assert not left, f"rows without a connection: {left}"
        domains = set(self.website.outside.asked)
        assert domains <= {"mail.example", "_dmarc.mail.example"}, f"name servers were asked for {domains}"


def _is_of(row: Left, one: Arrival) -> bool:
    """Whether a row may be of a connection: it was on its way when that was opened, to whoever opened it."""
    return one.known.get(row.id) == "begun" and row.at <= one.at and row.recipient == one.to


def _need_said(row: Left, one: Arrival) -> None:
    """Raises AssertionError when a row does not say why something left, or what it was."""
    at_night = one.raw.startswith(b"POST /mp/collect")
    basis = "service" if one.where == "mail" else "subprocessor" if at_night else "integration"
    assert row.basis == basis and row.instruction and row.fields, row
    for mark, says in SAYS.items():
        if mark.encode() in one.raw:
            assert says & set(row.fields), f"{mark} left, and the row says {row.fields}"


class Leaving(RuleBasedStateMachine):
    """One story, in which things leave."""

    fresh: Callable[[], Business]
    books: Books
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.business, self.outside = self.fresh(), self.books.website.outside
        self.wrote: set[str] = set()
        connect(self.business, self.outside)

    @initialize()
    def everything_happens_once(self) -> None:
        frida = "Frida <frida@mail.example>"
        self.a_letter_arrives(frida, WORDS[0])
        self.a_visitor_writes(WORDS[0])
        self.ada_answers(frida, WORDS[0])
        self.ada_forgot_her_password()
        self.ada_invites_somebody()
        self.ada_connects_the_companys_sign_in()
        self.a_night_goes_by()

    @rule(who=writers, words=words)
    def a_letter_arrives(self, who: str, words: str) -> None:
        self._then("web", lambda: self.business.letter(who, words, next(self.numbers)))
        self.wrote.add(who)

    @rule(words=words)
    def a_visitor_writes(self, words: str) -> None:
        self._then("web", lambda: self.business.chat("frida@mail.example", words))

    @rule(who=writers, words=words)
    def ada_answers(self, who: str, words: str) -> None:
        if who in self.wrote:
            self._then("mail", lambda: self.business.work("reply", words, 0, who))

    @rule()
    def ada_forgot_her_password(self) -> None:
        form = {"email": self.business.owner}
        self._then("mail", lambda: self.business.client.post("/reset", data=form))

    @rule()
    def ada_invites_somebody(self) -> None:
        form = {"do": "invite", "email": f"bea{next(self.numbers)}@pottery.example", "role": "staff"}
        self._then("mail", lambda: self.business.client.post("/settings/people", data=form))

    @rule()
    def ada_connects_the_companys_sign_in(self) -> None:
        named = {"issuer": self.outside.web, "client_id": "us", "secret": "s3cret"}
        form = {"do": "oidc", "proof": PASSWORD} | named
        self._then("web", lambda: self.business.client.post("/settings/single-sign-on", data=form), times=2)

    @rule()
    def a_night_goes_by(self) -> None:
        website = self.books.website
        website.above.execute("truncate watch.relayed_day, watch.visit")
        website.visit("a stranger", "/", [("user-agent", "Firefox")], LEAST)
        self._then("web", website.pass_on)

    def _then(self, where: str, do: Callable[[], Any], times: int = 1) -> None:
        """Does something, upon which somebody outside hears of it."""
        before = len(self.outside.at(where))
        do()
        wait_until(lambda: len(self.outside.at(where)) >= before + times)

    def teardown(self) -> None:
        wait_until(lambda: self.books.website.above.execute("select count(*) from outbox").fetchone() == (0,))
        before_long(self.books.need_closed)
        self.business.client.close()


def before_long(need: Callable[[], None]) -> None:
    """What left a moment ago may still be on its way: raises what is not so a few seconds later either."""
    for _ in range(20):
        with suppress(AssertionError):
            need()
            return
        time.sleep(0.2)
    need()


def connect(business: Business, outside: Outside) -> None:
    """The owner connects a program that hears what customers write."""
    form = {
        "do": "connect-out", "name": "Shop", "target": f"{outside.web}/hear", "event-message.received": "on",
        "field-customer_address": "on", "field-words": "on", "proof": PASSWORD,
    }  # fmt: skip
    answer = business.client.post("/settings/connections", data=form)
    assert "whsec_" in answer.text, answer.text


@pytest.fixture(scope="module")
def books(new_house: Callable[..., House]) -> Iterator[Books]:
    """An installation whose ledgers are looked into whenever something comes out of it."""
    with opened(new_house, inside_targets="yes") as website, website.house.above() as looking:
        lock = threading.Lock()

        def look() -> dict[UUID, str]:
            with lock:
                return dict(looking.execute(_STATES).fetchall())

        website.outside.look = look
        yield Books(website)


async def live(books: Books, stories: int, steps: int) -> None:
    """So many stories."""
    businesses = await open_businesses(books.website.house, ["Pottery"] * enough(stories))
    Leaving.books, Leaving.fresh = books, staticmethod(businesses.pop)  # type: ignore[method-assign]
    await aside(run_state_machine_as_test, Leaving, settings=how(stories, steps))


async def test_each_connection_has_its_row_before_and_each_row_its_connection(books: Books) -> None:
    await live(books, 2, 7)


@pytest.mark.long
async def test_in_twenty_long_stories_nothing_leaves_without_its_row(books: Books) -> None:
    await live(books, 20, 30)


async def test_who_is_killed_while_something_leaves_has_written_it_down(books: Books) -> None:
    outside, house = books.website.outside, books.website.house
    [business] = await open_businesses(house, ["Pottery"])
    await aside(connect, business, outside)
    before = len(outside.arrived)
    outside.holding.set()
    await aside(business.chat, "frida@mail.example", WORDS[0])
    await aside(wait_until, lambda: len(outside.arrived) > before and b"apricots" in outside.arrived[-1].raw)
    house.kill()
    outside.holding.clear()
    outside.let_go.set()
    house.start()
    await aside(books.need_closed)
    page = business.client.get("/settings/ledger").text
    assert outside.web in page and "on its way, or broken off" in page


@pytest.mark.parametrize(("way", "broken"), [("beside the gates", BESIDE), ("before its row", AFTERWARDS)])
async def test_what_leaves_otherwise_would_be_noticed(books: Books, way: str, broken: str) -> None:
    """The breaking cases."""
    outside, house = books.website.outside, books.website.house
    house.start_anew(HURRIED + broken.replace("{port}", outside.smtp.rsplit(":", 1)[1]))
    [business] = await open_businesses(house, ["Pottery"])
    await aside(connect, business, outside)
    where = "mail" if way == "beside the gates" else "web"
    before, until_now = len(outside.arrived), len(outside.at(where))
    await aside(business.chat, "frida@mail.example", WORDS[0])
    await aside(wait_until, lambda: len(outside.at(where)) > until_now)
    with pytest.raises(AssertionError, match="no row was there before"):
        await aside(books.need_closed)
    del outside.arrived[before:]
