"""The security log: what is in it, who cannot read it, and that no day of it grows old (clauses C12 to C17)."""

import uuid
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import reader_dsn
from chatinbox.core.postgres import Cluster
from chatinbox.core.vault import Erased
from chatinbox.watch import defects, security_log
from chatinbox.watch.defects import defect_of
from chatinbox.watch.read_security_log import read_defects, read_entries, read_readings
from chatinbox.watch.security_days import KEPT_DAYS, drop_old_days, first_kept
from chatinbox.watch.security_log import SecurityLog

WHY = "looking into a burst of failed sign-ins"
CANARY = "canary-device-4f1d"


@pytest.fixture
def reader(inst: Installation, above_all: str) -> str:
    """The connection of who may read the log."""
    return reader_dsn(above_all, inst.vault)


@pytest.fixture(autouse=True)
async def empty(inst: Installation, above: psycopg.Connection) -> None:
    """The database is shared with other tests; the log begins anew."""
    await inst.vault.destroy_days_before(date.max)
    above.execute("select seclog.drop_before('9999-01-01')")
    above.execute("delete from seclog.reading")


def fault(secret: str) -> Exception:
    """An exception that a value was on its way through."""
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError as error:
        return error


async def test_alike_connections_of_a_minute_are_one_entry_and_open_for_the_reader_alone(
    inst: Installation, reader: str, above: psycopg.Connection
) -> None:
    log = SecurityLog()
    for _ in range(3):
        log.note("203.0.113.7", "Firefox", "/sign-in", 422)
    log.note("203.0.113.8", "Firefox", "/sign-in", 422)
    log.note("203.0.113.7", "Firefox", "/live", 200)
    await log.write(inst.db, inst.vault)
    await log.write(inst.db, inst.vault)  # nothing is written twice
    today = now().date()
    found = read_entries(reader, inst.vault, "ops", WHY, today, today)
    assert sorted((one.place.address, one.route, one.status, one.count) for one in found if one.place) == [
        ("203.0.113.7", "/live", 200, 1),
        ("203.0.113.7", "/sign-in", 422, 3),
        ("203.0.113.8", "/sign-in", 422, 1),
    ]
    assert all((one.minute.second, one.minute.microsecond) == (0, 0) for one in found)
    raw = " ".join(str(row) for row in above.execute("select * from seclog.entry"))
    assert "203.0.113" not in raw and "Firefox" not in raw


@pytest.mark.parametrize(
    "statement",
    [
        "select * from seclog.entry",
        "select * from seclog.defect",
        "select * from seclog.reading",
        "insert into seclog.entry (day) values (now())",
        "delete from seclog.entry",
        "select * from seclog.read('me', 'because I would like to', now()::date, now()::date)",
        "select * from seclog.read_defects(now()::date, now()::date)",
        "set role chatinbox_security_reader",
        "set role chatinbox_seclog",
    ],
)
async def test_the_program_can_add_and_drop_and_read_nothing(inst: Installation, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.directory(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from seclog.entry",
        "delete from seclog.reading",
        "update seclog.reading set reason = 'another reason'",
        "select seclog.drop_before(now()::date)",
        "select * from tenant.message",
        "select * from directory.sessions_of(null, now())",
        "select * from watch.read_visits(now()::date, now()::date)",
    ],
)
def test_who_reads_it_can_read_it_in_no_other_way_and_nothing_else(reader: str, statement: str) -> None:
    with psycopg.connect(reader) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


async def test_no_role_can_read_it_together_with_anything_else(above: psycopg.Connection) -> None:
    ask = (
        "select r.rolname from pg_roles r where not r.rolsuper and r.rolname like 'chatinbox%'"
        " and (has_table_privilege(r.oid, 'seclog.entry', 'select')"
        " or has_function_privilege(r.oid, 'seclog.read(text, text, date, date)', 'execute'))"
    )
    may_read = {name for (name,) in above.execute(ask)}
    assert may_read == {"chatinbox_seclog", "chatinbox_security_reader"}
    for role in may_read:
        others = (
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('tenant', 'directory', 'search', 'work', 'watch', 'desk') and c.relkind in ('r', 'p')"
            " and has_table_privilege(%s::regrole, c.oid, 'select')"
        )
        assert above.execute(others, [role]).fetchall() == []


