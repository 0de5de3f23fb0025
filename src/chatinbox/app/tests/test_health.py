"""Red where what the promises need does not run, in one word and nothing else (clause C14: a purge that is off is seen)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chatinbox.app import health
from chatinbox.app.wiring import build
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.watch.security_days import KEPT_DAYS, drop_old_days, open_day

Ask = Callable[[], Awaitable[tuple[int, str]]]


@pytest.fixture
async def ask(inst: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ask]:
    """Asks a web application that looks each time."""
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    yield asking(inst)


def asking(inst: Installation) -> Ask:
    app: list[Any] = []

    async def ask() -> tuple[int, str]:
        if not app:
            app.append(await build(inst))
        transport = httpx.ASGITransport(app[0])
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as browser:
            answer = await browser.get("/health")
        assert "set-cookie" not in answer.headers and answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.text

    return ask


def a_while_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process ran for longer than a worker needs to catch up."""
    real = time.monotonic
    monkeypatch.setattr(health.time, "monotonic", lambda: real() + health.STILL_SECONDS + 1)


async def rounds(inst: Installation, seconds_ago: float | None) -> None:
    """The worker's last round of each minute was so long ago, or never."""
    await inst.db.directory("delete from work.procrastinate_periodic_defers")
    if seconds_ago is not None:
        await inst.db.directory(
            "insert into work.procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)"
            " values ('retry_stalled', '', extract(epoch from now())::bigint - %s)",
            [int(seconds_ago)],
        )


async def test_all_is_well(inst: Installation, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    await rounds(inst, None)
    assert await ask() == (200, "well\n"), "a worker that was only just started is waited for"
    await rounds(inst, 90)
    a_while_later(monkeypatch)
    assert await ask() == (200, "well\n")


async def test_with_the_purge_off_it_turns_red_before_anything_is_sixty_days_old(
    inst: Installation, ask: Ask
) -> None:
    await rounds(inst, 0)
    await open_day(inst.db, inst.vault, now().date())
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    with travel(midnight + timedelta(days=KEPT_DAYS, hours=1) - now()):
        assert await ask() == (200, "well\n"), "its round may be about to come"
    with travel(midnight + timedelta(days=KEPT_DAYS, hours=3) - now()):
        assert now() - midnight < timedelta(days=60)
        assert await ask() == (503, "purge\n")
        await inst.db.directory("select * from seclog.drop_before(%s)", [now().date()])
        assert await ask() == (503, "purge\n"), "the day is gone, and the key that opens copies of it is not"
        await drop_old_days(inst.db, inst.vault)
        assert await ask() == (200, "well\n")


@pytest.mark.parametrize("seconds_ago", [None, 400])
async def test_a_worker_that_is_off_or_stands_still_turns_it_red(
    inst: Installation, ask: Ask, monkeypatch: pytest.MonkeyPatch, seconds_ago: float | None
) -> None:
    await rounds(inst, seconds_ago)
    assert await ask() == (200, "well\n")
    a_while_later(monkeypatch)
    assert await ask() == (503, "worker\n")
    await rounds(inst, 5)
    assert await ask() == (200, "well\n")


async def test_without_a_database_it_says_so_soon(
    inst: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        dsn = inst.db.dsn

        async def directory(self, *_: object) -> None:
            await asyncio.sleep(60)

    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.1)
    assert await asking(replace(inst, db=Away()))() == (503, "database\n")  # type: ignore[arg-type]


async def test_a_crowd_looks_once(inst: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []

    async def look(self: object) -> str:
        looks.append(self)
        return health.WELL

    monkeypatch.setattr(health.Health, "_look", look)
    asked = asking(inst)
    await asked()
    assert set(await asyncio.gather(*[asked() for _ in range(50)])) == {(200, "well\n")}
    assert len(looks) <= 2
