"""Planes apart (clauses C12, C15, C17): who somebody is on the network, and with what device, leaves no trace outside the
security log. One run alone cannot show it: it is a property of pairs of runs.

The same things are done twice: by the same people, from other addresses and devices. Afterwards the rows of accounts, staff and
customers must be alike, and the website's counters equal. Alike: what is drawn at random (ids, sealed bytes, times) differs
between any two runs, so of it only its length is compared, and how often the same value stands in a column, because a hash
of an address would repeat where the address does. Two columns are let off, by name: the sealed address of a sign-up, and the
sealed words of a session's browser that its owner reads in their list of sessions.
"""

import hmac
import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql
from starlette.types import Receive, Scope, Send

from chatinbox.accounts import people, sessions
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App
from chatinbox.channels.chat.channel import open_channel
from chatinbox.conftest import OPERATOR, PASSWORD, People
from chatinbox.core import plain_letter
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.watch.sketch import DaySketch
from chatinbox.watch.visits import Visits
from chatinbox.web import forms

Deed: TypeAlias = Literal["look", "sign up", "sign in", "wrong password", "chat", "answer", "settings"]
DEEDS: tuple[Deed, ...] = ("look", "sign up", "sign in", "wrong password", "chat", "answer", "settings")
ACTORS = 3
LET_OFF = {("tenant.sign_up_origin", "ip_sealed"), ("directory.session", "device_sealed")}


@dataclass(frozen=True)
class Place:
    """Where a request comes from, and what its device says."""

    address: str
    device: str


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


