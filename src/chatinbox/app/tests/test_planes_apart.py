"""Planes apart (clauses C12, C15, C17): who somebody is on the network, and with what device, leaves no trace outside the
security log. One run alone cannot show it: it is a property of pairs of runs.

The same things are done twice: by the same people, from other addresses and devices. Afterwards the rows of accounts, staff and
customers must be alike (`apart.py`), and the website's counters equal.
"""

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql
from starlette.types import Receive, Scope, Send

from chatinbox.accounts import people, sessions
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.tests import apart
from chatinbox.app.tests.apart import Place, alike, told
from chatinbox.app.tests.deeds import DEEDS, Deed, Deeds
from chatinbox.app.wiring import App
from chatinbox.channels.chat.channel import open_channel
from chatinbox.conftest import OPERATOR, PASSWORD, People
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.watch.sketch import DaySketch
from chatinbox.watch.visits import Visits
from chatinbox.web import forms

ACTORS = 3
# Of several lengths, so that a sealed one would be told by its length; computers all, for the kind of a device is counted.
PLACES = (
    Place("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"),
    Place("203.0.113.117", "Mozilla/5.0 (Windows NT 10.0) Chrome/149.0 Safari/537.36 Edg/149.0"),
    Place("2001:db8:77:1::abcd", "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/26.0 Safari/605"),
)
Script: TypeAlias = list[tuple[Deed, int]]
SCRIPTS = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, ACTORS - 1)), min_size=3, max_size=9)
# A failure says what differs, so none is made smaller: that would take minutes.
FEW = settings(max_examples=5, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
MANY = settings(FEW, max_examples=150)
EVERYTHING: Script = [(deed, actor) for deed in DEEDS for actor in range(ACTORS)]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked to wait, and what is done afterwards begins at once."""
    monkeypatch.setattr(forms, "by_name", Throttle(10_000, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(10_000, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)


Around: TypeAlias = Callable[[App, Scope, Receive, Send], Awaitable[None]]


class Stage:
    """An application with its website, on which a script is played."""

    def __init__(self, inst: Installation, above: psycopg.Connection, around: Around | None = None) -> None:
        self.inst = replace(inst, settings=replace(inst.settings, website=True, **OPERATOR))
        self.above, self._around, self._app = above, around, App(self.inst)

    async def play(self, script: Script, places: list[Place]) -> tuple[Counter[Any], list[Any]]:
        """Plays it by fresh people, each deed from its place. What was added to planes T and U, and the whole of A."""
        staff = await People(self.inst).owner("Ada", f"Tea {new_id().hex[-12:]}")
        email = (await people.read_person(self.inst, staff.person_id)).email
        _, key = await open_channel(self.inst, staff.account_id, "Tea", {})
        session = await sessions.start(self.inst, staff, "tests")
        deeds = Deeds(self._browser, email, PASSWORD, key, session)
        self.above.execute("truncate watch.visit, watch.visitors")
        self._app.visits._sketch, self._app.visits._told = DaySketch(now().date()), 0
        before = apart.rows(self.above)
        for (deed, actor), place in zip(script, places, strict=True):
            await deeds.do(deed, actor, place)
            await forms.settle()
        await self._app.visits.write(self.inst.db)
        return alike(apart.rows(self.above) - before), apart.counters(self.above)

    def _browser(self, place: Place) -> httpx.AsyncClient:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await (
                self._around(self._app, scope, receive, send)
                if self._around
                else self._app(scope, receive, send)
            )

        headers = {"user-agent": place.device, "x-chatinbox": "1"}
        transport = httpx.ASGITransport(app, client=(place.address, 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


async def unmoved(stage: Stage, script: Script, here: list[Place], there: list[Place]) -> None:
    """Raises when it can be told from accounts, staff or customers from where it was done."""
    (one, _), (other, _) = await stage.play(script, here), await stage.play(script, there)
    if one != other:
        pytest.fail(told(one, other))


AT_HOME = [PLACES[actor] for _, actor in EVERYTHING]
ALL_FROM_ONE = [PLACES[0] for _ in EVERYTHING]


@FEW
@given(SCRIPTS, st.data())
async def test_accounts_staff_and_customers_are_the_same_from_wherever_it_is_done(
    inst: Installation, above: psycopg.Connection, script: Script, data: st.DataObject
) -> None:
    await _from_anywhere(inst, above, script, data)


@pytest.mark.long
@MANY
@given(SCRIPTS, st.data())
async def test_accounts_staff_and_customers_are_the_same_from_wherever_it_is_done_tried_for_long(
    inst: Installation, above: psycopg.Connection, script: Script, data: st.DataObject
) -> None:
    await _from_anywhere(inst, above, script, data)


async def _from_anywhere(
    inst: Installation, above: psycopg.Connection, script: Script, data: st.DataObject
) -> None:
    anywhere = st.lists(st.sampled_from(PLACES), min_size=len(script), max_size=len(script))
    await unmoved(Stage(inst, above), script, data.draw(anywhere), data.draw(anywhere))


async def test_nothing_of_all_that_can_be_done_tells_from_where(
    inst: Installation, above: psycopg.Connection
) -> None:
    await unmoved(Stage(inst, above), EVERYTHING, AT_HOME, ALL_FROM_ONE)


@pytest.mark.parametrize("places", [(1, 2, 0), (2, 1, 0), (0, 2, 1)])
async def test_the_websites_counters_are_the_same_whoever_was_who(
    inst: Installation, above: psycopg.Connection, places: tuple[int, ...]
) -> None:
    stage = Stage(inst, above)
    moved = [PLACES[places[actor]] for _, actor in EVERYTHING]
    one, other = (await stage.play(EVERYTHING, AT_HOME))[1], (await stage.play(EVERYTHING, moved))[1]
    assert one == other and sum(cell[-1] for cell in one[0]) == ACTORS


@pytest.mark.parametrize(
    ("kept", "as_"),
    [
        ("the address", lambda place: place.address),
        ("a hash of the address under a secret key", lambda place: keyed(place.address)),
        (
            "the device, sealed anew each time",
            lambda place: bytes(12) + new_id().bytes + place.device.encode(),
        ),
    ],
)
async def test_the_comparison_finds_what_a_sign_in_keeps(
    inst: Installation, above: psycopg.Connection, kept: str, as_: Callable[[Place], str | bytes]
) -> None:
    """The breaking case of the test above."""
    kind = sql.SQL("bytea" if kept != "the address" else "text")
    above.execute(sql.SQL("create table public.kept (place {})").format(kind))

    async def keeping(app: App, scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        if scope["path"] == "/sign-in":
            device = dict(scope["headers"])[b"user-agent"].decode()
            above.execute("insert into public.kept values (%s)", [as_(Place(scope["client"][0], device))])

    try:
        with pytest.raises(pytest.fail.Exception, match=r"public\.kept"):
            await unmoved(Stage(inst, above, keeping), EVERYTHING, AT_HOME, ALL_FROM_ONE)
    finally:
        above.execute("drop table public.kept")


def keyed(address: str) -> bytes:
    return hmac.digest(b"a secret key", address.encode(), "sha256")


async def test_the_comparison_finds_counters_by_where_somebody_is(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breaking case for the website: a count by country, taken from the address."""
    stage, count = Stage(inst, above), Visits.count

    def by_country(visits: Visits, route: str, *more: Any, **signal: Any) -> None:
        count(visits, f"{route} {more[-1][:3]}", *more, **signal)

    monkeypatch.setattr(Visits, "count", by_country)
    script: Script = [("look", 0), ("look", 0), ("look", 1)]
    one = await stage.play(script, [PLACES[0], PLACES[0], PLACES[1]])
    other = await stage.play(script, [PLACES[1], PLACES[1], PLACES[0]])
    assert one[1] != other[1]
