"""The data map says the same as the database, the data folder and the queue."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from chatinbox.core.destroyed import ASIDE, Destroyed
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import ARGUMENTS
from chatinbox.core.settings import CLONE
from chatinbox.privacy.data_map import read, sealing, undeclared_files
from chatinbox.privacy.opening import _row_id

SOURCE = CLONE / "src" / "chatinbox"
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
        if not table.startswith(("file.", "job."))
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


def test_every_argument_of_a_job_has_its_line_and_no_line_is_of_one_that_is_gone() -> None:
    """Two are the queue's own: for which round of a clock it is, and what is not asked for twice."""
    assert [name for name in read() if name.startswith("job.")] == ["job.arguments"]
    assert set(read()["job.arguments"].columns) == {*ARGUMENTS, "timestamp", "once"}


def given_to_jobs() -> Iterator[tuple[str, str]]:
    """What is given to `later`, `later_all` and `job_ids` by name anywhere in the program: the file and the name."""
    for file in SOURCE.rglob("*.py"):
        if "tests" in file.parts or file.name == "conftest.py":
            continue
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name == "job_ids":
                yield from ((str(file), one.arg or "**") for one in call.keywords)
            elif name in ("later", "later_all") and isinstance(call.func, ast.Attribute):
                for word in (one for one in ast.walk(call) if isinstance(one, ast.Dict)):
                    yield from (
                        (str(file), one.value)
                        for one in word.keys
                        if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    )


def test_what_the_program_gives_to_jobs_is_declared() -> None:
    given = set(given_to_jobs())
    assert {"account_id", "request_id", "language"} <= {name for _, name in given}, "nothing was looked at"
    assert sorted(one for one in given if one[1] not in ARGUMENTS) == []


WRITES = re.compile(
    r"open_private\(|\.write_(?:text|bytes)\(|\.open\(\"[wax]|\bos\.open\([^)]*O_CREAT|\.touch\(|\.mkdir\(|sqlite3\.connect\("
    r"|copyfile\(|copytree\(|mkdtemp|NamedTemporaryFile|TemporaryDirectory\("
)
ELSEWHERE = {
    "core/disk.py": "the tool itself",
    "app/backup/sealed.py": "copies, which lie outside of the data folder",
    "privacy/announce.py": "the source of the program",
}


def writers() -> set[str]:
    """The parts of the program that write files."""
    return {
        str(file.relative_to(SOURCE))
        for file in SOURCE.rglob("*.py")
        if not {"tests", "conftest.py"} & {*file.parts} and WRITES.search(file.read_text())
    }


def test_every_part_of_the_program_that_writes_files_says_in_the_map_what_it_writes() -> None:
    declared = {one for line in read().values() for one in line.by}
    assert sorted(writers() - declared - set(ELSEWHERE)) == []
    assert sorted((declared | set(ELSEWHERE)) - writers()) == []


def test_every_line_about_files_says_where_they_lie_and_no_other_does() -> None:
    for name, line in read().items():
        assert bool(line.at) == name.startswith("file."), name


def test_a_file_that_nobody_declared_is_found(tmp_path: Path) -> None:
    for name in (
        "keys/root.key",
        "pg/base/1/2",
        "files/a/b/c",
        "run/s",
        "keystore/keys.sqlite-wal",
        "copied",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(undeclared_files(tmp_path)) == []
    for name in ("visitors.csv", "files/names", "files/a/b/more/d", "keys/root.key.old", "pg-old/VERSION"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        assert list(undeclared_files(tmp_path)) == [name]
        (tmp_path / name).unlink()


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
