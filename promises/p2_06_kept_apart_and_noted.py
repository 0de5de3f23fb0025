"""A log against attacks and faults may hold network addresses and devices. It is kept apart, readable only by people who look after security, and each reading is noted."""

import psycopg

from chatinbox.core.clock import now
from chatinbox.watch import defects
from chatinbox.watch.read_security_log import read_entries, read_readings
from chatinbox.watch.security_log import SecurityLog
from promises.catalogue import READERS_OF_THE_LOG
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C12", "C13")
WHY = "proof that a reading is noted"


def look_at_who_may_read(here: Here) -> str:
    """No role but the console's reader can read the log; the program's own cannot"""
    may = here.column(READERS_OF_THE_LOG)
    assert may == ["chatinbox_seclog", "chatinbox_security_reader"], f"it can be read by {', '.join(may)}"
    enters = here.column("select rolname from pg_roles where rolname = any(%s) and rolcanlogin", [may])
    assert enters == ["chatinbox_security_reader"], f"{', '.join(enters)} can connect"
    noted = here.column("select count(*) from seclog.reading")[0]
    return f"One role can read it, the console's; {noted} readings are noted."


async def proof_that_a_reading_is_noted(stage: Stage) -> str:
    """A reading needs a reason and is noted before a row is shown; a fault leaves no value in it"""
    log, today = SecurityLog(), now().date()
    secret = "canary-of-a-variable"  # noqa: S105
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError as error:
        log.note("203.0.113.7", "Firefox", "/sign-in", 500, defects.defect_of(error))
    await log.write(stage.inst.db, stage.vault)
    with refused(by=psycopg.errors.CheckViolation, otherwise="it was read without a reason"):
        read_entries(stage.reader, stage.vault, "proof", "why not", today, today)
    [entry] = read_entries(stage.reader, stage.vault, "proof", WHY, today, today)
    assert entry.place and entry.place.address == "203.0.113.7" and entry.defect, (
        "the entry is not what was noted"
    )
    assert [one.reason for one in read_readings(stage.reader)] == [WHY], "the reading was not noted"
    with refused(by=psycopg.errors.InsufficientPrivilege, otherwise="the program can read it"):
        await stage.inst.db.directory("select * from seclog.entry")
    assert not stage.found(secret, "203.0.113.7"), (
        "an address or a variable's value stands somewhere unsealed"
    )
    return "Read with a reason: noted; without one, or by the program: refused."


async def saboteur_lets_the_program_read(stage: Stage) -> None:
    """Gives the program the right to read the log"""
    stage.break_in(
        "grant usage on schema seclog to chatinbox_app", "grant select on seclog.entry to chatinbox_app"
    )


async def saboteur_reads_silently(stage: Stage) -> None:
    """Reads without noting it"""
    stage.break_in(
        "create or replace function seclog.read(reader text, reason text, first_day date, last_day date)"
        " returns setof seclog.entry language sql security definer as $$ select * from seclog.entry $$"
    )


async def saboteur_keeps_what_a_fault_said(stage: Stage) -> None:
    """Keeps the message of a fault beside its kind"""
    known = defects.defect_of

    def talkative(error: BaseException) -> defects.Defect:
        found = known(error)
        return defects.Defect(found.fingerprint, f"{found.kind}: {error}", found.places)

    stage.swap(defects, "defect_of", talkative)