async def test_each_reading_is_noted_before_and_none_is_without_a_reason(
    inst: Installation, reader: str
) -> None:
    log, today = SecurityLog(), now().date()
    log.note("203.0.113.7", "Firefox", "/sign-in", 422)
    await log.write(inst.db, inst.vault)
    with pytest.raises(psycopg.errors.CheckViolation):
        read_entries(reader, inst.vault, "ops", "why not", today, today)
    assert read_readings(reader) == []
    assert read_entries(reader, inst.vault, "ops", WHY, today, today)
    [noted] = read_readings(reader)
    assert (noted.reader, noted.reason, noted.first_day) == ("ops", WHY, today)


async def test_nothing_of_it_can_be_joined_with_anything(above: psycopg.Connection) -> None:
    ask = (
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = 'seclog.entry'::regclass and attnum > 0"
    )
    columns = dict(above.execute(ask).fetchall())
    assert columns == {
        "day": "date", "id": "uuid", "minute": "timestamp with time zone", "place_sealed": "bytea", "route": "text",
        "status": "smallint", "defect": "text", "entry_count": "integer",
    }  # fmt: skip


async def test_a_day_is_gone_with_its_key_before_it_is_sixty_days_old(
    inst: Installation, reader: str, above: psycopg.Connection, cluster: Cluster
) -> None:
    log, first = SecurityLog(), now().date()
    log.note("203.0.113.7", CANARY, "/sign-in", 422)
    await log.write(inst.db, inst.vault)
    files = [
        cluster.socket_dir.parent / "pg" / path
        for (path,) in above.execute(
            "select pg_relation_filepath(inhrelid) from pg_inherits where inhparent in ('seclog.entry'::regclass, 'seclog.defect'::regclass)"
        )
    ]
    [(row_id, sealed)] = above.execute("select id, place_sealed from seclog.entry").fetchall()
    key = inst.vault.day_key(first)
    with travel(timedelta(days=KEPT_DAYS - 1)):
        assert await drop_old_days(inst.db, inst.vault) == []
        assert read_entries(reader, inst.vault, "ops", WHY, first, first)
    with travel(timedelta(days=KEPT_DAYS)):  # not sixty days old yet
        assert await drop_old_days(inst.db, inst.vault) == [first]
        assert read_entries(reader, inst.vault, "ops", WHY, first, first) == []
        assert await drop_old_days(inst.db, inst.vault) == []
    inst.vault.forget()
    with pytest.raises(Erased):
        inst.vault.day_key(first)
    assert security_log.open_place(key, sealed, row_id).device == CANARY  # a copy opens with the key alone,
    keystore = inst.settings.data / "keystore"
    kept = b"".join(file.read_bytes() for file in keystore.iterdir())
    assert uuid.UUID(int=first.toordinal()).bytes not in kept  # which is in the keystore no more
    above.execute("checkpoint")
    assert not any(path.exists() and path.stat().st_size for path in map(Path, files))


async def test_after_a_long_time_away_every_old_day_goes_at_once(
    inst: Installation, above: psycopg.Connection
) -> None:
    for ago in (70, 65, 60, 59, 58, 1, 0):
        log = SecurityLog()
        with travel(-timedelta(days=ago)):
            log.note("203.0.113.7", "Firefox", "/", 200)
            await log.write(inst.db, inst.vault)
    assert len(await drop_old_days(inst.db, inst.vault)) == 4
    left = {day for (day,) in above.execute("select distinct day from seclog.entry")}
    assert left == {now().date() - timedelta(days=ago) for ago in (58, 1, 0)}
    assert min(left) == first_kept(now().date()) > now().date() - timedelta(days=60)


