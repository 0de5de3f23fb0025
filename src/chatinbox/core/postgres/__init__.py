"""The embedded PostgreSQL: our own launcher, a private socket, no network.

`<root>/pg` is the cluster and `<root>/run` its socket. Three locks, all flock, all gone with whoever held them: `lock`
is held while somebody starts or stops; `users` is shared by those who use it, so that the last one can stop it; `running`
is inherited by every process of the cluster, so it tells of a killed postmaster's last processes too, which a pid file
does not.
"""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo

from chatinbox.core.disk import open_private
from chatinbox.core.postgres.alive import is_alive, pid_of, take, written_pid
from chatinbox.core.postgres.binaries import Binaries, DatabaseUser, find_binaries, readable
from chatinbox.core.postgres.folders import PORT, open_root, socket_dir
from chatinbox.core.postgres.launch import SUPERUSER, clear, ends, initialise, reap, start
from chatinbox.core.trouble import Trouble

_used: dict[Path, IO[str]] = {}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster. `joined` when another process had started it."""

    socket_dir: Path
    port: int
    superuser: str
    bin_dir: Path
    joined: bool

    def dsn(self, user: str, dbname: str) -> str:
        """The connection string of a role and a database."""
        return make_conninfo(host=str(self.socket_dir), port=self.port, user=user, dbname=dbname)


def up(root: Path, fast: bool = False) -> Cluster:
    """Starts the cluster below `root`, or joins it; this process uses it from now on. `fast` gives up durability, for tests.

    Raises Trouble.
    """
    root = root.absolute()
    with _starting(root):
        cluster = _start_or_join(root, fast)
        if root not in _used:
            _used[root] = open_private(root / "users", "a")
            fcntl.flock(_used[root], fcntl.LOCK_SH)
        return cluster


def _start_or_join(root: Path, fast: bool) -> Cluster:
    pg = root / "pg"
    user = DatabaseUser.of(pg)
    open_root(root, user)
    sockets = socket_dir(root, user)
    found = find_binaries(pg)
    with open_private(root / "running", "a") as running:
        if is_alive(pg, sockets, running):
            programs = Path(f"/proc/{pid_of(pg)}/exe").readlink().parent
            return Cluster(sockets, PORT, SUPERUSER, programs, joined=True)
        programs = readable(found, user, root)
        clear(pg, sockets)
        if not (pg / "PG_VERSION").exists():
            initialise(pg, Binaries(programs, found.major, found.version), user, fast)
        start(root, sockets, programs, user, running, fast)
        return Cluster(sockets, PORT, SUPERUSER, programs, joined=False)


def leave(root: Path) -> None:
    """This process needs it no more; stops it when nobody else uses it. Raises Trouble."""
    root = root.absolute()
    with _starting(root):
        if root in _used:
            _used.pop(root).close()
        with open_private(root / "users", "a") as users:
            if take(users):
                _stop(root / "pg")


def down(root: Path) -> None:
    """Stops the cluster below `root`, whoever uses it. Raises Trouble."""
    root = root.absolute()
    with _starting(root):
        if root in _used:
            _used.pop(root).close()
        _stop(root / "pg")


def _stop(pg: Path) -> None:
    pid = pid_of(pg)
    if pid is None:
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # in order, at once, by force
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if ends(pid, pg):
            return
    raise Trouble(f"The database in {pg} could not be stopped (process {pid}).")


def is_up(root: Path) -> bool:
    """Whether its postmaster lives; costs one look into /proc."""
    reap(written_pid(root / "pg") or 0)
    return pid_of(root / "pg") is not None


@contextlib.contextmanager
def _starting(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        with open_private(root / "lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise Trouble(
            f"The data folder {root} cannot be used ({error.strerror}: {error.filename}). Choose another with --data."
        ) from None
