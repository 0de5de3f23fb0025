"""The log goes to nobody and feeds no statistics, no marketing and no profile."""

import inspect
import sys
from typing import Any

from chatinbox.core import egress
from chatinbox.watch import visits
from chatinbox.watch.security_log import SecurityLog
from promises.catalogue import READERS_OF_THE_LOG
from promises.stage import Here, Stage

CLAUSES = ("C16", "C17")
ROOMS = "('tenant', 'directory', 'search', 'work', 'watch', 'desk')"


def look_that_no_role_reads_both(here: Here) -> str:
    """Whoever can read the log can read nothing else, and nobody else can read it"""
    readers = here.column(READERS_OF_THE_LOG)
    both = here.column(
        "select distinct r.rolname || ' reads ' || c.oid::regclass from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace"
        f" where r.rolname = any(%s) and n.nspname in {ROOMS} and c.relkind in ('r', 'p') and has_table_privilege(r.oid, c.oid, 'select')",
        [readers],
    )
    assert not both, "; ".join(both)
    assert set(readers) == {"chatinbox_seclog", "chatinbox_security_reader"}, (
        f"it is read by {', '.join(readers)}"
    )
    views = here.column(
        "select distinct v.oid::regclass::text from pg_depend d join pg_rewrite w on w.oid = d.objid join pg_class v on v.oid = w.ev_class"
        " where d.refobjid = 'seclog.entry'::regclass and v.relkind in ('v', 'm')"
    )
    assert not views, f"a view shows it: {', '.join(views)}"
    return "No role reads the log and anything else; no view shows it."


async def proof_that_it_has_no_way_out(stage: Stage) -> str:
    """No errand and no recipient can carry it, and what it holds changes no count"""
    ways_out = [name for name in sys.modules if name.startswith("chatinbox.core.egress")]
    speak = [name for name in ways_out if "seclog" in inspect.getsource(sys.modules[name])]
    assert not speak, f"what leaves knows of the log: {', '.join(speak)}"
    kinds = stage.column(
        "select conname from pg_constraint where conrelid = 'tenant.ledger'::regclass and pg_get_constraintdef(oid) like '%security%'"
    )
    assert not kinds, "the ledger has a kind for it"
    counters: Any = visits.Visits()
    for _ in range(2):
        log = SecurityLog()
        for number in range(20):
            log.note(f"203.0.113.{number}", "Firefox", "/pricing", 200)
        await log.write(stage.inst.db, stage.vault)
    await counters.write(stage.inst.db)
    assert stage.rows("select * from watch.visit") == [], "the log made counts"
    return f"{len(egress.REGISTER)} named recipients, none for the log; 40 entries changed no count."


async def saboteur_lets_the_reader_read_on(stage: Stage) -> None:
    """Lets the log's reader read customers, too"""
    stage.break_in(
        "grant usage on schema tenant to chatinbox_security_reader",
        "grant select on tenant.customer to chatinbox_security_reader",
    )


async def saboteur_makes_a_view_of_countries(stage: Stage) -> None:
    """Makes statistics out of the log"""
    stage.break_in("create view watch.by_route as select route, count(*) from seclog.entry group by route")


async def saboteur_counts_from_the_log(stage: Stage) -> None:
    """Adds what the log noted to the counts of visits"""
    stage.break_in(
        "create function watch.from_log() returns trigger language plpgsql security definer as $$ begin"
        " insert into watch.visit values (new.day, new.route, 'computer', '-', 1) on conflict do nothing; return new; end $$",
        "create trigger from_log after insert on seclog.entry for each row execute function watch.from_log()",
    )
