"""`restore`: puts an installation back from its two copies, into an empty folder, and lets nobody in before it is done.

Until the last step a file in the data folder says that a restore is under way, and nothing starts there.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg

from chatinbox.app import database
from chatinbox.app.backup import replay
from chatinbox.app.backup.copy import HORIZON, LEDGER, Manifest, copy_key_of, last_line, run_with
from chatinbox.app.backup.sealed import read_parts
from chatinbox.core.clock import now
from chatinbox.core.copied import note_put_back
from chatinbox.core.destroyed import Broken, Destroyed, Head
from chatinbox.core.disk import open_private
from chatinbox.core.egress.beforehand import ASKED
from chatinbox.core.migrate import make_roles
from chatinbox.core.postgres.binaries import find_binaries
from chatinbox.core.root.keep import BYTES, PLAIN, read
from chatinbox.core.root.opening import keeper_of, open_vault
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import ledger_of

UNDER_WAY = "restoring"


def restore(
    settings: Settings, data: Path, keys: Path, root_key: Path, ledger: Path | None, head: str
) -> int:
    """Restores and says what was done. Raises as `put_back`."""
    told = put_back(settings, data, keys, root_key, ledger, head)
    print("\n".join(["The installation is back.", *told, "Everybody signs in anew."]))
    return 0


def put_back(
    settings: Settings, data: Path, keys: Path, root_key: Path, ledger: Path | None, head: str
) -> list[str]:
    """Restores; what was done. Raises Trouble, and then the folder is not one that starts."""
    if _holds_something(settings.data):
        raise Trouble(
            f"{settings.data} is not empty. Name an empty folder with --data: a restore overwrites nothing."
        )
    settings = settings.with_addresses(settings.port, settings.mail_port)
    for path in (data, keys, root_key):
        if not path.is_file():
            raise Trouble(f"There is no file {path}.")
    _prepare(settings.data, root_key, _look_at_root_key(settings, root_key))
    given = _check_ledger(settings, keys, ledger or keys.parent / LEDGER, head)
    _put_keys(settings, keys, data)
    with database.opened(settings) as admin_dsn:
        _put_data(settings, data, admin_dsn)
        told = asyncio.run(replay.replay(settings, admin_dsn, given.read()))
    told += _let_go(_manifest(data, settings), given)
    note_put_back(settings.data, now(), _manifest(data, settings).made_at)
    (settings.data / UNDER_WAY).unlink()
    return told


def refuse_under_way(data: Path) -> None:
    """Raises Trouble where a restore was begun and not ended."""
    if (data / UNDER_WAY).exists():
        raise Trouble(
            f"{data} holds a restore that did not end, so what was erased may be in it. Nothing starts there:"
            " empty the folder and restore again."
        )


def _holds_something(data: Path) -> bool:
    """But for the folder of the root key with nothing in it, or a note that a keyholder was asked, by a restore that was refused.
    Raises Trouble where that cannot be seen.
    """
    keys = data / "keys"
    try:
        if not data.exists():
            return False
        there = list(data.iterdir())
        if not there:
            return False
        if there != [keys] or keys.is_symlink() or not keys.is_dir():
            return True
        return any(one != keys / ASKED or one.is_symlink() or not one.is_file() for one in keys.iterdir())
    except OSError as error:
        raise Trouble(
            f"{data} cannot be looked into ({error.strerror}), so nobody can say that it is empty. Name a folder that can be"
            " read with --data: a restore overwrites nothing."
        ) from None


def _look_at_root_key(settings: Settings, root_key: Path) -> str:
    """What it is kept as. Raises Trouble for what is none, or cannot be opened with these settings: before anything is touched."""
    keeper, kept = keeper_of(settings), root_key.read_bytes()
    is_plain = len(kept) == BYTES
    if not is_plain and not kept.lstrip().startswith(b"{"):
        raise Trouble(
            f"{root_key} is no root key: it has to have 32 bytes, or to be one that a keyholder wrapped."
        )
    if is_plain != (keeper.file == PLAIN):
        raise Trouble(
            f"{root_key} lies open; restore without CHATINBOX_KEYHOLDER_URL, and move it there afterwards."
            if is_plain
            else f"{root_key} was wrapped by a keyholder. Set CHATINBOX_KEYHOLDER_URL, and how one signs in there: it"
            " has to answer, and to have the same key still."
        )
    keeper.unwrap(kept)
    return keeper.file


def _prepare(data: Path, root_key: Path, name: str) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    with open_private(data / UNDER_WAY, "w") as file:
        file.write("")
    (data / "keys").mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(root_key, data / "keys" / name)
    (data / "keys" / name).chmod(0o600)


def _check_ledger(settings: Settings, keys: Path, ledger: Path, head: str) -> Destroyed:
    """The ledger in its new place: whole, of this installation, and at least as new as the keys and as `head`."""
    if not ledger.is_file():
        raise Trouble(
            f"There is no ledger of destroyed keys at {ledger}. Without it, what was erased since the copy would come back:"
            " name the newest one you have with --ledger."
        )
    root = read(settings.data, keeper_of(settings))
    ours = ledger_of(settings.data, root, settings.destroyed_ledger)
    if ledger.resolve() != ours.path.resolve():
        ours.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if ours.path.exists():
            raise Trouble(
                f"There is a ledger at {ours.path} already. Restore with that one (--ledger), or move it away."
            )
        shutil.copyfile(ledger, ours.path)
        ours.path.chmod(0o600)
    try:
        kept = ours.heads()
    except (Broken, ValueError) as broken:
        raise Trouble(
            f"The ledger {ledger} was altered, or belongs to another installation ({broken}). Use another copy."
        ) from None
    wanted = {"these keys": Head.read(_manifest(keys, settings).head)}
    try:
        wanted |= {"the line you gave": Head.read(head)} if head else {}
    except ValueError:
        raise Trouble("--head is the line that `backup` printed: a number, a colon and a hash.") from None
    for what, one in wanted.items():
        if one != Head() and one not in kept:
            raise Trouble(
                f"The ledger {ledger} is older than {what}: it does not reach line {one.number}. With it, erased people would"
                " come back. Use the newest ledger."
            )
    return ours


def _let_go(of_data: Manifest, ledger: Destroyed) -> list[str]:
    """A sentence, where the ledger has let go of lines that are newer than the data."""
    lines = ledger.read()
    first = lines[0].head.number if lines else ledger.head().number + 1
    if Head.read(of_data.head).number + 1 >= first:
        return []
    since = lines[0].at if lines else now()
    return [
        f"This copy of the data is older than the ledger. Who was set aside, objected, was held or closed their account between"
        f" {of_data.made_at:%-d %B %Y} and {since:%-d %B %Y}, or took that back, is not known here: ask each account."
    ]


def made_of(copy: Path, root: bytes) -> datetime:
    """When a copy was made. Raises Trouble for one that does not open."""
    return _said(copy, read_parts(copy, copy_key_of(root))).made_at


def _manifest(path: Path, settings: Settings) -> Manifest:
    return _said(path, _parts(path, settings))


def _said(path: Path, parts: Iterator[tuple[str, Iterator[bytes]]]) -> Manifest:
    for name, content in parts:
        if name == "manifest":
            return msgspec.json.decode(b"".join(content), type=Manifest)
    raise Trouble(f"{path.name} does not say what it is.")


def _parts(path: Path, settings: Settings) -> Iterator[tuple[str, Iterator[bytes]]]:
    key = copy_key_of(read(settings.data, keeper_of(settings)))
    return read_parts(path, key)


def _put_keys(settings: Settings, keys: Path, data: Path) -> None:
    made, of_data = _manifest(keys, settings).made_at, _manifest(data, settings).made_at
    _check_age(made, of_data)
    target = settings.data / "keystore" / "keys.sqlite"
    target.parent.mkdir(exist_ok=True, mode=0o700)
    for name, content in _parts(keys, settings):
        if name == "keys":
            with open_private(target, "wb") as file:
                file.writelines(content)


def _check_age(made: datetime, of_data: datetime) -> None:
    if made < now() - HORIZON:
        raise Trouble(
            f"These keys were copied more than {HORIZON.days} days ago, and keys that old may open what was erased."
            " Use a newer copy of the keys; an old copy of the data opens with it, too."
        )
    if made < of_data:
        raise Trouble(
            "These keys are older than this data: who came between the two would be taken for erased. Use a copy of the keys"
            " from the same moment as the data, or later."
        )


def _put_data(settings: Settings, data: Path, admin_dsn: str) -> None:
    vault = open_vault(settings)
    try:
        with psycopg.connect(admin_dsn, autocommit=True) as conn:
            if conn.execute("select to_regclass('migration.applied')").fetchone() != (None,):
                raise Trouble("The database that DATABASE_URL names is not empty. Name an empty one.")
            make_roles(conn, vault, _manifest(data, settings).roles)
    finally:
        vault.close()
    for name, content in _parts(data, settings):
        if name == "database":
            _load(settings, admin_dsn, content)
        elif name.startswith("files/"):
            target = settings.data / name
            if ".." in target.parts:
                raise Trouble(f"{data.name} names a file outside its folder.")
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open_private(target, "wb") as file:
                file.writelines(content)


def _load(settings: Settings, admin_dsn: str, content: Iterator[bytes]) -> None:
    program = find_binaries(settings.data / "pg").folder / "pg_restore"
    where, environment = run_with(admin_dsn)
    words = [str(program), "--exit-on-error", "--single-transaction", "--dbname", where]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdin=subprocess.PIPE, stderr=said, env=environment) as running,
    ):
        assert running.stdin
        try:
            for piece in content:
                running.stdin.write(piece)
            running.stdin.close()
        except BrokenPipeError:
            pass
        if running.wait():
            said.seek(0)
            raise Trouble(f"The database could not be put back: {last_line(said.read())}")
