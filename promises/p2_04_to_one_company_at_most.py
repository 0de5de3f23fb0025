"""Finished counts may go to one analytics company, Google, and to no other. This is off unless the operator turns it on, and then this installation says so publicly first."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chatinbox.core.clock import travel
from chatinbox.core.egress import REGISTER, Egress
from chatinbox.core.settings import Settings, read_settings
from chatinbox.core.trouble import Trouble
from chatinbox.watch import relay, visits
from chatinbox.watch.visits import Visits
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C10",)
DAY = timedelta(days=1)
PHONE = "Mozilla/5.0 (iPhone) Mobile"


def look_at_where_counts_went(here: Here) -> str:
    """Nothing went to another company, and nothing at all where it was not said first"""
    named = set(here.column("select distinct named from work.house_ledger where outcome <> 'withheld'"))
    assert named <= {"google_analytics"}, f"counts went to {', '.join(sorted(str(one) for one in named))}"
    said = here.column("select declared_at from watch.relay")
    early = here.column(
        "select count(*) from watch.relayed_day r, watch.relay w where r.relayed_at < w.declared_at"
    )
    assert early == [0], "counts left before it was said"
    if not said:
        return "It is off: no count ever left."
    return f"It is on and said since {said[0]:%-d %B %Y}."


async def proof_that_it_is_off_and_said_first(stage: Stage) -> str:
    """Off, nothing leaves; on, only whole days a day after it was said, only sums, and none of whoever sent a signal; another company is refused"""
    assert not Settings().analytics, "it is on without being turned on"
    counting = [one.name for one in REGISTER.values() if "analytics" in one.name]
    assert counting == ["google_analytics"], f"companies that count: {counting}"
    with refused(by=Trouble, otherwise="another company can be named"):
        read_settings(object(), {"CHATINBOX_ANALYTICS": "another"})
    bodies: list[bytes] = []
    async with _google(bodies) as url:
        egress = Egress(stage.inst.db, stage.vault, None)
        egress.place("google_analytics", url)
        on = replace(
            stage.settings,
            analytics="google",
            google_measurement_id="G-1",
            google_api_secret="s",  # noqa: S106
            google_analytics_base=url,
        )
        off = replace(on, analytics=None)
        await _visits(stage)
        with travel(3 * DAY):
            assert not await relay.relay_due(stage.inst.db, egress, off) and not bodies, (
                "it is off, and counts left"
            )
        await relay.declare(stage.inst.db, on)
        with travel(DAY):
            assert not await relay.relay_due(stage.inst.db, egress, on), (
                "a day left that began before it was said"
            )
        with travel(3 * DAY):
            await _visits(stage)
        with travel(5 * DAY):
            await relay.relay_due(stage.inst.db, egress, on)
    assert bodies, "nothing left at all, so this shows nothing"
    told = json.dumps([json.loads(one) for one in bodies])
    assert "/pricing" in told and "/secret-page" not in told, (
        "a visit with a signal, or a small number, is in what left"
    )
    return (
        f"Off: nothing left. On, and said three days before: {len(bodies)} request with sums of ten or more."
    )


async def _visits(stage: Stage) -> None:
    counters = Visits()
    for number in range(12):
        for page in ("/pricing", "/", "/product"):
            counters.count(page, PHONE, "", "own.example", str(number), signal=False)
        counters.count("/secret-page", PHONE, "", "own.example", str(number), signal=True)
    await counters.write(stage.inst.db)


@asynccontextmanager
async def _google(bodies: list[bytes]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")
        ]
        bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def saboteur_turns_it_on(stage: Stage) -> None:
    """Sends whether it was turned on or not"""
    stage.swap(relay, "is_on", lambda _settings: True)
    await relay.declare(stage.inst.db, replace(stage.settings, analytics="google"))
    stage.above.execute("update watch.relay set declared_at = declared_at - interval '30 days'")


async def saboteur_says_nothing_first(stage: Stage) -> None:
    """Sends at once when it is turned on"""
    stage.swap(relay, "SAID_BEFORE", timedelta(days=-30))


async def saboteur_sends_signals_too(stage: Stage) -> None:
    """Counts visits with a signal like all others"""
    known: Any = vars(visits)["cell_of"]
    stage.swap(visits, "cell_of", lambda *given, signal: known(*given, signal=False))


async def saboteur_adds_a_company(stage: Stage) -> None:
    """Adds another company that counts"""
    REGISTER["other_analytics"] = replace(REGISTER["google_analytics"], name="other_analytics")
    stage.later(lambda: REGISTER.__delitem__("other_analytics"))
