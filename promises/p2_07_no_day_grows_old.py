"""No entry of that log lives sixty days. Its day and the key of that day are destroyed before."""

import contextlib
import sys
from datetime import date, timedelta
from typing import Any

from chatinbox.core import sure
from chatinbox.core.clock import jump, now, travel
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased
from chatinbox.watch import security_days
from chatinbox.watch.read_security_log import read_entries
from chatinbox.watch.security_days import drop_old_days
from chatinbox.watch.security_log import SecurityLog, open_place
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C14",)
WHY = "proof that no day grows old"


def look_at_the_oldest_day(here: Here) -> str:
    """No day that is there is sixty days old"""
    days = here.column("select * from seclog.days()")
    if not days:
        return "The security log is empty."
    age = (now().date() - days[0]).days + 1
    assert age < 60, f"the oldest day is {age} days old at its end"
    return f"The oldest day of the security log began {age - 1} days ago; {len(days)} days are kept."


async def proof_with_a_moved_clock(stage: Stage) -> str:
    """Before its sixtieth day an entry, its file and its key are gone; a copy cannot be opened"""
    first = now().date()
    log = SecurityLog()
    log.note("203.0.113.7", "canary-device", "/sign-in", 422)
    await log.write(stage.inst.db, stage.vault)
    [(row_id, copy)] = stage.rows("select id, place_sealed from seclog.entry")
    parts = stage.column(
        "select pg_relation_filepath(inhrelid) from pg_inherits where inhparent = 'seclog.entry'::regclass"
    )
    assert open_place(stage.vault.day_key(first), copy, row_id).device == "canary-device"
    with travel(timedelta(days=58)):
        await drop_old_days(stage.inst.db, stage.vault)
        assert read_entries(stage.reader, stage.vault, "proof", WHY, first, first), (
            "it was gone while it may be read"
        )
    with travel(timedelta(days=59, hours=23)):
        await drop_old_days(stage.inst.db, stage.vault)
    assert not stage.rows("select 1 from seclog.entry"), "the entry can still be selected"
    assert not stage.column("select * from seclog.days()"), "its day is still there"
    stage.above.execute("checkpoint")
    left = [part for part in parts if (file := stage.cluster_files / part).exists() and file.stat().st_size]
    assert not left, "its file is still on the disk"
    stage.vault.forget()
    with refused(by=Erased, otherwise="the key of its day is still there, so a copy can be opened"):
        stage.vault.day_key(first)
    return "An entry was written, the clock moved by 59 days: row, file and key were gone."


async def proof_with_a_clock_set_back(stage: Stage) -> str:
    """A clock that is set back while it runs keeps no day longer, and one that jumps ahead takes none before its time"""
    log = SecurityLog()
    log.note("203.0.113.8", "canary-device", "/sign-in", 422)
    await log.write(stage.inst.db, stage.vault)
    await sure.arrive(stage.inst.db)
    stage.later(sure.leave)
    with jump(timedelta(days=400)):
        await drop_old_days(stage.inst.db, stage.vault)
        assert stage.rows("select 1 from seclog.entry"), "a jump of the clock took it before its time"
    with jump(timedelta(days=-90)), travel(timedelta(days=59)):
        await drop_old_days(stage.inst.db, stage.vault)
    assert not stage.rows("select 1 from seclog.entry"), "a clock that was set back kept it"
    return "Set 90 days back, the clock kept no entry longer; 400 days ahead, it took none early."


async def proof_that_without_room_nobody_is_served(stage: Stage) -> str:
    """A disk too full to destroy a day ends the start; no day is called destroyed that is not, and the next start goes on"""
    log = SecurityLog()
    log.note("203.0.113.9", "canary-device", "/sign-in", 422)
    await log.write(stage.inst.db, stage.vault)
    called = stage.rows("select day, at from seclog.dropped")
    stage.break_in(
        "create function seclog.full() returns trigger language plpgsql as"
        " $$ begin raise exception 'no room' using errcode = '53100'; end $$",
        "create trigger no_room before insert on seclog.dropped for each row execute function seclog.full()",
    )
    with travel(timedelta(days=59)):
        with refused(by=Trouble, otherwise="people are served while an old day is there"):
            await security_days.drop_before_serving(stage.inst.db, stage.vault)
        assert security_days.undone(), "nothing shows that a day was not destroyed"
        assert stage.rows("select 1 from seclog.entry"), "this shows nothing: the day went"
        assert stage.rows("select day, at from seclog.dropped") == called, (
            "a day counts as destroyed that is there"
        )
        stage.break_in("drop trigger no_room on seclog.dropped", "drop function seclog.full")
        await security_days.drop_before_serving(stage.inst.db, stage.vault)
    assert not stage.rows("select 1 from seclog.entry"), "it did not go when there was room again"
    return "With no room to destroy a day, the start ended; with room, the day was gone before anybody was answered."


async def saboteur_deletes_rows(stage: Stage) -> None:
    """Deletes the rows of an old day instead of dropping it"""

    async def delete(db: Any, vault: Any) -> list[date]:
        stage.above.execute(
            "delete from seclog.entry where day < %s", [security_days.first_kept(now().date())]
        )
        return []

    stage.swap(sys.modules[__name__], "drop_old_days", delete)


async def saboteur_keeps_the_key(stage: Stage) -> None:
    """Drops the day and keeps its key"""

    async def keep(kept: date) -> int:
        return 0

    stage.swap(type(stage.vault), "destroy_days_before", lambda _vault, kept: keep(kept))


async def saboteur_counts_wrongly(stage: Stage) -> None:
    """Keeps a day until it is wholly older than sixty days"""
    stage.swap(security_days, "KEPT_DAYS", 61)


async def saboteur_switches_the_round_off(stage: Stage) -> None:
    """Never drops anything"""
    stage.swap(security_days, "first_kept", lambda _today: date.min)


async def saboteur_goes_by_the_time_of_day(stage: Stage) -> None:
    """Believes the clock, whatever jumps it makes"""
    stage.swap(security_days, "sure_now", now)


async def saboteur_serves_nevertheless(stage: Stage) -> None:
    """Starts although an old day could not be destroyed"""
    goes_on = security_days.drop_before_serving

    async def shrug(db: Any, vault: Any) -> None:
        with contextlib.suppress(Trouble):
            await goes_on(db, vault)

    stage.swap(security_days, "drop_before_serving", shrug)
