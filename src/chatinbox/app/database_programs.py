"""PostgreSQL's own programs on the embedded database: `db psql`, `db dump FILE`, `db restore FILE`."""

import subprocess
from pathlib import Path

from chatinbox.app.database import NAME
from chatinbox.core import postgres
from chatinbox.core.postgres.binaries import clean_environment
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble


def run_program(settings: Settings, what: str, more: list[str]) -> int:
    """Runs it, and starts the database for that long when it does not run; the program's exit status. Raises Trouble."""
    if settings.database_url:
        raise Trouble(
            "DATABASE_URL names a database of your own: use the psql, pg_dump and pg_restore beside it."
        )
    if not (settings.data / "pg").exists():
        raise Trouble(f"There is no database in {settings.data}. Name the data folder with --data.")
    cluster = postgres.up(settings.data)
    try:
        words = [
            str(cluster.bin_dir / _PROGRAMS[what]),
            "-h",
            str(cluster.socket_dir),
            "-p",
            str(cluster.port),
        ]
        words += ["-U", cluster.superuser, "-d", NAME, *_options(what, more)]
        return subprocess.run(words, env=clean_environment()).returncode
    finally:
        postgres.leave(settings.data)


_PROGRAMS = {"psql": "psql", "dump": "pg_dump", "restore": "pg_restore"}


def _options(what: str, more: list[str]) -> list[str]:
    if what == "psql":
        return more
    if len(more) != 1:
        raise Trouble(f"`db {what}` wants one file.")
    [file] = more
    if what == "dump":
        # No copy of the security log outlives its days.
        return ["--format=custom", "--exclude-table-data=seclog.*", "--file", file]
    if not Path(file).exists():
        raise Trouble(f"There is no file {file}.")
    return ["--clean", "--if-exists", "--single-transaction", "--exit-on-error", file]