@pytest.fixture
async def above(above_all: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A connection that sees everything."""
    async with await psycopg.AsyncConnection.connect(above_all, autocommit=True) as conn:
        yield conn


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked to wait, what is done afterwards begins at once, and the names of letters are of one length."""
    monkeypatch.setattr(plain_letter, "make_msgid", lambda domain: f"<{new_id()}@{domain}>")
    monkeypatch.setattr(forms, "by_name", Throttle(10_000, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(10_000, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)


Around: TypeAlias = Callable[[App, Scope, Receive, Send], Awaitable[None]]


class Stage:
    """An application with its website, on which a script is played."""

    def __init__(
        self, inst: Installation, above: psycopg.AsyncConnection[Any], around: Around | None = None
    ) -> None:
        self.inst = replace(inst, settings=replace(inst.settings, website=True, **OPERATOR))
        self.above, self._around, self._app = above, around, App(self.inst)

    async def play(self, script: Script, places: list[Place]) -> tuple[Counter[Any], list[Any]]:
        """Plays it by fresh people, each deed from its place. What was added to planes T and U, and the whole of A."""
        staff = await People(self.inst).owner("Ada", f"Tea {new_id().hex[-12:]}")
        email = (await people.read_person(self.inst, staff.person_id)).email
        _, key = await open_channel(self.inst, staff.account_id, "Tea", {})
        self._staff, self._email, self._key = staff, email, key
        self._session = await sessions.start(self.inst, staff, "tests")
        self._visitors: dict[int, str] = {}
        await self.above.execute("truncate watch.visit, watch.visitors")
        self._app.visits._sketch, self._app.visits._told = DaySketch(now().date()), 0
        before = await self._rows()
        for (deed, actor), place in zip(script, places, strict=True):
            await self._do(deed, actor, place)
        await self._app.visits.write(self.inst.db)
        after = await self._rows()
        return alike(after - before), await self._counters()

    async def _do(self, deed: Deed, actor: int, place: Place) -> None:
        async with AsyncExitStack() as opened:
            browser = await opened.enter_async_context(self._browser(place))
            match deed:
                case "look":
                    assert (await browser.get("/")).status_code == 200
                case "sign up":
                    form = {
                        "name": "Frida Berg",
                        "email": f"p{new_id().hex[-12:]}@mail.example",
                        "company": f"Berg {new_id().hex[-12:]}",
                    }
                    answer = await browser.post(
                        "/sign-up", data=form | {"password": "four words marching backwards"}
                    )
                    assert answer.status_code == 200
                case "sign in" | "wrong password":
                    form = {
                        "email": self._email,
                        "password": PASSWORD if deed == "sign in" else "not this one, no",
                    }
                    answer = await browser.post("/sign-in", data=form)
                    assert answer.status_code == (303 if deed == "sign in" else 422)
                case "chat":
                    await self._chat(browser, actor)
                case "answer":
                    await self._answer(browser, actor)
                case "settings":
                    browser.cookies.set("session", self._session)
                    assert (await browser.get("/settings/sessions")).status_code == 200
            await forms.settle()

    async def _chat(self, browser: httpx.AsyncClient, actor: int) -> None:
        token = self._visitors.get(actor)
        answer = await browser.post(
            f"/chat/{self._key}/messages",
            json={"id": str(new_id()), "text": f"Where is my order? {actor}"},
            headers={"authorization": f"Bearer {token}"} if token else {},
        )
        assert answer.status_code == 201, answer.text
        self._visitors[actor] = answer.json().get("token", token)

    async def _answer(self, browser: httpx.AsyncClient, actor: int) -> None:
        """Staff answer the newest conversation, where there is one."""
        browser.cookies.set("session", self._session)
        listed = (await browser.get("/api/list?view=todo")).json()
        rows = listed.get("rows", [])
        if rows:
            said = {"id": str(new_id()), "text": f"It left today. {actor}", "seen": 10_000}
            answer = await browser.post(f"/api/conversations/{rows[0]['id']}/messages", json=said)
            assert answer.status_code == 201, answer.text

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

    async def _rows(self) -> Counter[tuple[str, str]]:
        """Every row outside planes S and A, as text."""
        ask = (
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in"
            " ('information_schema', 'seclog', 'watch', 'migration', 'ctx')"
        )
        found: Counter[tuple[str, str]] = Counter()
        for schema, table in await (await self.above.execute(ask)).fetchall():
            every = sql.SQL("select to_jsonb(t)::text from {} t").format(sql.Identifier(schema, table))
            found.update(
                (f"{schema}.{table}", row) for (row,) in await (await self.above.execute(every)).fetchall()
            )
        return found

    async def _counters(self) -> list[Any]:
        cells = await (await self.above.execute("select * from watch.visit order by 1, 2, 3, 4")).fetchall()
        return [cells, await (await self.above.execute("select * from watch.visitors")).fetchall()]


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00)?")
_BYTES = re.compile(r"\\x([0-9a-f]*)")
_RANDOM = {("directory.chat_key", "key")}  # neither an id nor bytes, and drawn at random all the same
_COUNTED_ON = {
    "id",
    "number",
    "job_id",
    "outbox_id",
}  # whole numbers that the installation counts on, whoever comes


def alike(rows: Counter[tuple[str, str]]) -> Counter[Any]:
    """Rows without what is drawn at random, and, a column, how often each value stands in it."""
    seen: Counter[Any] = Counter()
    repeated: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (table, text), times in rows.items():
        row = json.loads(text)
        kept = {name: value for name, value in row.items() if (table, name) not in LET_OFF}
        seen[table, tuple((name, _drawn(table, name, value)) for name, value in sorted(kept.items()))] += (
            times
        )
        for name, value in kept.items():
            repeated[table, name][str(value)] += times
    for (table, name), values in repeated.items():
        if not any(_TIME.fullmatch(value) for value in values):
            seen["how often", table, name, tuple(sorted(values.values()))] += 1
    return seen


def _drawn(table: str, name: str, value: Any) -> str:
    if name in _COUNTED_ON and isinstance(value, int):
        return "a number"
    if (table, name) in _RANDOM:
        return f"{len(value)} signs"
    text = _TIME.sub("a time", _ID.sub("an id", str(value)))
    return _BYTES.sub(lambda found: f"{len(found[1]) // 2} bytes", text)


def told(one: Counter[Any], other: Counter[Any]) -> str:
    """What differs, for who reads a failure."""
    return "\n".join(map(str, [*(one - other), "against", *(other - one)]))


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
    inst: Installation, above: psycopg.AsyncConnection[Any], script: Script, data: st.DataObject
) -> None:
    await _from_anywhere(inst, above, script, data)


@pytest.mark.long
@MANY
@given(SCRIPTS, st.data())
async def test_accounts_staff_and_customers_are_the_same_from_wherever_it_is_done_tried_for_long(
    inst: Installation, above: psycopg.AsyncConnection[Any], script: Script, data: st.DataObject
) -> None:
    await _from_anywhere(inst, above, script, data)


async def _from_anywhere(
    inst: Installation, above: psycopg.AsyncConnection[Any], script: Script, data: st.DataObject
) -> None:
    anywhere = st.lists(st.sampled_from(PLACES), min_size=len(script), max_size=len(script))
    await unmoved(Stage(inst, above), script, data.draw(anywhere), data.draw(anywhere))


async def test_nothing_of_all_that_can_be_done_tells_from_where(
    inst: Installation, above: psycopg.AsyncConnection[Any]
) -> None:
    await unmoved(Stage(inst, above), EVERYTHING, AT_HOME, ALL_FROM_ONE)


@pytest.mark.parametrize("places", [(1, 2, 0), (2, 1, 0), (0, 2, 1)])
async def test_the_websites_counters_are_the_same_whoever_was_who(
    inst: Installation, above: psycopg.AsyncConnection[Any], places: tuple[int, ...]
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
    inst: Installation, above: psycopg.AsyncConnection[Any], kept: str, as_: Callable[[Place], str | bytes]
) -> None:
    """The breaking case of the test above."""
    kind = sql.SQL("bytea" if kept != "the address" else "text")
    await above.execute(sql.SQL("create table public.kept (place {})").format(kind))

    async def keeping(app: App, scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        if scope["path"] == "/sign-in":
            device = dict(scope["headers"])[b"user-agent"].decode()
            await above.execute(
                "insert into public.kept values (%s)", [as_(Place(scope["client"][0], device))]
            )

    try:
        with pytest.raises(pytest.fail.Exception, match=r"public\.kept"):
            await unmoved(Stage(inst, above, keeping), EVERYTHING, AT_HOME, ALL_FROM_ONE)
    finally:
        await above.execute("drop table public.kept")


def keyed(address: str) -> bytes:
    return hmac.digest(b"a secret key", address.encode(), "sha256")


async def test_the_comparison_finds_counters_by_where_somebody_is(
    inst: Installation, above: psycopg.AsyncConnection[Any], monkeypatch: pytest.MonkeyPatch
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
