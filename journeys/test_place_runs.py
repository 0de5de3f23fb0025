"""Two runs of one story over served ports, lived from other places (H3).

The same people do the same things at two installations, but in one of them each from where in the other somebody else is, with that
one's device; or all from one place. What stands of accounts, staff and customers is alike, and the website's counters are equal.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeAlias

import httpx
import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chatinbox.app.tests import apart
from chatinbox.app.tests.apart import Place
from chatinbox.app.tests.deeds import DEEDS, Deed, Deeds
from chatinbox.core.ids import new_id
from chatinbox.core.settings import Settings
from journeys.business import Business, open_businesses
from journeys.conftest import PASSWORD, House, aside
from journeys.runs import alike, enough, how, wait_until
from promises.p2_09_it_goes_to_nobody import look_that_no_role_reads_both
from promises.stage import OPERATOR, Here

# What is done a while later is done at once, nobody is asked to wait, no two visitors are taken for one, and no minute that
# strikes in between makes one of two runs longer.
EVEN = """
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.jobs import Jobs
from chatinbox.watch import sketch, visits
from chatinbox.web import forms
visits.WRITE_SECONDS, forms.LATER_SECONDS, sketch.BITS = 0.1, 0, 1 << 26
forms.by_place = forms.by_name = Throttle(10_000, 600)
Jobs._round = lambda *_: None
"""
KEEPING = f"""{EVEN}
from chatinbox.app.wiring import App
known = App.__call__
async def keeping(app, scope, receive, send):
    await known(app, scope, receive, send)
    if scope["path"] == "/sign-in":
        await app._inst.db.directory("insert into public.kept values (%s)", [scope["client"][0]])
