"""Is it running? A pid file alone does not tell: the pid may be anybody's by now, or its last processes linger."""

import contextlib
import fcntl
import os
import signal
import socket
import time
from pathlib import Path
from typing import IO

from chatinbox.core.postgres.folders import PORT
from chatinbox.core.trouble import Trouble

WAIT_SECONDS = 120.0
LAST_WORDS_SECONDS = 5.0


def written_pid(pg: Path) -> int | None:
    """The pid that the pid file names, whoever has it now."""
    try:
        return int((pg / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def works_in(pid: int, pg: Path) -> bool:
    """Whether this process works in the cluster's folder, as all of PostgreSQL does; a pid alone may be anybody's."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(pg)
    except OSError:
        return False


def pid_of(pg: Path) -> int | None:
    """The postmaster's pid, when it lives."""
    pid = written_pid(pg)
    return pid if pid and works_in(pid, pg) else None


def answers(sockets: Path) -> bool:
    """Whether somebody listens at the socket."""
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(sockets / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
    return True


def is_ready(pg: Path) -> bool:
    """Whether the postmaster wrote that it takes connections; it does so after recovery."""
    with contextlib.suppress(OSError):
        lines = (pg / "postmaster.pid").read_text().split("\n")
        return len(lines) > 7 and lines[7].strip() == "ready"  # PostgreSQL's own word, since 10
    return False


def take(lock: IO[str]) -> bool:
    """Takes a lock for ourselves alone, unless somebody holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_alive(pg: Path, sockets: Path, running: IO[str]) -> bool:
    """Whether it runs and is ready. When not, we hold `running`, and nothing of it is left. Raises Trouble."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < WAIT_SECONDS:
        pid = pid_of(pg)
        if pid and is_ready(pg):
            if answers(sockets):
                return True
            if waited > LAST_WORDS_SECONDS:
                break
        elif not pid and take(running):
            return False
        elif not pid and waited > LAST_WORDS_SECONDS:
            _end_last_words(pg)
        time.sleep(0.02)
    raise Trouble(
        f"A database runs in {pg} (process {pid_of(pg)}) but does not answer at {sockets}. Stop it, then start again."
    )


def _end_last_words(pg: Path) -> None:
    """Ends what a killed postmaster left: processes busy with a statement that nobody waits for."""
    for entry in Path("/proc").glob("[0-9]*"):
        if works_in(int(entry.name), pg):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry.name), signal.SIGKILL)
