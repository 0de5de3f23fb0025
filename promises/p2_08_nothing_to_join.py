"""The log has nothing in common with accounts, sessions or customers by which the two could be joined. A sign-up’s address is sealed apart, once, and cannot be compared with anything."""

from datetime import UTC, datetime
from typing import Any

from chatinbox.accounts import access
from chatinbox.accounts.sign_up import sign_up
from chatinbox.core.ids import new_id
from chatinbox.core.vault import SealKey
from chatinbox.watch import security_log
from chatinbox.watch.security_log import SecurityLog
from promises.catalogue import ADDRESSED
from promises.means import lift
from promises.stage import PASSWORD, Here, Stage

CLAUSES = ("C15",)
COLUMNS = {
    "day": "date", "id": "uuid", "minute": "timestamp with time zone", "place_sealed": "bytea", "route": "text",
    "status": "smallint", "defect": "text", "entry_count": "integer",
}  # fmt: skip
ADDRESS = "203.0.113.77"


def look_at_what_an_entry_is(here: Here) -> str:
    """An entry has no column of an account, a session or a request, and no time finer than a minute; no other table keeps an address"""
    columns = dict(
        here.rows(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = 'seclog.entry'::regclass and attnum > 0 and not attisdropped"
        )
    )
    assert columns == COLUMNS, f"an entry has other columns: {sorted(set(columns) ^ set(COLUMNS))}"
    finer = here.column("select count(*) from seclog.entry where date_trunc('minute', minute) <> minute")[0]
    assert not finer, f"{finer} entries have a time finer than a minute"
    addressed = here.column(ADDRESSED)
    assert addressed == ["tenant.sign_up_origin.ip_sealed"], f"an address is kept in {', '.join(addressed)}"
    return "Eight columns, by the minute; the one address elsewhere is the sealed one of a sign-up."


def look_at_who_looked(here: Here) -> str:
    """What is noted of who looked at what has no time finer than a quarter of an hour, in its ids neither"""
    for table in ("tenant.access", "tenant.access_waiting"):
        for row_id, at in here.rows(f"select id, at from {table}"):
            assert at.timestamp() % 900 == 0, "a row of the access ledger has a finer time"
            assert row_id.int >> 80 == int(at.timestamp()) * 1000, (
                "an id of the access ledger tells a finer time"
            )
    free = here.column(
        "select count(*) from pg_constraint where conrelid in ('tenant.access'::regclass, 'tenant.access_waiting'::regclass)"
        " and contype = 'c' and pg_get_constraintdef(oid) like '%date_bin%'"
    )
    assert free == [2], "the database takes a finer time"
    return "Who looked is noted by the quarter of an hour."


async def proof_that_two_sign_ups_cannot_be_compared(stage: Stage) -> str:
    """Two sign-ups from one address, and its entry in the log: no bytes in common, and the program cannot read it back"""
    for number in (1, 2):
        await sign_up(stage.inst, "Ada Lund", f"ada{number}@staff.example", "Tea", PASSWORD, origin=ADDRESS)
    log = SecurityLog()
    log.note(ADDRESS, "Firefox", "/sign-up", 200)
    await log.write(stage.inst.db, stage.vault)
    kept = stage.column("select ip_sealed from tenant.sign_up_origin") + stage.column(
        "select place_sealed from seclog.entry"
    )
    assert len(kept) == 3, "one of the three was not kept"
    pieces = [{bytes(one)[at : at + 8] for at in range(len(one) - 7)} for one in kept]
    assert not pieces[0] & pieces[1] and not pieces[0] & pieces[2], "they can be compared"
    assert not stage.found(ADDRESS), "the address stands somewhere unsealed"
    may = stage.column("select has_table_privilege('chatinbox_app', 'tenant.sign_up_origin', 'select')")[0]
    assert not may, "the program can read where a sign-up came from"
    minutes = stage.column("select minute from seclog.entry")
    assert all(one.second == one.microsecond == 0 for one in minutes), "an entry has a finer time"
    return "Two sign-ups from one address were kept without eight bytes in common."


async def saboteur_adds_a_request_id(stage: Stage) -> None:
    """Gives each entry the number of its request"""
    stage.break_in("alter table seclog.entry add column request_id uuid")


async def saboteur_keeps_the_moment(stage: Stage) -> None:
    """Keeps the moment of a connection instead of its minute"""
    lift(stage, "seclog.entry", "minute")

    class Moment(datetime):
        def replace(self, **_: Any) -> "Moment":  # type: ignore[override]
            return self

    stage.swap(security_log, "now", lambda: Moment.now(UTC))


async def saboteur_keeps_addresses_elsewhere(stage: Stage) -> None:
    """Notes from where somebody signed in"""
    stage.break_in("alter table directory.session add column ip text")


async def saboteur_lets_the_program_look_back(stage: Stage) -> None:
    """Lets the program read where sign-ups came from"""
    stage.break_in("grant select on tenant.sign_up_origin to chatinbox_app")


async def saboteur_keys_the_address(stage: Stage) -> None:
    """Keeps a keyed hash of the address in place of sealing it"""
    known = SealKey.seal

    def hashed(
        key: SealKey, value: str | bytes, account_id: Any, table: str, column: str, row_id: Any
    ) -> bytes:
        if column in ("ip", "place"):
            return stage.vault.blind_installation("address", ADDRESS)
        return known(key, value, account_id, table, column, row_id)

    stage.swap(SealKey, "seal", hashed)


async def saboteur_notes_the_moment_of_a_look(stage: Stage) -> None:
    """Gives a row of the access ledger an id of its moment"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    stage.swap(access, "id_at", lambda _at: new_id())
    await access.note(stage.inst, ada, "search")