App.__call__ = keeping
"""
# Computers all, for the kind of a device is counted.
PLACES = (
    Place("127.0.0.2", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"),
    Place("127.20.117.203", "Mozilla/5.0 (Windows NT 10.0) Chrome/149.0 Safari/537.36 Edg/149.0"),
    Place("127.3.44.5", "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/26.0 Safari/605"),
)
Moved: TypeAlias = tuple[int, ...]
AT_HOME, ALL_FROM_ONE = (0, 1, 2), (0, 0, 0)
actors = st.integers(0, len(PLACES) - 1)
moves = st.sampled_from([*itertools.permutations(AT_HOME), ALL_FROM_ONE])
writers = st.sampled_from(["Frida <frida@mail.example>", "Karl <karl@mail.example>"])


class Run:
    """A business that was just opened, in one of the installations, and where its people are."""

    numbers = itertools.count(1_000)

    def __init__(self, business: Business, above: psycopg.Connection, places: Moved, number: int) -> None:
        self.business, self.above, self.places, self.number = business, above, places, number
        session = business.client.cookies["session"]
        self.deeds = Deeds(self._browse, business.owner, PASSWORD, business.key, session)
        self.looks = 0
        above.execute("truncate watch.visit, watch.visitors")
        self.before = apart.rows(above)

    def do(self, deed: Deed, actor: int) -> None:
        """Somebody does something from where they are; what it leads to is done when this returns."""
        self.looks += deed == "look"
        asyncio.run(self.deeds.do(deed, actor, self._place(actor)))
        wait_until(self.is_still)

    def write(self, who: str, actor: int) -> None:
        """Somebody sends a letter from where they are; it has come when this returns."""
        source, named = self._place(actor).address, f"<{new_id()}@mail.example>"
        to = self.business.address
        self.business.house.send_mail(who, to, "Order 7", "Where is it?", source=source, message_id=named)
        ask = "select count(*) from tenant.raw_mail where account_id = %s and placed_at is null and held_at is null"
        wait_until(lambda: self.above.execute(ask, [self.business.account_id]).fetchone() == (0,))
        wait_until(self.is_still)

    def told(self) -> list[str]:
        """What was added to accounts, staff and customers."""
        added = apart.alike(apart.rows(self.above) - self.before)
        return sorted(f"{times} {row}" for row, times in added.items())

    def counted(self) -> list[str]:
        """All that the website counted: visits, and visitors."""
        return [str(one) for one in apart.counters(self.above)]

    def is_counted(self) -> bool:
        """Whether every look of until now is in the counters."""
        ask = "select coalesce(sum(visit_count), 0) from watch.visit"
        return self.above.execute(ask).fetchone() == (self.looks,)

    def is_still(self) -> bool:
        """Whether nothing is being done behind the scenes: what is next comes after it in both."""
        ask = (
            "select not exists (select from work.outbox) and not exists (select from work.procrastinate_jobs"
            " where status = 'doing' or status = 'todo' and coalesce(scheduled_at, now()) <= now())"
        )
        return self.above.execute(ask).fetchone() == (True,)

    def _place(self, actor: int) -> Place:
        where = PLACES[self.places[actor]]
        return Place(where.address, f"{where.device} Run/{self.number}")  # nobody was here before

    def _browse(self, place: Place) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(local_address=place.address),
            base_url=self.business.house.url,
            headers={"user-agent": place.device, "x-chatinbox": "1"},
            timeout=20,
        )


class Places(RuleBasedStateMachine):
    """One story in both: at home, and from elsewhere."""

    fresh: Callable[[Moved], tuple[Run, Run]]

    @initialize(moved=moves)
    def everybody_goes_somewhere(self, moved: Moved) -> None:
        self.runs = self.fresh(moved)

    @rule(deed=st.sampled_from(DEEDS), actor=actors)
    def somebody_does_something(self, deed: Deed, actor: int) -> None:
        for one in self.runs:
            one.do(deed, actor)

    @rule(who=writers, actor=actors)
    def somebody_sends_a_letter(self, who: str, actor: int) -> None:
        for one in self.runs:
            one.write(who, actor)

    def teardown(self) -> None:
        if not hasattr(self, "runs"):
            return
        for one in self.runs:
            wait_until(one.is_counted)
            need_the_log_apart(one.above)
        need_alike(*self.runs)


def need_alike(home: Run, away: Run) -> None:
    """Raises AssertionError when it can be told who was where."""
    alike(lambda: [home.told(), away.told()])
    # From one place they are fewer, as far as anybody can see.
    all_that = slice(None) if sorted(away.places) == sorted(home.places) else slice(1)
    alike(lambda: [home.counted()[all_that], away.counted()[all_that]])


def need_the_log_apart(above: psycopg.Connection) -> None:
    """Raises AssertionError when some role can read the security log and anything else."""
    unused: Any = None
    look_that_no_role_reads_both(Here(settings=Settings(), vault=unused, above=above))


Served: TypeAlias = tuple[House, psycopg.Connection]


@pytest.fixture(scope="module")
def houses(new_house: Callable[..., House]) -> Iterator[tuple[Served, Served]]:
    """Two installations with their websites, and who sees everything in each."""
    with ExitStack() as open_:
        opened = []
        for _ in range(2):
            house = new_house(EVEN, resolver="off", **OPERATOR)
            above = open_.enter_context(house.above())
            opened.append((house, above))
        yield opened[0], opened[1]


async def live(houses: tuple[Served, Served], stories: int, steps: int) -> None:
    """So many stories."""
    (here, mine), (there, theirs) = houses
    ours = await open_businesses(here, ["Pottery"] * enough(stories))
    others = await open_businesses(there, ["Pottery"] * enough(stories))

    def fresh(moved: Moved) -> tuple[Run, Run]:
        number = next(Run.numbers)
        return Run(ours.pop(), mine, AT_HOME, number), Run(others.pop(), theirs, moved, number)

    Places.fresh = staticmethod(fresh)  # type: ignore[method-assign]
    await aside(run_state_machine_as_test, Places, settings=how(stories, steps))


async def test_what_stands_of_people_is_the_same_from_wherever_they_come(
    houses: tuple[Served, Served],
) -> None:
    await live(houses, 3, 10)


@pytest.mark.long
async def test_in_twenty_long_stories_it_is_the_same_too(houses: tuple[Served, Served]) -> None:
    await live(houses, 20, 30)


async def test_all_that_can_be_done_leaves_the_same_from_one_place_as_from_three(
    houses: tuple[Served, Served],
) -> None:
    runs = [
        Run((await open_businesses(house, ["Pottery"]))[0], above, places, next(Run.numbers))
        for (house, above), places in zip(houses, (AT_HOME, ALL_FROM_ONE), strict=True)
    ]
    for one in runs:
        await aside(everything, one)
    await aside(need_alike, *runs)


def everything(run: Run) -> None:
    """Everybody does everything."""
    for deed, actor in itertools.product(DEEDS, range(len(PLACES))):
        run.do(deed, actor)
    run.write("Frida <frida@mail.example>", 1)


async def test_a_sign_in_that_keeps_the_address_would_be_noticed(houses: tuple[Served, Served]) -> None:
    """The breaking case, in one installation that is lived in twice."""
    house, above = houses[0]
    house.start_anew(KEEPING)
    above.execute("create table public.kept (address text)")
    above.execute(
        "grant usage on schema public to chatinbox_app; grant insert on public.kept to chatinbox_app"
    )
    told = []
    for places in (AT_HOME, ALL_FROM_ONE):
        [business] = await open_businesses(house, ["Pottery"])
        run = Run(business, above, places, next(Run.numbers))
        for actor in range(len(PLACES)):
            await aside(run.do, "sign in", actor)
        kept = "select count(*) = 3 * %s from public.kept"
        await aside(wait_until, lambda: above.execute(kept, [len(told) + 1]).fetchone() == (True,))  # noqa: B023
        told.append([one for one in run.told() if "public.kept" in one])
    assert told[0] and told[0] != told[1]


async def test_a_role_that_reads_the_log_and_customers_would_be_noticed(
    houses: tuple[Served, Served],
) -> None:
    """The other breaking case."""
    _, above = houses[1]
    above.execute("grant select on tenant.customer to chatinbox_security_reader")
    with pytest.raises(AssertionError, match=r"reads tenant\.customer"):
        need_the_log_apart(above)
