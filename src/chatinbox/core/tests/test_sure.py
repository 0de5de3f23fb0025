"""A clock that jumps destroys nothing: it is compared with what passed, with what was kept, and with the database's."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import psycopg
import pytest

from chatinbox.core import sure
from chatinbox.core.clock import jump, now, travel
from chatinbox.core.installation import Installation

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def begun(inst: Installation, above: psycopg.Connection) -> AsyncIterator[None]:
    """The clock is looked after, from the beginning."""
    above.execute("delete from work.clock")
    await sure.arrive(inst.db)
    yield
    sure.leave()


async def restart(inst: Installation) -> None:
    """The process ends and begins anew."""
    sure.leave()
    await sure.arrive(inst.db)


def kept(above: psycopg.Connection, column: str) -> datetime | None:
    """What the database has of it."""
    row = above.execute(f"select {column} from work.clock".encode()).fetchone()
    return row[0] if row else None


async def test_time_that_passes_is_believed(inst: Installation) -> None:
    for days in (0, 1, 30, 400):
        with travel(days * DAY):
            await sure.look(inst.db)
            assert sure.doubt() is None and sure.may_destroy("x") and sure.sure_now() <= now()


@pytest.mark.parametrize("by", [37 * HOUR, 10 * DAY, 3650 * DAY, -37 * HOUR, -400 * DAY])
async def test_a_jump_stops_what_cannot_be_undone_at_once_and_until_it_is_back(
    inst: Installation, above: psycopg.Connection, by: timedelta
) -> None:
    true = now()
    with jump(by):
        assert not sure.may_destroy("x")  # before the next look, too
        await sure.look(inst.db)
        assert sure.doubt() and kept(above, "doubted_at") and not sure.may_destroy("x")
        assert abs(sure.sure_now() - true) < HOUR
        assert sure.earliest() < true + HOUR
        with travel(3 * DAY):  # time passes nevertheless
            assert abs(sure.sure_now() - true - 3 * DAY) < HOUR and not sure.may_destroy("x")
            await sure.look(inst.db)
            await restart(inst)  # a start makes it no better
            assert sure.doubt() and not sure.may_destroy("x")
    with travel(3 * DAY):
        await sure.look(inst.db)
        assert sure.doubt() is None and kept(above, "doubted_at") is None and sure.may_destroy("x")


@pytest.mark.parametrize("by", [35 * HOUR, -35 * HOUR, HOUR, -HOUR])
async def test_a_small_step_is_no_jump(inst: Installation, by: timedelta) -> None:
    with jump(by):
        await sure.look(inst.db)
        assert sure.doubt() is None and sure.may_destroy("x")


async def test_many_small_steps_are_one_jump(inst: Installation) -> None:
    """What is sure is not set anew by each look, so a clock cannot creep away."""
    with jump(20 * HOUR):
        await sure.look(inst.db)
        assert sure.may_destroy("x")
        with jump(20 * HOUR):
            await sure.look(inst.db)
            assert not sure.may_destroy("x")


async def test_the_databases_clock_has_to_agree_with_what_is_confirmed(
    inst: Installation, above: psycopg.Connection
) -> None:
    with jump(10 * DAY):
        await sure.look(inst.db)
        with psycopg.connect(above.info.dsn) as conn:
            sure.confirm(conn)
        await sure.look(inst.db)  # hears it; and the database was not set
        assert sure.doubt()


async def test_a_confirmed_clock_is_believed_where_the_database_goes_by_it(
    inst: Installation, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sure, "_READ", sure._READ.replace("clock_timestamp()", "clock_timestamp() + interval '10 days'")
    )
    with jump(10 * DAY):
        await sure.look(inst.db)
        assert not sure.may_destroy("x")
        with psycopg.connect(above.info.dsn) as conn:
            sure.confirm(conn)
        await sure.look(inst.db)
        assert sure.may_destroy("x") and sure.sure_now() - now() < HOUR
        await restart(inst)
        assert sure.may_destroy("x")


async def test_a_start_that_comes_late_waits_a_day(inst: Installation, above: psycopg.Connection) -> None:
    with travel(10 * DAY):
        await restart(inst)
        assert sure.doubt() is None and sure.waits_until() and not sure.may_destroy("x")
        assert sure.sure_now() - now() < HOUR  # days of the security log go by this, as before
        await restart(inst)  # a second process, or another start: it waits as long, not longer
        until = kept(above, "waits_until")
        assert sure.waits_until() == until
    with travel(11 * DAY + HOUR):
        await sure.look(inst.db)
        assert sure.waits_until() is None and sure.may_destroy("x")


async def test_a_start_after_a_short_pause_waits_for_nothing(inst: Installation) -> None:
    with travel(30 * HOUR):
        await restart(inst)
        assert sure.may_destroy("x")


async def test_a_machine_that_begins_in_the_past_is_doubted_until_its_clock_is_set(
    inst: Installation,
) -> None:
    sure.leave()
    with jump(-20000 * DAY):
        await sure.arrive(inst.db)
        assert sure.doubt() and not sure.may_destroy("x")
    await sure.look(inst.db)
    assert sure.doubt() is None and sure.may_destroy("x")


async def test_where_nobody_looks_after_the_clock_it_is_believed() -> None:
    """Commands, and tests that let time pass."""
    sure.leave()
    with travel(400 * DAY):
        assert sure.may_destroy("x") and sure.sure_now() - now() < HOUR
