"""Plane A: counters that nobody is in (clauses C07 to C11, C17), against the real database."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatinbox.core import clock
from chatinbox.core.installation import Installation
from chatinbox.watch import visits as counted
from chatinbox.watch.shown import LEAST, read_summary, shown
from chatinbox.watch.sketch import DaySketch
from chatinbox.watch.visit import cell_of, device_class, referrer_domain
from chatinbox.watch.visits import MOST_REFERRERS, Visits

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Mobile/15E148"
COMPUTER = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
CANARY = "canary-7f3a"


@dataclass(frozen=True)
class Visit:
    route: str
    user_agent: str
    referer: str
    signal: bool = False


@pytest.fixture
async def fresh(inst: Installation, admin: psycopg.AsyncConnection) -> Installation:
    await admin.execute("truncate watch.visit, watch.visitors")
    return inst


@pytest.fixture
async def admin(above_all: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """The owner of the cluster, who sees what the app cannot."""
    async with await psycopg.AsyncConnection.connect(above_all, autocommit=True) as conn:
        yield conn


async def stored(admin: psycopg.AsyncConnection) -> list[Any]:
    """Everything of plane A that the database holds, in the order it lies there."""
    cells = await (await admin.execute("select * from watch.visit order by ctid")).fetchall()
    days = await (await admin.execute("select * from watch.visitors order by ctid")).fetchall()
    return [cells, days]


async def play(inst: Installation, visits: list[Visit], places: list[str]) -> None:
    one = Visits()
    for visit, place in zip(visits, places, strict=True):
        one.count(visit.route, visit.user_agent, visit.referer, "own.example", place, signal=visit.signal)
    await one.write(inst.db)


VISIT = st.builds(
    Visit,
    st.sampled_from(["/", "/product", "/contact"]),
    st.sampled_from([PHONE, COMPUTER]),
    st.sampled_from(["", "https://search.example/?q=words", "https://news.example/a/b"]),
    st.booleans(),
)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(VISIT, min_size=1, max_size=25), st.randoms(use_true_random=False))
async def test_the_same_visits_in_any_order_from_anybody_give_the_same_database(
    fresh: Installation, admin: psycopg.AsyncConnection, visits: list[Visit], chance: random.Random
) -> None:
    """The breaking case: a stored hash of address and browser would change with who came."""
    await admin.execute("truncate watch.visit, watch.visitors")
    await play(fresh, visits, [f"10.0.{n}.0/24" for n in range(len(visits))])
    [cells, _] = await stored(admin)
    await admin.execute("truncate watch.visit, watch.visitors")
    mixed = chance.sample(visits, len(visits))
    await play(fresh, mixed, [f"192.168.{n}.0/24" for n in range(len(visits))])
    assert (await stored(admin))[0] == cells


async def test_other_people_in_the_same_number_give_the_same_number_of_visitors(
    fresh: Installation, admin: psycopg.AsyncConnection
) -> None:
    """Every place exchanged for another one, as in the plane's separation (C17): nothing is different."""
    visits = [Visit("/", COMPUTER, "")] * 12
    one = Visits()
    two = Visits()
    for n, visit in enumerate(visits):
        for counts, name in ((one, "a"), (two, "b")):
            counts.count(visit.route, visit.user_agent, "", "own.example", f"{name}{n % 6}", signal=False)
    await one.write(fresh.db)
    first = await stored(admin)
    await admin.execute("truncate watch.visit, watch.visitors")
    await two.write(fresh.db)
    assert await stored(admin) == first
    assert first[1][0][1] == 6


async def test_a_signal_leaves_one_in_the_total_and_nothing_else(
    fresh: Installation, admin: psycopg.AsyncConnection
) -> None:
    await play(fresh, [Visit("/contact", PHONE, "https://news.example/", signal=True)] * 3, ["a", "b", "c"])
    today = clock.now().date()
    assert await stored(admin) == [[(today, "-", "-", "-", 3)], []]


async def test_no_part_of_a_request_is_stored_but_the_four_that_are_counted(
    fresh: Installation, admin: psycopg.AsyncConnection
) -> None:
    visit = Visit(
        "/contact", f"{COMPUTER} {CANARY}", f"https://{CANARY}.news.example/{CANARY}?who={CANARY}#{CANARY}"
    )
    await play(fresh, [visit], [f"203.0.113.0/24 {CANARY}"])
    everything = str(await stored(admin))
    assert CANARY not in everything and "203.0.113" not in everything and "Firefox" not in everything
    assert "news.example" in everything
    kinds = await (
        await admin.execute(
            "select distinct format_type(atttypid, null) from pg_attribute join pg_class c on c.oid = attrelid"
            " where relnamespace = 'watch'::regnamespace and relname in ('visit', 'visitors') and relkind = 'r' and attnum > 0"
        )
    ).fetchall()
    assert {kind for (kind,) in kinds} == {"date", "text", "bigint"}  # no time, no address, no id


