"""The folders of the embedded PostgreSQL: its user gets into ours, and its socket has a path that is short enough."""

import hashlib
import os
import stat
from pathlib import Path

from chatinbox.core.postgres.binaries import DatabaseUser
from chatinbox.core.trouble import Trouble

PORT = 5432
LONGEST_SOCKET = 107  # bytes; the kernel's sun_path holds 108 with its end (unix(7))


def open_root(root: Path, user: DatabaseUser) -> None:
    """Lets the database's user through our own folder; the folders above are not ours to open."""
    if user.drop and not user.enters(root):
        inside = {entry.name for entry in root.iterdir()}
        if "pg" in inside or inside <= {"lock"}:
            root.chmod(stat.S_IMODE(root.stat().st_mode) | 0o011)
        if not user.enters(root):
            raise Trouble(
                f"The database runs as the user {user.name}, who may not enter {root} or a folder above it."
                " Choose another with --data, such as /var/lib/chatinbox."
            )


def socket_dir(root: Path, user: DatabaseUser) -> Path:
    """Where the socket lies: `<root>/run`, or a folder in /tmp when that path is too long for a socket."""
    folder = root / "run"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}.lock")) > LONGEST_SOCKET or "," in str(folder):
        digest = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        folder = Path("/tmp") / f"chatinbox-{digest}"  # noqa: S108 — made with 0700, and refused if it is another's
    if not folder.is_symlink() and not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, user.uid, user.gid)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != user.uid:
        raise Trouble(
            f"The socket of the database would lie in {folder}, but that belongs to somebody else."
            " Remove it, or choose a shorter folder with --data."
        )
    folder.chmod(0o700)
    return folder
