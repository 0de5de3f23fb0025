"""What cannot be undone does not go by a clock that jumped: days of the security log, rules, closed accounts, erasures, ledgers."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
import structlog

from chatinbox.accounts.closing import GRACE, close_account
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.app import clock as clock_command
from chatinbox.app.backup.copy import forget_destroyed
from chatinbox.conftest import People, Say
from chatinbox.core import sure
from chatinbox.core.clock import jump, now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.erasure.ask import ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.retention.due import Asked
from chatinbox.privacy.retention.rules import make_rule
from chatinbox.privacy.retention.run import run_rules
from chatinbox.watch.security_days import KEPT_DAYS, drop_old_days
from chatinbox.watch.security_log import SecurityLog

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def looked_after(inst: Installation, above: psycopg.Connection) -> AsyncIterator[None]:
    above.execute("delete from work.clock")
    above.execute("select seclog.drop_before('9999-01-01')")
    await inst.vault.destroy_days_before(date.max)
    await sure.arrive(inst.db)
    yield
    sure.leave()


async def close(inst: Installation, by: Staff) -> None:
    await close_account(inst, by, await read_account_name(inst, by.account_id))


async def connects(inst: Installation) -> None:
    log = SecurityLog()
    log.note("203.0.113.7", "Firefox", "/", 200)
    await log.write(inst.db, inst.vault)


def days(above: psycopg.Connection) -> set[date]:
    return {row[0] for row in above.execute("select distinct day from seclog.entry")}


async def test_a_jump_ahead_destroys_nothing_and_time_that_passes_does(
    inst: Installation, above: psycopg.Connection, ada: Staff, cyd: Staff, say: Say
) -> None:
    await say(ada, "Hello")
    said = await say(ada, "Undo this", "frida@mail.example")
    await make_rule(inst, ada, Asked("age", 30))
    await close(inst, cyd)
    inst.vault.destroyed.add([("raw_mail", ada.account_id, new_id())])
    await connects(inst)
    day, lines = now().date(), len(inst.vault.destroyed.read())
    erasure_id = await ask_erasure(inst, ada, said.customer_id, "Casey Customer")
    with jump(400 * DAY), structlog.testing.capture_logs() as told:
        assert not await erase(inst, ada.account_id, erasure_id), "an undo that still holds was cut short"
        assert await drop_old_days(inst.db, inst.vault) == [] and days(above) == {day}
        assert await run_rules(inst, ada.account_id) == 0
        assert await destroy_due(inst) == []
        assert forget_destroyed(inst.vault) == 0 and len(inst.vault.destroyed.read()) == lines
    said_no = {one.get("name") for one in told if one["event"] == "clock_in_doubt_so_nothing_is_destroyed"}
    assert said_no == {"retention rules", "closed accounts", "lines about destroyed keys"}
    with travel(GRACE + 2 * DAY):
        await sure.look(inst.db)
        assert await erase(inst, ada.account_id, erasure_id)
        assert await run_rules(inst, ada.account_id) == 1
        assert await destroy_due(inst) == [cyd.account_id]
        assert forget_destroyed(inst.vault) > 0
    with travel(KEPT_DAYS * DAY):
        assert await drop_old_days(inst.db, inst.vault) == [day]


async def test_a_clock_that_was_set_back_keeps_no_day(inst: Installation, above: psycopg.Connection) -> None:
    await connects(inst)
    day = now().date()
    with jump(-90 * DAY):
        with travel((KEPT_DAYS - 1) * DAY):
            assert await drop_old_days(inst.db, inst.vault) == []
        with travel(KEPT_DAYS * DAY):
            assert await drop_old_days(inst.db, inst.vault) == [day]


async def test_after_ten_days_away_days_go_at_once_and_the_rest_a_day_later(
    inst: Installation, above: psycopg.Connection, eve: Staff, say: Say
) -> None:
    with travel(-55 * DAY):
        await connects(inst)
        await say(eve, "Long ago")
    await make_rule(inst, eve, Asked("age", 30))
    await close(inst, eve)
    with travel(GRACE + 10 * DAY):
        sure.leave()
        await sure.arrive(inst.db)
        assert len(await drop_old_days(inst.db, inst.vault)) == 1
        assert await destroy_due(inst) == []
    with travel(GRACE + 11 * DAY + timedelta(hours=1)):
        await sure.look(inst.db)
        assert eve.account_id in await destroy_due(inst)


@pytest.fixture
async def eve(people: People) -> Staff:
    """Owner of one more account."""
    return await people.owner("Eve", "Eve's Ale")


@pytest.mark.parametrize(
    "begins",
    [datetime(2028, 2, 28, 23, 30, tzinfo=UTC), datetime(2100, 2, 27, 23, 30, tzinfo=UTC)],
    ids=["leap year", "a hundred that is none"],
)
async def test_each_day_around_a_leap_day_is_one_partition_and_goes_after_its_days(
    inst: Installation, above: psycopg.Connection, begins: datetime
) -> None:
    sure.leave()
    start = begins - now()
    for ahead in range(3):
        with travel(start + ahead * DAY):
            await connects(inst)
    written = sorted(days(above))
    assert written == [begins.date() + ahead * DAY for ahead in range(3)]
    for ahead, day in enumerate(written):
        with travel(start + (ahead + KEPT_DAYS - 1) * DAY):
            assert await drop_old_days(inst.db, inst.vault) == []
        with travel(start + (ahead + KEPT_DAYS) * DAY):
            assert await drop_old_days(inst.db, inst.vault) == [day]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"])
async def test_where_summer_time_begins_and_ends_a_day_is_a_day_of_utc(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """The machine's own time has days of 23 and 25 hours, and of half an hour more; the log's have 24."""
    sure.leave()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for changes in (datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, tzinfo=UTC)):
            start = changes - now()
            for hour in range(0, 72, 6):
                with travel(start + timedelta(hours=hour, minutes=1)):
                    await connects(inst)
            counted = above.execute(
                "select day, sum(entry_count) from seclog.entry group by day order by day"
            ).fetchall()
            assert counted == [(changes.date() + ahead * DAY, 4) for ahead in range(3)]
            with travel(start + (KEPT_DAYS + 2) * DAY - timedelta(minutes=1)):
                assert len(await drop_old_days(inst.db, inst.vault)) == 2
            with travel(start + (KEPT_DAYS + 2) * DAY + timedelta(minutes=1)):
                assert len(await drop_old_days(inst.db, inst.vault)) == 1
    finally:
        os.environ.pop("TZ", None)
        monkeypatch.undo()
        time.tzset()


async def test_the_command_shows_and_confirms(
    inst: Installation, above_all: str, above: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(inst.settings, database_url=above_all)
    assert clock_command.tell_clock(settings, "show") == 0
    above.execute("update work.clock set doubted_at = now(), seen_at = now() - interval '9 days'")
    assert clock_command.tell_clock(settings, "show") == 1
    assert "clock confirm" in capsys.readouterr().out
    assert clock_command.tell_clock(settings, "confirm") == 0
    assert "It is believed." in capsys.readouterr().out
    above.execute("update work.clock set seen_at = now() - interval '9 days'")
    assert clock_command.tell_clock(settings, "show") == 0
    assert "nothing is destroyed by it before" in capsys.readouterr().out