@pytest.mark.parametrize(
    "statement",
    [
        "select * from watch.visit",
        "insert into watch.visit values (now(), '/', 'phone', '-', 1)",
        "set role chatinbox_statistics",
    ],
)
async def test_the_app_cannot_touch_the_tables_nor_become_their_role(
    inst: Installation, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.directory(statement)


async def test_the_role_of_the_statistics_may_read_nothing_else(inst: Installation) -> None:
    """C17: no grant leads from plane A to any other; a grant on one table would stand in this list."""
    rows = await inst.db.directory(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')"
        " and has_table_privilege('chatinbox_statistics', c.oid, 'select')"
    )
    ours = ["watch.relay", "watch.relayed_day", "watch.visit", "watch.visitors"]
    assert sorted(name for (name,) in rows) == ours


async def test_what_cannot_be_written_now_is_written_later_and_once(
    fresh: Installation, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, real = Visits(), counted._write
    one.count("/", COMPUTER, "", "own.example", "a", signal=False)

    async def away(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(counted, "_write", away)
    with pytest.raises(OSError):
        await one.write(fresh.db)
    monkeypatch.setattr(counted, "_write", real)
    await one.write(fresh.db)
    await one.write(fresh.db)
    today = clock.now().date()
    assert await stored(admin) == [[(today, "/", "computer", "-", 1)], [(today, 1)]]


async def test_a_day_ends_with_its_key(fresh: Installation, admin: psycopg.AsyncConnection) -> None:
    one = Visits()
    first = one._sketch
    one.count("/", COMPUTER, "", "own.example", "a", signal=False)
    with clock.travel(timedelta(days=1)):
        one.count("/", COMPUTER, "", "own.example", "a", signal=False)
        assert one._sketch is not first and one._sketch._key != first._key
        await one.write(fresh.db)
    assert [n for _, n in (await stored(admin))[1]] == [1, 1]


def test_a_flood_of_made_up_referrers_adds_a_bounded_number_of_counters() -> None:
    one = Visits()
    for n in range(5_000):
        one.count("/", COMPUTER, f"https://made-up-{n}.example/", "own.example", "a", signal=False)
    assert len(one._cells) <= MOST_REFERRERS + 1
    assert sum(one._cells.values()) == 5_000


def test_a_sketch_knows_about_how_many_there_were() -> None:
    sketch = DaySketch(date(2026, 11, 26))
    for n in range(20_000):
        sketch.see(str(n % 10_000).encode())
    assert abs(sketch.count() - 10_000) < 300


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 60), max_size=12))
def test_no_number_below_ten_is_shown_or_can_be_worked_out(cells: dict[str, int]) -> None:
    told = shown(cells)
    assert all(n >= LEAST for _, n in told.rows)
    if told.total is None:
        assert told.rows == [] and sum(cells.values()) < LEAST
    else:
        rest = told.total - sum(n for _, n in told.rows)
        assert rest == 0 or rest >= LEAST  # what subtraction gives


async def test_the_tables_show_whole_days_only_and_hide_what_is_rare(fresh: Installation) -> None:
    yesterday = Visits()
    with clock.travel(timedelta(days=-1)):
        yesterday._sketch = DaySketch(clock.now().date())
        for n in range(30):
            yesterday.count("/", COMPUTER, "", "own.example", f"p{n}", signal=False)
        for n in range(3):
            yesterday.count("/contact", PHONE, "https://news.example", "own.example", f"q{n}", signal=False)
        for n in range(12):
            yesterday.count("/", PHONE, "", "own.example", f"r{n}", signal=True)
        await yesterday.write(fresh.db)
    await play(fresh, [Visit("/", COMPUTER, "")] * 50, ["a"] * 50)
    summary = await read_summary(fresh.db, clock.now().date())
    assert summary.days.total == 45
    assert "/contact" not in dict(summary.routes.rows) and "phone" not in dict(summary.devices.rows)
    assert summary.routes.hidden and dict(summary.routes.rows) == {"/": 30}  # its neighbour hides it


@pytest.mark.parametrize(
    ("referer", "domain"),
    [
        ("https://www.search.example/?q=secret", "search.example"),
        ("https://ada.lund.blog.example/", "blog.example"),
        ("https://shop.co.uk/x", "shop.co.uk"),
        ("https://own.example/privacy", "-"),
        ("http://203.0.113.9/", "-"),
        ("http://[2001:db8::1]/", "-"),
        ("http://localhost/", "-"),
        ("https://a b.example/", "-"),
        ("not an address", "-"),
        ("https://[", "-"),
        ("", "-"),
    ],
)
def test_of_a_referrer_only_the_domain_is_looked_at(referer: str, domain: str) -> None:
    assert referrer_domain(referer, "own.example") == domain


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_browser_sends_there_is_one_counter_for_it(user_agent: str, referer: str) -> None:
    cell = cell_of(datetime.now(UTC).date(), "/", user_agent, referer, "own.example", signal=False)
    assert cell.device in ("phone", "tablet", "computer", "program") and len(cell.referrer) <= 100


def test_devices_are_told_apart_in_four_kinds() -> None:
    assert device_class(PHONE) == "phone" and device_class(COMPUTER) == "computer"
    assert device_class("Mozilla/5.0 (Linux; Android 16) Chrome/150") == "tablet"
    assert device_class("Googlebot/2.1") == device_class("") == "program"
