"""Finished counts may go to one analytics company, Google, and to no other. This is off unless the operator turns it on, and then this installation says so publicly first."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chatinbox.core import settings as settings_module
from chatinbox.core.clock import now, travel
from chatinbox.core.settings import read_settings
from chatinbox.core.trouble import Trouble
from chatinbox.watch import relay
from promises.stage import Stage

CLAUSES = ("C10",)
DAY = timedelta(days=1)
ON: dict[str, Any] = {"analytics": "google", "google_measurement_id": "G-STAGE", "google_api_secret": "stage"}
VISITS = 40


async def proof_that_it_is_off_and_said_first(stage: Stage) -> str:
    """Off, nothing leaves. On, it is said at once, and only days that begin a day later leave, as sums"""
    taken: list[bytes] = []

    async def google(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(google, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    stage.inst.egress.place("google_analytics", url)
    on = replace(stage.settings, **ON, google_analytics_base=url)
    off = await stage.browser()
    for _ in range(VISITS):
        await off.get("/pricing")
    await off.app.visits.write(stage.inst.db)

    async def days(with_: settings_module.Settings, later: int) -> list[date]:
        with travel(later * DAY):
            return await relay.relay_due(stage.inst.db, stage.inst.egress, with_)

    await relay.declare(stage.inst.db, stage.settings)
    assert await days(stage.settings, 3) == [] and not taken, "counts left where nobody turned it on"
    assert "counts-to" not in (await off.get("/.well-known/dnt/")).json(), "it is said where it is not so"
    await relay.declare(stage.inst.db, on)
    said = (await (await stage.browser(**ON)).get("/.well-known/dnt/")).json()
    assert said["counts-to"][0]["company"] == "Google", "it is not said"
    assert await days(on, 1) == [] and not taken, "counts of a day left that began before it was said"
    with travel(3 * DAY):
        for _ in range(VISITS):
            await off.get("/pricing")
        await off.app.visits.write(stage.inst.db)
    sent = await days(on, 4)
    assert taken and all(datetime(one.year, one.month, one.day, tzinfo=UTC) > now() + DAY for one in sent), (
        "nothing leaves even then, so this shows nothing"
    )
    listening.close()
    return f"Nothing left before it was said for a day; then {len(taken)} request with sums."


async def proof_that_there_is_no_second(_stage: Stage) -> str:
    """A start with any other company is refused"""
    for name in ("matomo", "google,matomo", "plausible"):
        told = {f"CHATINBOX_{key.upper()}": value for key, value in (ON | {"analytics": name}).items()}
        try:
            read_settings(None, told)
        except Trouble:
            continue
        raise AssertionError(f"a start with {name} is taken")
    return "Three other companies were refused."


async def saboteur_says_nothing_first(stage: Stage) -> None:
    """Sends from the moment it is turned on"""
    stage.swap(relay, "SAID_BEFORE", -10 * DAY)


async def saboteur_is_always_on(stage: Stage) -> None:
    """Takes it for turned on wherever it was never turned on"""
    known = relay.begins_at

    async def since_ever(db: object) -> datetime:
        return (await known(db)) or now() - 20 * DAY  # type: ignore[arg-type]

    stage.swap(relay, "begins_at", since_ever)
    stage.swap(relay, "is_on", lambda _settings: True)


async def saboteur_takes_anybody(stage: Stage) -> None:
    """Takes any company's name"""
    stage.swap(settings_module, "_check_analytics", lambda _settings: None)