async def test_what_comes_too_late_for_its_day_is_not_written_behind_it(inst: Installation) -> None:
    log = SecurityLog()
    with travel(-timedelta(days=70)):
        log.note("203.0.113.7", "Firefox", "/", 200)
    with pytest.raises(ValueError, match="not kept any more"):
        await log.write(inst.db, inst.vault)


async def test_without_the_drop_a_day_would_stay(inst: Installation, above: psycopg.Connection) -> None:
    """The test above can fail: rows that are deleted instead leave the day, and its key, where they are."""
    log, today = SecurityLog(), now().date()
    log.note("203.0.113.7", "Firefox", "/", 200)
    await log.write(inst.db, inst.vault)
    above.execute("delete from seclog.entry")
    assert [day for (day,) in await inst.db.directory("select * from seclog.days()")] == [today]
    assert inst.vault.day_key(today)


async def test_a_defect_is_known_again_and_nothing_of_a_value_is_kept(
    inst: Installation, reader: str, above: psycopg.Connection
) -> None:
    log, today = SecurityLog(), now().date()
    for secret in ("canary-anna@mail.example", "canary-session-token"):
        log.note("203.0.113.7", "Firefox", "/inbox", 500, defect_of(fault(secret)))
    await log.write(inst.db, inst.vault)
    [found] = read_defects(reader, today, today)
    assert (found.kind, found.count) == ("builtins.ValueError", 2)
    assert found.places[-1] == "watch/tests/test_security_log.py:fault"
    [entry] = read_entries(reader, inst.vault, "ops", WHY, today, today)
    assert (entry.defect, entry.count) == (found.fingerprint, 2)
    for table in ("entry", "defect"):
        rows = above.execute(sql.SQL("select t::text from seclog.{} t").format(sql.Identifier(table)))
        assert "canary" not in str(rows.fetchall())


async def test_what_is_met_behind_the_scenes_is_noted_too_and_a_request_keeps_its_own(
    inst: Installation, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, today = SecurityLog(), now().date()
    monkeypatch.setattr(defects, "elsewhere", [log.note_defect])
    defects.notice(fault("canary"))
    with defects.meeting() as met:
        defects.notice(fault("canary"))
    assert [one.kind for one in met] == ["builtins.ValueError"]
    await log.write(inst.db, inst.vault)
    [found] = read_defects(reader, today, today)
    assert found.count == 1 and read_entries(reader, inst.vault, "ops", WHY, today, today) == []


async def test_a_flood_of_addresses_is_counted_and_not_kept_apart(
    inst: Installation, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_log, "MOST", 10)
    log, today = SecurityLog(), now().date()
    for number in range(50):
        log.note(f"198.51.100.{number}", "x" * 5000, "/", 200)
    await log.write(inst.db, inst.vault)
    found = read_entries(reader, inst.vault, "ops", WHY, today, today)
    assert sum(one.count for one in found) == 50 and len(found) == 11
    assert max(len(one.place.device) for one in found if one.place) == 200


async def test_what_could_not_be_written_is_written_the_next_time(
    inst: Installation, reader: str, above: psycopg.Connection
) -> None:
    log, today = SecurityLog(), now().date()
    log.note("203.0.113.7", "Firefox", "/", 200)
    above.execute("alter function seclog.add rename to added")
    with pytest.raises(psycopg.Error):
        await log.write(inst.db, inst.vault)
    above.execute("alter function seclog.added rename to add")
    log.note("203.0.113.7", "Firefox", "/", 200)
    await log.write(inst.db, inst.vault)
    assert sum(one.count for one in read_entries(reader, inst.vault, "ops", WHY, today, today)) == 2


def test_the_reader_comes_with_a_word_of_its_own(inst: Installation, reader: str) -> None:
    assert conninfo_to_dict(reader)["password"] != conninfo_to_dict(inst.db.dsn)["password"]
