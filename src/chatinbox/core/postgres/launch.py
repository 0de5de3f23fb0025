"""Making a cluster and starting its postmaster."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from chatinbox.core.disk import keep_names, open_private
from chatinbox.core.postgres.alive import is_ready, works_in, written_pid
from chatinbox.core.postgres.binaries import Binaries, DatabaseUser, clean_environment
from chatinbox.core.postgres.folders import PORT
from chatinbox.core.trouble import Trouble

SUPERUSER = "postgres"
START_SECONDS = 120.0
STOP_SECONDS = 60.0

_OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Its log tells of starts, stops and crashes. Errors quote values, and those are nobody's business.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_children: dict[int, subprocess.Popen[bytes]] = {}


def clear(pg: Path, sockets: Path) -> None:
    """Removes what a killed one left. Only called while nothing of it lives."""
    (pg / "postmaster.pid").unlink(missing_ok=True)
    for left in sockets.glob(".s.PGSQL.*"):
        left.unlink()


def ends(pid: int, pg: Path) -> bool:
    """Whether a postmaster that was told to stop is gone, within STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        reap(pid)
        if not works_in(pid, pg):
            return True
        time.sleep(0.02)
    return False


def reap(pid: int) -> None:
    """Takes leave of a child of ours, if it is one and has ended; else it lingers in the list of processes."""
    child = _children.get(pid)
    if child and child.poll() is not None:
        del _children[pid]


def initialise(pg: Path, programs: Binaries, user: DatabaseUser, fast: bool) -> None:
    """Makes a cluster beside its place and moves it there whole, so that an interrupted first start leaves no half one.

    Nothing of it depends on the caller's language: with 17 and newer PostgreSQL sorts by itself, the same everywhere.
    """
    fresh = pg.with_name("pg.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    os.chown(fresh, user.uid, user.gid)
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if programs.major >= 17
        else ["--locale=C.UTF-8"]
    )
    done = user.run(programs.folder / "initdb", "-D", fresh, "-U", SUPERUSER, "-E", "UTF8", *locale, "--auth=trust",
                    "--data-checksums", "--no-instructions", *(["--no-sync"] if fast else []))  # fmt: skip
    if done.returncode:
        raise Trouble(f"The database could not be made in {pg}: {_last_line(done.stderr)}")
    if pg.exists():
        pg.rmdir()
    fresh.rename(pg)
    keep_names(pg.parent)  # else the next start could begin anew


def start(root: Path, sockets: Path, bin_dir: Path, user: DatabaseUser, running: IO[str], fast: bool) -> None:
    """Starts the postmaster without a shell, so that a path may hold anything; waits until it is ready."""
    pg, log = root / "pg", root / "postgres.log"
    if log.exists():
        log.replace(root / "postgres.log.before")
    quoted = str(sockets).replace('"', '""')
    options = _OPTIONS | {"unix_socket_directories": f'"{quoted}"'} | (_FAST if fast else {})
    words = [str(bin_dir / "postgres"), "-D", str(pg)]
    for name, value in options.items():
        words += ["-c", f"{name}={value}"]
    with open_private(log, "wb") as told:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,  # Ctrl+C in a terminal is for us; we stop it afterwards
            pass_fds=[running.fileno()],
            **user.drop,
        )
    _children[child.pid] = child
    try:
        _await_ready(child, pg, log)
    except BaseException:
        child.send_signal(signal.SIGQUIT)
        child.wait(STOP_SECONDS)
        raise


def _await_ready(child: subprocess.Popen[bytes], pg: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (written_pid(pg) == child.pid and is_ready(pg)):
        if child.poll() is not None:
            raise Trouble(
                f"The database does not start: {_last_line(log.read_text(errors='replace'))} ({log})"
            )
        if time.monotonic() > deadline:
            raise Trouble(
                f"The database did not start within {START_SECONDS:.0f} seconds. {log} may say why."
            )
        time.sleep(0.02)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [
        line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "could not"))
    ]
    return (telling or lines or ["it said nothing"])[-1].strip()
