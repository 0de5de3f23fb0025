"""What is recorded: enumerated kinds, sign-ins and their ends, times of activity counted once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from psycopg import errors

from chatinbox.accounts import activity, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.staff_record import KINDS, Recorded, record
from chatinbox.core import clock
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.reports.activity import read_activity
from chatinbox.reports.period import read_period, read_zone
from chatinbox.reports.tests.conftest import Settle, answer, at_work

UTC = read_zone("UTC")


async def rows_of(inst: Installation, who: Staff, columns: str, table: str = "staff_record") -> list[Any]:
    [rows] = await inst.db.run(
        who.account_id, (f"select {columns} from {table} where account_id = %s", [who.account_id])
    )
    return rows


async def test_a_kind_that_is_not_enumerated_is_rejected_by_code_and_by_the_database(
    inst: Installation, ada: Staff
) -> None:
    with pytest.raises(Refused) as refused:
        await record(inst, ada.account_id, Recorded("keystrokes", ada.staff_user_id, now()))  # type: ignore[arg-type]
    assert refused.value.status == 422
    with pytest.raises(errors.CheckViolation):
        await inst.db.run(
            ada.account_id,
            (
                "insert into staff_record (account_id, id, kind, staff_user_id, conversation_id, at)"
                " values (%s, %s, 'page_viewed', %s, %s, now())",
                [ada.account_id, new_id(), ada.staff_user_id, new_id()],
            ),
        )
    assert await rows_of(inst, ada, "kind") == []


async def test_the_database_knows_the_kinds_that_people_are_told_and_no_other(inst: Installation) -> None:
    [[check]] = await inst.db.directory(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tenant.staff_record'::regclass"
        " and conname = 'staff_record_kind_check'"
    )
    assert set(re.findall(r"'(\w+)'", check)) == set(KINDS) - {"active"}


async def test_nothing_recorded_can_hold_an_address_a_device_or_words(inst: Installation) -> None:
    rows = await inst.db.directory(
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " where c.relname in ('staff_record', 'staff_activity', 'report_view') and a.attnum > 0 and not a.attisdropped and c.relkind = 'r'"
    )
    assert {kind for _, _, kind in rows} == {"uuid", "text", "bigint", "timestamp with time zone"}
    assert {(table, name) for table, name, kind in rows if kind == "text"} == {
        ("staff_record", "kind"),
        ("staff_record", "how"),
        ("report_view", "report"),
    }


async def test_a_sign_in_and_its_end_are_recorded_with_how_and_for_nobody_else(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    token = await sessions.start(inst, bea, "Firefox on Linux", how="passkey")
    session = await sessions.session_for(inst, token)
    assert session
    with travel(timedelta(hours=2)):
        await sessions.end(inst, bea.person_id, session.session_id)
    found = await rows_of(inst, ada, "kind, staff_user_id, how, session_id, at")
    assert [(kind, who, how, of) for kind, who, how, of, _ in sorted(found, key=lambda row: row[4])] == [
        ("sign_in", bea.staff_user_id, "passkey", session.session_id),
        ("session_end", bea.staff_user_id, None, session.session_id),
    ]
    assert await rows_of(inst, cyd, "kind") == []


async def test_a_session_that_runs_out_ends_when_it_ran_out(inst: Installation, ada: Staff) -> None:
    await sessions.start(inst, ada, "tests", proven_elsewhere=True)
    [[_, how, began]] = await rows_of(inst, ada, "kind, how, at")
    assert how == "sso"
    with travel(timedelta(days=16)):
        await sessions.forget(inst)
    ends = [at for kind, at in await rows_of(inst, ada, "kind, at") if kind == "session_end"]
    assert [round((at - began) / sessions.IDLE, 3) for at in ends] == [1.0]


class Hours:
    """Moves the clock on, minute by minute, as somebody works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch, self._seconds = monkeypatch, 0.0

    def go(self, seconds: float) -> None:
        self._seconds += seconds
        self._patch.setattr(clock, "_offset", timedelta(seconds=self._seconds))


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    return Hours(monkeypatch)


async def lengths(inst: Installation, who: Staff) -> list[int]:
    await activity.write_due(inst, everything=True)
    rows = await rows_of(inst, who, "began_at, last_at", "staff_activity")
    return [round((last - began).total_seconds()) for began, last in sorted(rows)]


