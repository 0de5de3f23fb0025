"""Counts that are passed on: to one company, off by default, long after it was said, and no visit with a signal in any byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatinbox.app import opening
from chatinbox.app.tests.signals import NO_SIGNALS, SIGNALS, Headers
from chatinbox.app.wiring import App, build
from chatinbox.conftest import OPERATOR
from chatinbox.core.clock import now, travel
from chatinbox.core.egress import Egress
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings, read_settings
from chatinbox.core.trouble import Trouble
from chatinbox.watch import relay
from chatinbox.watch.shown import LEAST
from promises.means import put_on_the_list

DAY = timedelta(days=1)
ON = {"analytics": "google", "google_measurement_id": "G-TEST", "google_api_secret": "s3cret"}


@dataclass
class Google:
    """Their collecting address, as the protocol has it: 204 and nothing said, whatever comes."""

    url: str = ""
    taken: list[tuple[dict[str, list[str]], dict[str, Any]]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")
        )
        body = await reader.readexactly(length)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        assert method == "POST" and urlsplit(target).path == "/mp/collect"
        self.taken.append((parse_qs(urlsplit(target).query), json.loads(body)))
        self.raw.append(head + body)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    def counts(self) -> dict[tuple[str, str], int]:
        told = [event["params"] for _, body in self.taken for event in body["events"]]
        return {(one["list"], one["what"]): one["count"] for one in told}


@dataclass
class House:
    """An operator's installation with its website; the counts lie in a database that the test can empty."""

    inst: Installation
    google: Google
    app: App
    browser: httpx.AsyncClient
    admin: psycopg.AsyncConnection

    async def empty(self) -> None:
        await self.admin.execute("truncate watch.visit, watch.visitors, watch.relayed_day")
        self.app.visits._cells.clear()
        self.google.taken.clear()
        self.google.raw.clear()

    async def visit(
        self, path: str, times: int = 1, signal: Headers | None = None, referer: str = ""
    ) -> None:
        for _ in range(times):
            headers = [*(signal or []), ("referer", referer)]
            assert (await self.browser.get(path, headers=headers)).status_code == 200

    async def relay(self, days: int = 1) -> list[Any]:
        """What the worker does some days later."""
        await self.app.visits.write(self.inst.db)
        with travel(days * DAY):
            return await relay.relay_due(self.inst.db, self.inst.egress, self.inst.settings)


@pytest.fixture
async def house(inst: Installation, above_all: str) -> AsyncIterator[House]:
    google = Google()
    listening = await asyncio.start_server(google.serve, "127.0.0.1", 0)
    google.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    egress = Egress(inst.db, inst.vault, None)
    egress.place("google_analytics", google.url)
    ours = replace(
        inst,
        egress=egress,
        settings=replace(inst.settings, **OPERATOR, **ON, google_analytics_base=google.url),
    )
    app = await build(ours)
    async with (
        await psycopg.AsyncConnection.connect(above_all, autocommit=True) as admin,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as browser,
    ):
        house = House(ours, google, app, browser, admin)
        await house.empty()
        await admin.execute("truncate watch.relay")
        midnight = datetime.combine(now().date(), time(), UTC)
        with travel(
            midnight - relay.SAID_BEFORE - timedelta(minutes=30) - now()
        ):  # today is the first whole day
            await relay.declare(inst.db, ours.settings)
        yield house
        await relay.declare(inst.db, inst.settings)
    listening.close()


async def test_finished_counts_leave_once_with_no_small_number_and_a_row_in_the_ledger(house: House) -> None:
    await house.visit("/", LEAST + 2, referer="https://news.example/story?of=ada@mail.example")
    await house.visit("/pricing", LEAST - 1, referer="https://rare.example/")
    assert await house.relay() == [now().date()]
    assert await house.relay() == []  # once
    counts = house.google.counts()
    assert ("page", "/") not in counts  # shown beside the total it would give the hidden one away
    await house.empty()
    await house.visit("/", LEAST + 2, referer="https://news.example/story?of=ada@mail.example")
    await house.visit("/pricing", LEAST)
    assert len(await house.relay()) == 1
    counts = house.google.counts()
    assert counts["page", "/"] == LEAST + 2 and counts["came_from", "news.example"] == LEAST + 2
    query, body = house.google.taken[0]
    assert query == {"measurement_id": ["G-TEST"], "api_secret": ["s3cret"]}
    assert body["client_id"] == relay.NOBODY and len(body["events"]) <= relay.EVENTS
    assert b"ada@mail" not in b"".join(house.google.raw) and b"127.0.0.1\r\ncookie" not in house.google.raw[0]
    ask = "select recipient, basis, outcome, reason from work.house_ledger order by at desc limit 1"
    assert await house.inst.db.directory(ask) == [(house.google.url, "subprocessor", "taken", "204")]


