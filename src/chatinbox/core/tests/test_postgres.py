"""The embedded PostgreSQL outlives what happens to processes, pids, folders and users."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from chatinbox.core import postgres
from chatinbox.core.postgres.alive import pid_of, works_in, written_pid
from chatinbox.core.postgres.binaries import DatabaseUser, find_binaries
from chatinbox.core.trouble import Trouble

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture
def roof() -> Iterator[Path]:
    """A folder that every user may enter; databases below it are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="chatinbox-pg-"))
    folder.chmod(0o755)
    yield folder
    for stamp in folder.rglob("postmaster.pid"):
        postgres.down(stamp.parent.parent)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def root(roof: Path) -> Path:
    return roof / "data"


def ask(cluster: postgres.Cluster, text: str) -> object:
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        row = conn.execute(text).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def keep(cluster: postgres.Cluster, number: int) -> None:
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute("create table if not exists kept (number int)")
        conn.execute("insert into kept values (%s)", [number])


def processes_in(pg: Path) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if works_in(int(entry.name), pg)]


def kill_all(root: Path) -> None:
    for pid in processes_in(root / "pg"):
        os.kill(pid, signal.SIGKILL)


def test_a_first_start_makes_it_and_a_second_process_joins_it(root: Path) -> None:
    first = postgres.up(root, fast=True)
    second = postgres.up(root)
    assert (first.joined, second.joined) == (False, True)
    assert second.bin_dir == first.bin_dir
    assert ask(second, "select current_setting('listen_addresses')") == ""
    assert ask(second, "select current_setting('data_checksums')") == "on"
    assert ask(second, "select datcollate || datlocale from pg_database where datname = 'template1'") in (
        "CC.UTF-8",
        "C.UTF-8C.UTF-8",
    )


def test_durability_is_on_unless_given_up(root: Path) -> None:
    for fast, word in ((True, "off"), (False, "on")):
        cluster = postgres.up(root, fast=fast)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(cluster, f"select current_setting('{setting}')") == word
        postgres.down(root)


def test_a_warm_start_is_quick_and_a_stop_leaves_nothing(root: Path) -> None:
    keep(postgres.up(root, fast=True), 1)
    postgres.down(root)
    assert processes_in(root / "pg") == []
    began = time.monotonic()
    assert ask(postgres.up(root, fast=True), "select number from kept") == 1
    assert time.monotonic() - began < 3
    assert postgres.is_up(root)


def test_stopping_what_does_not_run_is_fine(root: Path) -> None:
    postgres.down(root)
    assert not postgres.is_up(root)


