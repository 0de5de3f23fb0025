"""What a session opened dies with it, also when another process ends it, and also what was only on its way."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import uvicorn

from chatinbox.accounts import authenticator, second_factor, sessions
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.web.tests.second_factor import code, with_app
from chatinbox.web.tests.standing import WAYS, change_standing

NewBrowser = Callable[[], Browser]
AT_MOST = 5.0

# The other process: it knows the same keys and the same database, and nothing of this process's memory.
ELSEWHERE = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID
from chatinbox.accounts import sessions
from chatinbox.core.db import Database
from chatinbox.core.vault import Vault

async def main(data, dsn, person_id, session_id):
    vault = Vault.open(Path(data))
    db = await Database.open(dsn, vault, 2)
    print("ready", flush=True)
    sys.stdin.readline()
    assert await sessions.end(SimpleNamespace(db=db, vault=vault), UUID(person_id), UUID(session_id))
    print("ended", flush=True)
    await db.close()

asyncio.run(main(*sys.argv[1:]))
"""


class Elsewhere:
    """Ends a session from another process, at a word."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def ready(cls, inst: Installation, staff: Staff, session_id: UUID) -> "Elsewhere":
        words = [str(inst.settings.data), inst.db.dsn, str(staff.person_id), str(session_id)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ELSEWHERE, *words, stdin=pipe, stdout=pipe,
            env=os.environ | {"PYTHONPATH": "src"},
        )  # fmt: skip
        assert process.stdout and await process.stdout.readline() == b"ready\n"
        return cls(process)

    async def end(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"now\n")
        assert await self._process.stdout.readline() == b"ended\n"
        await self._process.wait()


@pytest.fixture
async def url(inst: Installation, app: App) -> AsyncIterator[str]:
    """This process, serving, and hearing of what others end, as `serve` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    hearing = asyncio.create_task(sessions.watch_revocations(inst))
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    hearing.cancel()
    server.should_exit = server.force_exit = True
    await running


class Open:
    """A browser with an open live stream."""

    def __init__(self, url: str, token: str) -> None:
        self.browser = httpx.AsyncClient(base_url=url, cookies={"session": token}, timeout=20)
        self.began = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with self.browser.stream("GET", "/live") as answer:
            assert answer.status_code == 200
            self.began.set()
            async for _ in answer.aiter_bytes():
                pass

    async def dies_within(self, seconds: float) -> float:
        began = time.monotonic()
        await asyncio.wait_for(self.task, seconds)
        return time.monotonic() - began

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.browser.aclose()


async def opened(inst: Installation, url: str, staff: Staff) -> tuple[Open, Session]:
    token = await sessions.start(inst, staff, "tests")
    session = await sessions.session_for(inst, token)
    assert session
    browser = Open(url, token)
    await asyncio.wait_for(browser.began.wait(), 10)
    return browser, session


async def test_what_another_process_ends_is_dead_here_within_five_seconds(
    inst: Installation, url: str, ada: Staff, cyd: Staff
) -> None:
    hers, session = await opened(inst, url, ada)
    his, _ = await opened(inst, url, cyd)
    assert (await hers.browser.get("/api/list")).status_code == 200  # and so it is remembered
    elsewhere = await Elsewhere.ready(inst, ada, session.session_id)
    await elsewhere.end()
    assert await hers.dies_within(AT_MOST) <= AT_MOST
    assert (await hers.browser.get("/api/list")).status_code == 401
    assert not his.task.done() and (await his.browser.get("/api/list")).status_code == 200
    for one in (hers, his):
        await one.close()


async def test_a_session_that_runs_out_takes_its_stream_with_it(
    inst: Installation, url: str, ada: Staff, cyd: Staff
) -> None:
    hers, session = await opened(inst, url, ada)
    his, _ = await opened(inst, url, cyd)
    soon = now() + timedelta(seconds=1)
    await inst.db.directory("select directory.touch_session(%s, %s, %s)", [session.session_id, now(), soon])
    assert await hers.dies_within(1 + AT_MOST) <= 1 + AT_MOST
    assert (await hers.browser.get("/api/list")).status_code == 401
    assert not his.task.done()
    for one in (hers, his):
        await one.close()


@pytest.mark.parametrize("change", [*WAYS, "second factor", "factor off"])
async def test_what_changes_a_persons_standing_ends_their_other_streams_at_once(
    inst: Installation, url: str, ada: Staff, bea: Staff, cyd: Staff, change: str
) -> None:
    if change == "factor off":
        await with_app(inst, bea)
    hers, _ = await opened(inst, url, bea)
    kept, mine = await opened(inst, url, bea)
    his, _ = await opened(inst, url, cyd)
    if change in WAYS:
        await change_standing(inst, ada, bea, mine, change)
    elif change == "second factor":
        token = authenticator.begin(inst, bea.person_id)
        right = code(authenticator.secret_of(inst, bea.person_id, token))
        await second_factor.add_authenticator(inst, mine, token, right)
    else:
        await second_factor.remove_authenticator(inst, mine, PASSWORD)
    assert await hers.dies_within(1) <= 1
    assert (await hers.browser.get("/api/list")).status_code == 401
    if change in ("password", "second factor", "factor off"):
        assert not kept.task.done() and (await kept.browser.get("/api/list")).status_code == 200
    else:
        await kept.dies_within(1)
    assert not his.task.done()
    for one in (hers, kept, his):
        await one.close()


async def test_a_request_that_was_on_its_way_while_the_session_ended_does_not_outlive_it(
    inst: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await sessions.start(inst, ada, "tests")
    [listed] = await sessions.list_sessions(inst, ada.person_id)
    read = sessions.read_active

    async def slow(*words: object) -> Staff | None:
        await sessions.end(inst, ada.person_id, listed.id)
        return await read(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(sessions, "read_active", slow)
    assert await sessions.session_for(inst, token) is None
    monkeypatch.undo()
    assert await sessions.session_for(inst, token) is None


async def test_a_stream_that_began_while_its_session_ended_ends_at_once(
    inst: Installation, app: App, ada: Staff
) -> None:
    token = await sessions.start(inst, ada, "tests")
    session = await sessions.session_for(inst, token)
    assert session
    await sessions.end(
        inst, ada.person_id, session.session_id
    )  # after the door looked, before the stream stood
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    stream = app.live.serve(session.staff, session.session_id, receive, send)  # type: ignore[arg-type]
    await asyncio.wait_for(asyncio.create_task(stream), 2)
    assert sent[-1]["more_body"] is False


async def test_use_keeps_a_session_open_for_thirty_days_and_no_longer(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    browser = await new_browser().as_(ada)
    for day in range(0, 30, 6):
        with travel(timedelta(days=day, hours=2)):
            sessions._known.clear()
            assert (await browser.get("/api/list")).status_code == 200, day
    with travel(timedelta(days=30, hours=1)):
        sessions._known.clear()
        assert (await browser.get("/api/list")).status_code == 401


async def test_a_session_without_use_ends_after_fourteen_days(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    browser = await new_browser().as_(ada)
    with travel(timedelta(days=14, minutes=1)):
        assert (await browser.get("/api/list")).status_code == 401