VISIT = st.tuples(
    st.sampled_from(["/", "/pricing", "/privacy", "/contact"]),
    st.sampled_from(SIGNALS + NO_SIGNALS),
    st.sampled_from(["", "https://news.example/a", "https://other.example/b"]),
    st.integers(1, 14),
)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.lists(VISIT, max_size=7))
async def test_the_bytes_are_those_without_the_visits_that_carried_a_signal(
    house: House, script: list[tuple[str, Headers, str, int]]
) -> None:
    async def bytes_of(visits: list[tuple[str, Headers, str, int]]) -> list[bytes]:
        await house.empty()
        for path, signal, referer, times in visits:
            await house.visit(path, times, signal, referer)
        await house.relay()
        return list(house.google.raw)

    everybody = await bytes_of(script)
    assert everybody == await bytes_of([one for one in script if one[1] not in SIGNALS])


async def test_a_signal_takes_no_place_among_the_domains_that_are_told_apart(house: House) -> None:
    """Not even where there is one place left: what others' visits become does not depend on it."""
    for signals in (0, 1):
        await house.empty()
        for n in range(300):
            house.app.visits.count("/", "Firefox", f"https://d{n}.example", "ours.example", "p", signal=False)
            if n == 0 and signals:
                house.app.visits.count("/", "Firefox", "", "ours.example", "p", signal=True)
        assert {cell.referrer for cell in house.app.visits._cells if cell.route == "/"} >= {"d299.example"}
        house.app.visits._referrers.clear()


async def test_it_begins_a_day_after_the_status_resource_says_so_and_anew_when_it_was_off(
    house: House,
) -> None:
    quiet = replace(house.inst.settings, analytics=None)
    await house.visit("/", LEAST)
    await relay.declare(house.inst.db, quiet)
    assert await house.relay() == [] and not house.google.raw  # off: nothing was ever said
    await relay.declare(house.inst.db, house.inst.settings)  # on again: the wait begins anew
    told = (await house.browser.get("/.well-known/dnt/")).json()
    assert told["tracking"] == "N" and told["counts-to"][0]["company"] == "Google"
    assert told["counts-to"][0]["from"] >= (now() + DAY).isoformat()[:19]
    assert await house.relay() == []  # today had begun before it was said
    begins = await relay.begins_at(house.inst.db)
    assert begins and begins > now() + DAY
    with travel(DAY):
        await house.visit("/", LEAST)
        assert await house.relay() == []  # nor does tomorrow count, which begins before the day has passed
    with travel(3 * DAY):
        await house.visit("/", LEAST)
        sent = await house.relay()
        assert now().date() in sent and all(datetime.combine(day, time(), UTC) >= begins for day in sent)
    assert len(house.google.raw) == 1


async def test_by_default_nothing_leaves_and_nothing_is_said(house: House) -> None:
    house.inst = replace(house.inst, settings=replace(house.inst.settings, analytics=None))
    await house.visit("/", LEAST)
    assert await house.relay() == [] and not house.google.raw
    app = await build(house.inst)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000"
    ) as browser:
        assert "counts-to" not in (await browser.get("/.well-known/dnt/")).json()
    assert Settings().analytics is None


def test_a_second_company_stops_the_start() -> None:
    for named in ("matomo", "google,matomo", "Google"):
        with pytest.raises(Trouble, match="names that company and no other"):
            read_settings(
                None,
                {f"CHATINBOX_{name.upper()}": value for name, value in (ON | {"analytics": named}).items()},
            )
    with pytest.raises(Trouble, match="API_SECRET"):
        read_settings(None, {"CHATINBOX_ANALYTICS": "google"})


@pytest.mark.parametrize(
    ("planes", "ways", "starts"),
    [
        (["A"], ["google_analytics"], True),
        (["A"], [], False),
        (["T"], ["google_analytics"], False),
        (None, None, False),
    ],
)
def test_a_company_that_visitors_cannot_read_about_stops_the_start(
    inst: Installation, tmp_path: Any, planes: list[str] | None, ways: list[str] | None, starts: bool
) -> None:
    given = replace(inst.settings, data=tmp_path, **ON)
    if planes:
        put_on_the_list(tmp_path, name="Google Ireland Limited", country="IE", planes=planes, ways=ways)
    if starts:
        opening.check_relay(given)
    else:
        with pytest.raises(Trouble, match="register of companies"):
            opening.check_relay(given)


async def test_what_could_not_be_sent_is_sent_the_next_day_and_only_then(house: House) -> None:
    await house.visit("/", LEAST)
    house.inst.egress.place("google_analytics", "http://127.0.0.1:9")
    away = replace(
        house.inst, settings=replace(house.inst.settings, google_analytics_base="http://127.0.0.1:9")
    )
    here, house.inst = house.inst, away
    assert await house.relay() == []
    house.inst = here
    house.inst.egress.place("google_analytics", house.google.url)
    assert len(await house.relay(2)) == 2  # the day, and the empty one after it
    assert house.google.counts()["page", "/"] == LEAST and len(house.google.raw) == 1