def test_the_last_who_uses_it_stops_it(root: Path) -> None:
    postgres.up(root, fast=True)
    code = (
        f"from pathlib import Path; from chatinbox.core import postgres; root = Path({str(root)!r})\n"
        "postgres.up(root); input(); postgres.leave(root)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True)
    other.communicate("\n", timeout=30)
    assert postgres.is_up(root)
    postgres.leave(root)
    assert processes_in(root / "pg") == []


def test_a_user_that_was_killed_does_not_count(root: Path) -> None:
    code = (
        "import os; from pathlib import Path; from chatinbox.core import postgres\n"
        f"postgres.up(Path({str(root)!r}), fast=True); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code])
    assert postgres.up(root).joined
    postgres.leave(root)
    assert processes_in(root / "pg") == []


def test_four_that_start_at_once_get_one_database(root: Path) -> None:
    code = f"from pathlib import Path; from chatinbox.core import postgres; print(postgres.up(Path({str(root)!r}), True).joined)"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert sorted(one.communicate(timeout=60)[0].strip() for one in started) == [
        "False",
        "True",
        "True",
        "True",
    ]


def test_after_kill_9_of_everything_what_was_committed_is_there(root: Path) -> None:
    keep(postgres.up(root), 7)
    kill_all(root)
    cluster = postgres.up(root)
    assert (cluster.joined, ask(cluster, "select number from kept")) == (False, 7)


def test_after_kill_9_of_the_postmaster_alone_nobody_works_on_the_old_files(root: Path) -> None:
    cluster = postgres.up(root)
    keep(cluster, 7)
    # A backend that is busy does not notice that its postmaster died; two servers on one folder would ruin it.
    with ThreadPoolExecutor(1) as thread, psycopg.connect(cluster.dsn("postgres", "postgres")) as busy:
        waiting = thread.submit(
            busy.execute,
            "do $$ begin while true loop perform count(*) from generate_series(1, 1000); end loop; end $$",
        )
        time.sleep(0.3)
        old = set(processes_in(root / "pg"))
        os.kill(pid_of(root / "pg") or 0, signal.SIGKILL)
        again = postgres.up(root)
        assert not old & set(processes_in(root / "pg"))
        with pytest.raises(psycopg.OperationalError):
            waiting.result(timeout=10)
    assert ask(again, "select number from kept") == 7


def test_a_pid_file_whose_pid_is_another_process_now_is_not_believed(root: Path) -> None:
    postgres.up(root, fast=True)
    kill_all(root)
    stamp = root / "pg" / "postmaster.pid"
    lines = stamp.read_text().split("\n")
    stamp.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not postgres.is_up(root)
    cluster = postgres.up(root, fast=True)
    assert not cluster.joined
    assert written_pid(root / "pg") != os.getpid()
    assert ask(cluster, "select 1") == 1


def test_it_is_joined_by_another_name_of_its_folder(root: Path, roof: Path) -> None:
    postgres.up(root, fast=True)
    other = roof / "other"
    other.symlink_to(root)
    assert postgres.up(other).joined


def test_a_first_start_that_was_cut_off_begins_anew(root: Path) -> None:
    half = root / "pg.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(postgres.up(root, fast=True), "select 1") == 1
    assert not half.exists()


def test_any_path_will_do(roof: Path) -> None:
    for name in ("with a space, a comma", "quotes'\"$HOME`id`"):
        assert ask(postgres.up(roof / name, fast=True), "select 1") == 1


def test_a_path_too_long_for_a_socket_gets_a_short_one_that_others_find(roof: Path) -> None:
    deep = roof / ("long" * 20) / ("name" * 20)
    first, second = postgres.up(deep, fast=True), postgres.up(deep)
    assert (first.joined, second.joined) == (False, True)
    assert first.socket_dir == second.socket_dir
    assert len(os.fsencode(first.socket_dir / ".s.PGSQL.5432")) <= 107
    assert first.socket_dir.stat().st_mode & 0o777 == 0o700
    postgres.down(deep)
    shutil.rmtree(first.socket_dir)


def test_a_short_socket_folder_of_somebody_else_is_refused(roof: Path) -> None:
    deep = roof / ("long" * 20) / ("name" * 20)
    cluster = postgres.up(deep, fast=True)
    postgres.down(deep)
    shutil.rmtree(cluster.socket_dir)
    cluster.socket_dir.symlink_to(roof)
    try:
        with pytest.raises(Trouble, match="somebody else"):
            postgres.up(deep, fast=True)
    finally:
        cluster.socket_dir.unlink()


def test_the_callers_language_and_postgres_variables_change_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "9",
        "PGDATA": "/nowhere",
        "LC_ALL": "xx_YY",
        "PGOPTIONS": "-c nonsense=1",
    }.items():
        monkeypatch.setenv(name, value)
    cluster = postgres.up(root, fast=True)
    monkeypatch.undo()
    assert ask(cluster, "select current_setting('lc_messages')") == "C"


def test_its_log_holds_no_words_of_failed_statements(root: Path) -> None:
    cluster = postgres.up(root, fast=True)
    with psycopg.connect(cluster.dsn("postgres", "postgres"), autocommit=True) as conn:
        conn.execute("create table person (email text primary key)")
        conn.execute("insert into person values ('grace@mail.example')")
        for statement in (
            "insert into person values ('grace@mail.example')",
            "select 'grace@mail.example'::int",
        ):
            with pytest.raises(psycopg.Error):
                conn.execute(statement)  # type: ignore[arg-type]
    postgres.down(root)
    assert "ready to accept" in (root / "postgres.log").read_text()
    assert "grace" not in (root / "postgres.log").read_text()


def test_a_cluster_of_another_version_says_what_to_install(root: Path) -> None:
    (root / "pg").mkdir(parents=True)
    (root / "pg" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Trouble, match="postgresql-9"):
        postgres.up(root)


def test_without_programs_it_says_the_ways_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATINBOX_PG_BIN", str(root / "nowhere"))
    with pytest.raises(Trouble, match="DATABASE_URL"):
        postgres.up(root)


def test_why_it_does_not_start_is_said_in_one_line(root: Path) -> None:
    postgres.up(root, fast=True)
    postgres.down(root)
    (root / "pg" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(Trouble) as said:
        postgres.up(root, fast=True)
    assert "\n" not in str(said.value)
    assert "does not start" in str(said.value)


def test_a_file_where_the_folder_should_be_is_one_sentence(roof: Path) -> None:
    (roof / "file").write_text("")
    with pytest.raises(Trouble, match="cannot be used"):
        postgres.up(roof / "file")


@AS_ROOT
def test_as_root_it_runs_as_somebody_who_can_do_little(root: Path) -> None:
    postgres.up(root, fast=True)
    runs_as = Path(f"/proc/{pid_of(root / 'pg')}").stat().st_uid
    assert pwd.getpwuid(runs_as).pw_name in ("chatinbox", "postgres", "nobody")
    assert (root / "pg").stat().st_uid == runs_as


@AS_ROOT
def test_as_root_the_owner_of_the_cluster_stays_its_owner(root: Path) -> None:
    postgres.up(root, fast=True)
    postgres.down(root)
    nobody = pwd.getpwnam("nobody")
    subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", root / "pg", root / "run"], check=True)
    postgres.up(root, fast=True)
    assert Path(f"/proc/{pid_of(root / 'pg')}").stat().st_uid == nobody.pw_uid


@AS_ROOT
def test_folders_above_are_not_opened(roof: Path) -> None:
    locked = roof / "locked"
    locked.mkdir(mode=0o700)
    with pytest.raises(Trouble, match="may not enter"):
        postgres.up(locked / "data")
    assert locked.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_a_folder_with_other_things_in_it_is_not_opened(roof: Path) -> None:
    home = roof / "home"
    home.mkdir(mode=0o700)
    (home / "letters").write_text("private")
    with pytest.raises(Trouble, match="may not enter"):
        postgres.up(home)
    assert home.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_programs_that_the_user_cannot_reach_are_copied_once_a_version(
    root: Path, roof: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_binaries(root / "pg")
    package = found.folder.parent.parent
    if not package.with_name(f"{package.name}.libs").exists():
        pytest.skip("the system's own PostgreSQL is never copied")
    hidden = roof / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(found.folder.parent, hidden / package.name / found.folder.parent.name, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), hidden / f"{package.name}.libs")
    monkeypatch.setenv("CHATINBOX_PG_BIN", str(hidden / package.name / found.folder.parent.name / "bin"))
    cluster = postgres.up(root, fast=True)
    assert cluster.bin_dir.is_relative_to(root / f"bin-{found.major}")
    assert ask(cluster, "select 1") == 1
    postgres.down(root)
    stamp = root / f"bin-{found.major}" / "version"
    made = stamp.stat().st_mtime_ns
    postgres.up(root, fast=True)
    assert stamp.stat().st_mtime_ns == made
    postgres.down(root)
    stamp.write_text("an older one")
    postgres.up(root, fast=True)
    assert stamp.read_text() == found.version
    assert hidden.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_a_user_without_a_name_gets_a_sentence(roof: Path) -> None:
    code = (
        "from pathlib import Path; from chatinbox.core import postgres; from chatinbox.core.trouble import Trouble\n"
        f"import os; os.setuid(54321)\ntry: postgres.up(Path({str(roof / 'data')!r}))\nexcept Trouble as said: print(said)"
    )
    roof.chmod(0o777)
    # Modules are loaded by root before it becomes nobody in particular.
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "User id 54321 has no name" in said


@AS_ROOT
def test_an_ordinary_user_starts_it_and_is_told_when_it_is_anothers(roof: Path) -> None:
    user = DatabaseUser.of(roof / "nothing")
    mine = roof / "mine"
    mine.mkdir()
    os.chown(mine, user.uid, user.gid)
    code = (
        "import os, sys; from pathlib import Path; from chatinbox.core import postgres; from chatinbox.core.trouble import Trouble\n"
        "from chatinbox.core.postgres.binaries import find_binaries\n"
        f"os.setgroups([]); os.setgid({user.gid}); os.setuid(int(sys.argv[1]))\n"
        f"try: print(postgres.up(Path({str(mine)!r}), fast=True).joined)\nexcept Trouble as said: print(said)"
    )

    def as_(uid: int) -> str:
        done = subprocess.run([sys.executable, "-c", code, str(uid)], capture_output=True, text=True)
        return done.stdout + done.stderr

    assert as_(user.uid) == "False\n"
    assert postgres.up(mine).joined
    postgres.down(mine)
    stranger = pwd.getpwnam("daemon").pw_uid
    mine.chmod(0o777)
    (mine / "lock").chmod(0o666)
    assert "belongs to" in as_(stranger)
