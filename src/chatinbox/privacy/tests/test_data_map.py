"""The data map and the database say the same."""

from pathlib import Path

from chatinbox.core.destroyed import ASIDE, Destroyed
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.data_map import read, sealing
from chatinbox.privacy.opening import _row_id

NOT_OURS = "^(pg_|information_schema$|migration$)"  # migration: the names of our own files
THEIRS = "procrastinate"  # the queue's own tables: ids only, made and described by its library


async def stored_columns(inst: Installation) -> set[str]:
    """Every column of our schemas as `schema.table.column`."""
    rows = await inst.db.directory(
        "select n.nspname || '.' || c.relname || '.' || a.attname from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname !~ %s"
        " and c.relname not like %s and not c.relispartition",
        [NOT_OURS, THEIRS + "%"],
    )
    return {name for (name,) in rows}


def mapped_columns() -> set[str]:
    return {
        f"{table}.{column}"
        for table, line in read().items()
        for column in line.columns
        if not table.startswith("file.")
    }


async def test_every_stored_column_has_its_line_in_the_data_map(inst: Installation) -> None:
    assert sorted(await stored_columns(inst) - mapped_columns()) == []


async def test_no_line_of_the_data_map_speaks_of_a_column_that_is_gone(inst: Installation) -> None:
    assert sorted(mapped_columns() - await stored_columns(inst)) == []


async def test_each_part_of_a_line_of_the_ledger_beside_the_database_is_in_the_map(tmp_path: Path) -> None:
    ledger = Destroyed(tmp_path / "destroyed.ledger", b"k" * 32)
    ledger.begin()
    ledger.add([(ASIDE, new_id(), new_id())], [new_id().hex])
    assert len(ledger.path.read_text().split()) == len(read()["file.destroyed_ledger"].columns)
    assert [name for name in read() if name.startswith("file.")] == ["file.destroyed_ledger"]


def test_what_is_called_sealed_is_sealed_in_the_map_too() -> None:
    for table, line in read().items():
        for column, told in line.columns.items():
            sealed = not isinstance(told, str) and told.sealed not in ("no", "blind")
            assert column.endswith("_sealed") == sealed, f"{table}.{column}"


def test_every_line_says_whose_it_is_what_for_and_how_long() -> None:
    for table, line in read().items():
        assert line.subject and line.purpose.endswith(".") and line.kept and line.erased, table


async def test_what_nobody_reads_back_is_closed_to_the_program_by_the_database(inst: Installation) -> None:
    ask = "select c.oid::regclass::text from pg_class c where c.relnamespace = 'tenant'::regnamespace and c.relkind in ('r', 'p') and not has_table_privilege(current_user, c.oid, 'select')"
    closed = {f"tenant.{name.removeprefix('tenant.')}" for (name,) in await inst.db.directory(ask)}
    assert closed == {name for name, line in read().items() if line.reader == "nobody"} != set()


def test_each_row_that_is_sealed_says_for_what_it_was_sealed() -> None:
    """Otherwise the export of whoever has such a row would break off in its middle."""
    for table, line in read().items():
        kinds = {sealing(table, column) for column in line.columns}
        if line.export and kinds - {"no", "blind"}:
            row = {column: str(new_id()) for column in line.columns}
            assert _row_id(table.split(".")[1], row), table