async def test_two_tabs_at_once_are_one_interval(inst: Installation, ada: Staff, hours: Hours) -> None:
    for _ in range(20):
        activity.sign(ada, "one")
        activity.sign(ada, "two")
        hours.go(30)
    activity.stop(ada, "one")
    assert await lengths(inst, ada) == [600]
    activity.sign(ada, "two")
    hours.go(30)
    activity.stop(ada, "two")
    assert await lengths(inst, ada) == [630]


async def test_no_sign_for_ninety_seconds_ends_the_interval_at_the_last_one(
    inst: Installation, ada: Staff, hours: Hours
) -> None:
    activity.sign(ada, "one")
    hours.go(30)
    activity.sign(ada, "one")
    hours.go(91)
    activity.sign(ada, "one")
    hours.go(45)
    activity.stop(ada, "one")
    assert await lengths(inst, ada) == [30, 45]


async def test_a_closed_tab_ends_the_interval_and_the_next_begins_another(
    inst: Installation, ada: Staff, hours: Hours
) -> None:
    activity.sign(ada, "one")
    hours.go(20)
    activity.stop(ada, "one")
    hours.go(60)
    activity.stop(ada, "one")  # twice, late: nothing
    activity.sign(ada, "two")
    hours.go(10)
    activity.stop(ada, "two")
    assert await lengths(inst, ada) == [20, 10]


async def test_a_late_goodbye_after_the_network_was_lost_adds_nothing(
    inst: Installation, ada: Staff, hours: Hours
) -> None:
    activity.sign(ada, "one")
    hours.go(3600)
    activity.stop(ada, "one")
    assert await lengths(inst, ada) == [0]


async def test_a_person_is_written_at_most_once_a_minute_however_many_signs(
    inst: Installation, ada: Staff, hours: Hours
) -> None:
    written = 0
    for _ in range(60):
        activity.sign(ada, "one")
        written += await activity.write_due(inst)
        hours.go(10)
    assert 9 <= written <= 11


async def test_strange_tabs_do_not_fill_the_memory(inst: Installation, ada: Staff) -> None:
    for number in range(1000):
        activity.sign(ada, f"tab {number}")
    assert len(activity._open[ada.staff_user_id].tabs) == activity.MOST_TABS


async def test_overlapping_intervals_of_two_machines_count_once_and_never_the_future(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    with travel(-timedelta(days=2)):
        began = now().replace(hour=9, minute=50, second=0, microsecond=0)
    await at_work(inst, bea, began, 60)
    await at_work(inst, bea, began + timedelta(minutes=30), 60)
    await at_work(inst, ada, now() - timedelta(minutes=10), 10_000)  # open still: up to its last sign
    report = await read_activity(inst, ada.account_id, read_period("28d", UTC))
    assert report.by_person[bea.staff_user_id].by_day == {began.date(): 5400}
    day = began.isoweekday()
    assert [report.by_hour[day, hour] for hour in (9, 10, 11)] == [600, 3600, 1200]
    assert report.by_person[ada.staff_user_id].now and not report.by_person[bea.staff_user_id].now
    assert 590 <= report.by_person[ada.staff_user_id].seconds <= 610
    assert (await read_activity(inst, cyd.account_id, read_period("28d", UTC))).by_person == {}


async def test_an_interval_over_midnight_is_split_where_the_reader_is(inst: Installation, ada: Staff) -> None:
    zone = read_zone("Asia/Kolkata")
    with travel(-timedelta(days=3)):
        midnight = now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    await at_work(inst, ada, midnight - timedelta(minutes=45), 90)
    report = await read_activity(inst, ada.account_id, read_period("28d", zone))
    days = report.by_person[ada.staff_user_id].by_day
    assert [days[d] for d in sorted(days)] == [2700, 2700]
    assert sorted(hour for _, hour in report.by_hour) == [0, 23]


async def test_deeds_are_recorded_once_though_the_worker_hears_them_twice(
    inst: Installation, ada: Staff, bea: Staff, say: Any, settle: Settle
) -> None:
    talk = await say(ada)
    await answer(inst, bea, talk.conversation_id, timedelta(minutes=14))
    await answer(inst, bea, talk.conversation_id, timedelta(minutes=20), then="done")
    await settle(ada)
    await settle(ada)
    found = await rows_of(inst, ada, "kind, staff_user_id, seconds")
    waits = [(kind, who, seconds and round(seconds / 60)) for kind, who, seconds in found]
    assert sorted(waits, key=str) == [
        ("answer", bea.staff_user_id, 14),
        ("answer", bea.staff_user_id, None),
        ("done", bea.staff_user_id, 20),
    ]
