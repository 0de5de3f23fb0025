"""The server: one process, one loop, everything in it; or one part of it."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType

import psycopg
import uvicorn
import uvloop

from chatinbox.accounts import activity, sessions
from chatinbox.app import database, proving, worker
from chatinbox.app.listening import WAITING, bind, port_of, raise_file_limit
from chatinbox.app.opening import look_before, open_installation
from chatinbox.app.ready import Ready, say_ready
from chatinbox.app.root_key import keep_asking, wait_for_root_key
from chatinbox.app.safety import look_at_database, refuse_unsafe, unsafe_settings
from chatinbox.app.steadily import meanwhile
from chatinbox.app.wiring import App, build
from chatinbox.channels.email import door as mail_door
from chatinbox.core import logging, sure
from chatinbox.core.disk import open_private
from chatinbox.core.installation import Installation
from chatinbox.core.logging import set_up_logging
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.watch import defects, security_days
from chatinbox.watch.security_log import SecurityLog
from chatinbox.web.forms import settle


def serve(settings: Settings, part: str, as_json: bool) -> int:
    """Runs until told to stop (SIGTERM, SIGINT); the exit status. Raises Trouble for what stops a start."""
    signal.signal(signal.SIGTERM, _interrupt)  # until the loop takes over
    set_up_logging()
    raise_file_limit()
    check_writable(settings.data)
    refuse_unsafe(unsafe_settings(settings))
    web = bind(settings.host, settings.port, "--port") if part in ("serve", "web") else None
    mail = bind(settings.host, settings.mail_port, "--mail-port") if part in ("serve", "mail") else None
    settings = settings.with_addresses(port_of(web, settings.port), port_of(mail, settings.mail_port))
    wait_for_root_key(settings)
    with database.opened(settings) as admin_dsn:
        uvloop.run(_Serving(settings, part, as_json, web, mail).run(admin_dsn))
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def check_writable(data: Path) -> None:
    """Makes the data folder, and tries it. Raises Trouble."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        probe = data / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Trouble(
            f"The data folder {data} cannot be used ({error.strerror}). Choose another with --data."
        ) from None


class _Serving:
    """One run: starts the parts in order, waits to be told to stop, ends them in the opposite order."""

    def __init__(
        self,
        settings: Settings,
        part: str,
        as_json: bool,
        web: socket.socket | None,
        mail: socket.socket | None,
    ) -> None:
        self._settings, self._part, self._as_json, self._web, self._mail = settings, part, as_json, web, mail
        self._told_to_stop = asyncio.Event()
        self._is_ready = False
        self._trouble: Trouble | None = None

    async def run(self, admin_dsn: str) -> None:
        """Until told to stop; a start that is not done yet is broken off."""
        loop, me = asyncio.get_running_loop(), asyncio.current_task()

        def stop() -> None:
            if not self._told_to_stop.is_set() and not self._is_ready and me:
                me.cancel()
            self._told_to_stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        try:
            async with contextlib.AsyncExitStack() as running:
                await self._start(running, admin_dsn)
                self._is_ready = True
                await self._told_to_stop.wait()
        except asyncio.CancelledError:
            if not self._told_to_stop.is_set():
                raise
        if self._trouble:
            raise self._trouble

    def _stop_for(self, trouble: Trouble) -> None:
        """Stops as if told to, and ends with a sentence."""
        self._trouble = trouble
        self._told_to_stop.set()

    async def _start(self, running: contextlib.AsyncExitStack, admin_dsn: str) -> None:
        inst = await _open(self._settings, admin_dsn)
        running.push_async_callback(inst.close)
        await sure.arrive(inst.db)
        running.callback(sure.leave)
        # Before anybody is answered, however long we were away.
        await security_days.drop_before_serving(inst.db, inst.vault)
        security = SecurityLog()
        logging.ears.append(defects.notice)
        defects.elsewhere.append(security.note_defect)
        await running.enter_async_context(
            meanwhile("database", lambda: database.keep_running(self._settings, inst.refresh))
        )
        await running.enter_async_context(meanwhile("root_key", lambda: keep_asking(inst, self._stop_for)))
        await running.enter_async_context(meanwhile("clock", lambda: sure.keep_looking(inst.behind)))
        days = meanwhile("security_days", lambda: security_days.keep_dropping(inst.behind, inst.vault))
        await running.enter_async_context(days)
        await running.enter_async_context(
            meanwhile("security_log", lambda: security.keep(inst.behind, inst.vault))
        )
        if self._part != "serve":
            await inst.bell.join(inst.db.dsn)
        ready = await Ready.prepare(inst) if self._part == "serve" else None
        if self._mail:
            await running.enter_async_context(mail_door.serve(inst, self._mail, security))
        if self._part in ("serve", "worker"):
            behind = worker.prepared(inst)
            await running.enter_async_context(meanwhile("worker", lambda: worker.run(behind)))
            await running.enter_async_context(meanwhile("proving", lambda: proving.keep_proving(inst)))
        if self._web:
            await running.enter_async_context(meanwhile("sessions", lambda: sessions.watch_revocations(inst)))
            running.push_async_callback(activity.finish, inst)
            await running.enter_async_context(meanwhile("activity", lambda: activity.keep_writing(inst)))
            running.push_async_callback(settle)
            web = await running.enter_async_context(_web(inst, self._web, security))
            await running.enter_async_context(meanwhile("visits", lambda: web.visits.keep(inst.db)))
        if ready:
            say_ready(ready, self._as_json)
        else:
            print(
                json.dumps({"ready": self._part}) if self._as_json else f"ChatInbox {self._part} runs.",
                flush=True,
            )


async def _open(settings: Settings, admin_dsn: str) -> Installation:
    """Opens the installation, one process at a time; what an operator can mend is said in a sentence."""
    try:
        with open_private(settings.data / "opening", "a") as opening:
            fcntl.flock(opening, fcntl.LOCK_EX)
            refuse_unsafe(look_at_database(admin_dsn))
            inst = await open_installation(settings, admin_dsn)
            try:
                await look_before(inst)
            except BaseException:
                await inst.close()
                raise
            return inst
    except psycopg.errors.InsufficientPrivilege as error:
        raise Trouble(
            f"The role of DATABASE_URL may not do what a start needs ({error.diag.message_primary})."
            " It has to be able to create roles and schemas."
        ) from None
    except OSError as error:
        raise Trouble(
            f"The data folder {settings.data} cannot be used ({error.strerror}: {error.filename})."
        ) from None


@contextlib.asynccontextmanager
async def _web(inst: Installation, listening: socket.socket, security: SecurityLog) -> AsyncIterator[App]:
    app = await build(inst, security)
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=inst.settings.trust_proxy,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=4,
        backlog=WAITING,
    )
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():  # noqa: ASYNC110 — uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    try:
        yield app
    finally:
        app.close()
        server.should_exit = True
        await asyncio.wait_for(serving, 10)


class _Quiet(uvicorn.Server):
    """Leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Does not."""
        yield
