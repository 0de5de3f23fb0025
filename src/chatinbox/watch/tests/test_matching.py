"""Matching: how well somebody who has both stores, with the keys, matches an address of the security log to a staff user (clause C15).

The model, which gives the attacker more than either store holds: of every deed they know who did it, through which route and
at which microsecond (the staff side), and of the log every row with its key, so every address is readable, in the order in
which the rows lie on disk. They match within a minute and a route: by request ids where there are any, else by the nearest
time where there is one finer than a minute, else by order. Eight people are at work in every minute, each from an address of
their own, so guessing is right once in eight times.

What it does not say: somebody who watches for long needs no match at all. Who is away in the minutes in which an address is
away gives it away, and the last test shows so. Against that stands only that no role can read both stores (`test_security_log`)
and that days are dropped.
"""

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import psycopg
import pytest

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.watch import security_log
from chatinbox.watch.security_log import SecurityLog, open_place

PEOPLE, MINUTES = 8, 40
CHANCE, EPSILON = 1 / PEOPLE, 0.1  # five standard deviations of 320 guesses
ROUTE = "/api/conversations/{id}/reply"
CHECK = "check (date_trunc('minute', minute) = minute)"


class Deed(NamedTuple):
    """What the staff side tells."""

    who: int
    at: datetime
    request: str


class Row(NamedTuple):
    """What the log tells once it is opened."""

    minute: datetime
    route: str
    address: str


@pytest.fixture
async def above(inst: Installation, above: psycopg.Connection[Any]) -> Any:
    """A connection that may everything; the log begins anew and is left empty."""
    await inst.vault.destroy_days_before(date.max)
    above.execute("select seclog.drop_before('9999-01-01')")
    yield above
    above.execute("select seclog.drop_before('9999-01-01')")
    await inst.vault.destroy_days_before(date.max)


@pytest.fixture
def moments_kept(above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sabotage: the log keeps the moment of a connection in place of its minute."""

    class Moment(datetime):
        def replace(self, **_: Any) -> "Moment":  # type: ignore[override]
            return self

    above.execute("alter table seclog.entry drop constraint entry_minute_check")
    told = security_log.now
    monkeypatch.setattr(security_log, "now", lambda: Moment.fromisoformat(told().isoformat()))
    monkeypatch.setattr(f"{__name__}._clock", lambda at: Moment.fromisoformat(at.isoformat()))
    yield
    above.execute("select seclog.drop_before('9999-01-01')")
    above.execute(f"alter table seclog.entry add constraint entry_minute_check {CHECK}")


@pytest.fixture
def ids_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: rows get ids in the order in which they came."""
    count = iter(range(1, 1_000_000))
    in_order = SimpleNamespace(uuid4=lambda: uuid.UUID(int=next(count)), UUID=uuid.UUID)
    monkeypatch.setattr(security_log, "uuid", in_order)


def _clock(at: datetime) -> datetime:
    return at


async def traffic(
    inst: Installation,
    above: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    *,
    presence: float = 1.0,
    request_ids: bool = False,
) -> tuple[list[Deed], list[Row]]:
    """Some minutes of people at work, through the real log; what the two sides then tell."""
    chance, log, deeds = random.Random(15), SecurityLog(), list[Deed]()
    begins = datetime.combine(now().date(), time(9), UTC)
    for minute in range(MINUTES):
        here = [who for who in range(PEOPLE) if chance.random() < presence]
        for microsecond, who in sorted((chance.randrange(60_000_000), who) for who in here):
            at = begins + timedelta(minutes=minute, microseconds=microsecond)
            deed = Deed(who, at, f"request-{chance.getrandbits(64):016x}")
            deeds.append(deed)
            monkeypatch.setattr(security_log, "now", lambda at=at: _clock(at))
            log.note(address(who), "Firefox", f"{ROUTE} {deed.request}" if request_ids else ROUTE, 201)
    await log.write(inst.db, inst.vault)
    key = inst.vault.day_key(begins.date())
    found = above.execute("select id, minute, route, place_sealed from seclog.entry order by ctid").fetchall()
    return deeds, [
        Row(minute, route, open_place(key, sealed, row_id).address) for row_id, minute, route, sealed in found
    ]


def address(who: int) -> str:
    return f"198.51.100.{who + 1}"


def matched(deeds: list[Deed], rows: list[Row]) -> float:
    """How many of the deeds the attacker gives the right address."""
    in_minute: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        in_minute[row.minute.replace(second=0, microsecond=0)].append(row)
    right, done = 0, Counter[datetime]()
    for deed in sorted(deeds, key=lambda one: one.at):
        minute = deed.at.replace(second=0, microsecond=0)
        right += _guess(deed, in_minute[minute], done[minute]).address == address(deed.who)
        done[minute] += 1
    return right / len(deeds)


def _guess(deed: Deed, rows: list[Row], place: int) -> Row:
    named = [row for row in rows if deed.request in row.route]
    if named:
        return named[0]
    if any(row.minute.second or row.minute.microsecond for row in rows):
        return min(rows, key=lambda row: abs(row.minute - deed.at))
    return rows[place]


async def test_who_has_both_stores_matches_no_better_than_by_guessing(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds, rows = await traffic(inst, above, monkeypatch)
    assert len(deeds) == len(rows) == PEOPLE * MINUTES
    assert matched(deeds, rows) <= CHANCE + EPSILON


async def test_with_a_request_id_in_both_they_would_win(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds, rows = await traffic(inst, above, monkeypatch, request_ids=True)
    assert matched(deeds, rows) == 1


@pytest.mark.usefixtures("moments_kept")
async def test_with_times_finer_than_a_minute_they_would_win(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds, rows = await traffic(inst, above, monkeypatch)
    assert matched(deeds, rows) > 0.95


@pytest.mark.usefixtures("ids_in_order")
async def test_with_rows_in_the_order_in_which_they_came_they_would_win(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds, rows = await traffic(inst, above, monkeypatch)
    assert matched(deeds, rows) > 0.95


async def test_who_watches_for_long_narrows_it_down_all_the_same_which_is_a_limit_and_not_a_promise(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody reads more into the first test than it says: people who come and go are told by when they do."""
    deeds, rows = await traffic(inst, above, monkeypatch, presence=0.5)
    there: dict[str, set[datetime]] = defaultdict(set)
    for row in rows:
        there[row.address].add(row.minute)
    worked: dict[int, set[datetime]] = defaultdict(set)
    for deed in deeds:
        worked[deed.who].add(deed.at.replace(second=0, microsecond=0))
    told = {who: min(there, key=lambda one: len(there[one] ^ minutes)) for who, minutes in worked.items()}
    assert told == {who: address(who) for who in range(PEOPLE)}
