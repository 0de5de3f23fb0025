"""A disk that is full while old days are destroyed: it stops, says why, and goes on when there is room; nothing is called
destroyed that is not.
"""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
import structlog

from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import build
from chatinbox.conftest import OPERATOR, Browser, Say
from chatinbox.core import keystore
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.watch import security_days
from chatinbox.watch.evidence import read_evidence
from chatinbox.watch.security_days import KEPT_DAYS, drop_before_serving, drop_old_days
from chatinbox.watch.security_log import SecurityLog
from chatinbox.web.site import ending, status

DAY = timedelta(days=1)
LATER = (KEPT_DAYS + 2) * DAY


@pytest.fixture(autouse=True)
async def three_days(inst: Installation, above: psycopg.Connection) -> AsyncIterator[list[date]]:
    """Three days with an entry each, and their keys."""
    await inst.vault.destroy_days_before(date.max)
    above.execute("select seclog.drop_before('9999-01-01')")
    above.execute("delete from seclog.dropped")
    for ahead in range(3):
        with travel(ahead * DAY):
            log = SecurityLog()
            log.note("203.0.113.7", "Firefox", "/", 200)
            await log.write(inst.db, inst.vault)
    yield [now().date() + ahead * DAY for ahead in range(3)]
    security_days._undone = None


@contextmanager
def database_full(above: psycopg.Connection) -> Iterator[None]:
    """The database has room for one day and none for the next."""
    above.execute(
        "create or replace function seclog.full() returns trigger language plpgsql as $$ begin"
        " if (select count(*) from seclog.dropped) >= 1 then raise exception 'could not extend file' using errcode = '53100';"
        " end if; return new; end $$"
    )
    above.execute(
        "create trigger no_room before insert on seclog.dropped for each row execute function seclog.full()"
    )
    try:
        yield
    finally:
        above.execute("drop trigger no_room on seclog.dropped")


@contextmanager
def ledger_full(inst: Installation) -> Iterator[None]:
    """The ledger's disk takes a few bytes more, in earnest: what is written is torn."""
    most, hard = inst.vault.destroyed.path.stat().st_size + 40, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, hard)


@contextmanager
def keystore_full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The keystore takes no page more."""
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

        patch.setattr(keystore.Keystore, "_do", full)
        yield


def entries(above: psycopg.Connection) -> list[date]:
    return [row[0] for row in above.execute("select day from seclog.entry order by day")]


async def called_destroyed(inst: Installation) -> int:
    return (await read_evidence(inst.db, inst.vault)).dropped_count


async def stops(inst: Installation, full: Callable[[], Any]) -> None:
    """A round does not come to its end, twice, and a start neither; each says why."""
    with full():
        for _ in range(2):
            with pytest.raises((OSError, sqlite3.Error, psycopg.Error)):
                await drop_old_days(inst.db, inst.vault)
        assert security_days.undone() == "disk_full"
        with pytest.raises(Trouble, match="The disk is full"):
            await drop_before_serving(inst.db, inst.vault)
        assert [one.state for one in ending.parts()] == ["holds", "broken"]


async def goes_on(inst: Installation, above: psycopg.Connection, days: list[date]) -> None:
    """There is room again."""
    assert await drop_old_days(inst.db, inst.vault) == days and security_days.undone() is None
    assert entries(above) == [] and await called_destroyed(inst) == len(days)
    inst.vault.forget()
    for day in days:
        with pytest.raises(Erased):
            inst.vault.day_key(day)
    assert [one.state for one in ending.parts()] == ["holds"]
    inst.vault.destroyed.head()
    inst.vault.destroyed.read()  # whole


async def test_the_databases_disk_is_full_while_days_are_dropped(
    inst: Installation, above: psycopg.Connection, three_days: list[date]
) -> None:
    """It would have had room for one: that one stays with the others, without its key, and is not called destroyed."""
    with travel(LATER):
        await stops(inst, lambda: database_full(above))
        assert entries(above) == three_days and await called_destroyed(inst) == 0
        assert inst.vault.key_days() == []  # keys go first: what is left opens for nobody
        await goes_on(inst, above, three_days)


async def test_the_ledgers_disk_is_full_before_a_key_goes(
    inst: Installation, above: psycopg.Connection, three_days: list[date]
) -> None:
    lines = len(inst.vault.destroyed.read())
    with travel(LATER):
        await stops(inst, lambda: ledger_full(inst))
        assert inst.vault.key_days() == entries(above) == three_days and await called_destroyed(inst) == 0
        inst.vault.destroyed.head()
        assert len(inst.vault.destroyed.read()) == lines  # the torn line is none
        await goes_on(inst, above, three_days)
        assert len(inst.vault.destroyed.read()) == lines + 3


async def test_the_keystores_disk_is_full(
    inst: Installation, above: psycopg.Connection, three_days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    with travel(LATER):
        await stops(inst, lambda: keystore_full(monkeypatch))
        assert inst.vault.key_days() == entries(above) == three_days and await called_destroyed(inst) == 0
        await goes_on(inst, above, three_days)


async def test_the_round_says_why_and_tries_again_sooner(
    inst: Installation, above: psycopg.Connection, three_days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    rest = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise asyncio.CancelledError
        await rest(0)
        if len(slept) == 3:
            above.execute("alter table seclog.dropped disable trigger no_room")

    monkeypatch.setattr(security_days.asyncio, "sleep", sleep)
    with (
        travel(LATER),
        database_full(above),
        structlog.testing.capture_logs() as told,
        pytest.raises(asyncio.CancelledError),
    ):
        await security_days.keep_dropping(inst.db, inst.vault)
    hour, soon = security_days.ROUND_SECONDS, security_days.AGAIN_SECONDS
    assert slept == [hour, soon, soon, hour]
    codes = [one["reason_code"] for one in told if one["event"] == "security_log_days_not_dropped"]
    assert codes == ["disk_full"] * 2 and entries(above) == []


async def test_the_lamp_is_red_while_a_day_stays(
    inst: Installation, above: psycopg.Connection, three_days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_look", status.Look())
    public = replace(inst, settings=replace(inst.settings, website=True, **OPERATOR))
    with travel(LATER):
        await stops(inst, lambda: database_full(above))
    async with Browser(public, await build(public)) as browser:
        for path in ("/trust", "/status"):
            page = (await browser.get(path)).text
            assert "The disk is full, so an old day could not be destroyed." in page and "Not done" in page, (
                path
            )


async def test_an_erasure_without_room_is_not_called_done_and_goes_on(
    inst: Installation, above: psycopg.Connection, ada: Staff, say: Say
) -> None:
    said = await say(ada, "Hello", "frida@mail.example")
    erasure_id = await ask_erasure(inst, ada, said.customer_id, "Casey Customer")
    above.execute(
        "create function public.full() returns trigger language plpgsql as"
        " $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$"
    )
    above.execute(
        "create trigger no_room before delete on tenant.message for each row execute function public.full()"
    )
    state = "select begun_at is not null, done_at is not null, signature is not null from tenant.erasure where id = %s"
    with travel(UNDO + DAY):
        for _ in range(2):
            with pytest.raises(psycopg.errors.DiskFull):
                await erase(inst, ada.account_id, erasure_id)
            assert above.execute(state, [erasure_id]).fetchone() == (True, False, False)
        above.execute("drop trigger no_room on tenant.message")
        above.execute("drop function public.full")
        assert await erase(inst, ada.account_id, erasure_id)
        assert above.execute(state, [erasure_id]).fetchone() == (True, True, True)
