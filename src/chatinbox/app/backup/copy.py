"""`backup`: a copy of the data and a copy of the keys, into two folders.

What can be made again, and what must not come back, is not copied: search words, look-ups, sessions, links, the security log.
A copy of the keys lives thirty days at most, so no copy of the data, however old, opens for those whose key is gone.
"""

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatinbox.app import database
from chatinbox.app.backup.sealed import Writer, open_fresh
from chatinbox.core.clock import now
from chatinbox.core.copied import note_copy
from chatinbox.core.destroyed import Head
from chatinbox.core.postgres.binaries import clean_environment, find_binaries
from chatinbox.core.root.keep import PLAIN
from chatinbox.core.settings import Settings
from chatinbox.core.sure import by_the_kept, may_destroy, take
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import SealKey, Vault, derive

HORIZON = timedelta(days=30)
"""How long a copy of the keys may live: after it, nothing that was destroyed before can be opened from any copy."""
LEDGER = "destroyed.ledger"
_NAMED = re.compile(r"\.?chatinbox-(\d{8}T\d{6}Z)\.keys(?:\.new)?")
_COPIES, _MAKING = "copies", ".copying-"
_LEFT_OUT = (
    "seclog.*",  # no copy of the security log outlives its days
    "search.*", "tenant.address_lookup",  # made again
    "directory.session", "directory.visitor_session", "directory.link", "directory.used_challenge",
    "directory.code_try", "directory.sso_pending", "directory.scim_token", "directory.connection_token",
    "directory.promised_letter", "directory.promised_sign_up", "tenant.person_letter",
    # an ended session, a used link or a token that was taken back must not be good again
)  # fmt: skip


class Manifest(msgspec.Struct):
    """What a copy says of itself. `head` is where the ledger of destroyed keys ended when the copy began; `roles` are those of
    the database that its tables and functions name.
    """

    made_at: datetime
    head: str
    roles: list[str] = []
    format: int = 1


def back_up(settings: Settings, to: Path, keys_to: Path) -> int:
    """Makes both copies, beside a server that runs or without one, and says where they are. Raises Trouble."""
    if to.resolve() == keys_to.resolve():
        raise Trouble(
            "Name two folders: a copy of the data and its keys in one place open for whoever finds it."
        )
    for folder in (to, keys_to):
        _make(folder)
    with database.of_an_installation(settings) as admin_dsn:
        vault = database.vault_of(settings, admin_dsn)
        try:
            with psycopg.connect(admin_dsn) as conn:
                take(by_the_kept(conn))
            data, keys, head = copy(settings, vault, admin_dsn, to, keys_to)
        finally:
            take(None)
            vault.close()
    print(f"Data: {data}\nKeys: {keys}  (refused and removed after {HORIZON.days} days)")
    print(f"Destroyed keys: {keys_to / LEDGER}")
    if head != Head():
        print(f"  it ends at  {head}\n  Keep that line somewhere else: it shows when a ledger is too old.")
    print(_not_copied(vault))
    return 0


def _not_copied(vault: Vault) -> str:
    keeper = vault.keeper
    if keeper.file == PLAIN:
        return (
            f"Not in the copies: keys/{PLAIN}. Keep it once, in a safe place; without it neither copy opens."
        )
    return (
        f"Not in the copies: keys/{keeper.file}, and the key that opens it, which {keeper.words} has. Keep the file once, in a"
        " safe place, and back up the keyholder; without both, neither copy opens."
    )


def copy(
    settings: Settings, vault: Vault, admin_dsn: str, to: Path, keys_to: Path
) -> tuple[Path, Path, Head]:
    """Both copies and the ledger beside the keys; where they are, and where the ledger ends."""
    manifest = Manifest(now(), str(vault.destroyed.head()), _roles(admin_dsn))
    name = f"chatinbox-{manifest.made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    data, keys = to / f"{name}.data", keys_to / f"{name}.keys"
    # The order matters: a row is there after its file and its key, so both are found when they are copied after the rows.
    with Writer(data, copy_key(vault)) as writer:
        writer.part("manifest", io.BytesIO(msgspec.json.encode(manifest)))
        with _dump(settings, admin_dsn) as dump:
            writer.part("database", dump)
        for path in sorted((settings.data / "files").rglob("*")):
            _add_file(writer, settings.data, path)
    with (
        _beside_the_keys(settings) as folder,
        Writer(keys, copy_key(vault)) as writer,
    ):
        head = vault.destroyed.head()
        vault.copy_keys_to(folder / "keys.sqlite")
        writer.part("manifest", io.BytesIO(msgspec.json.encode(Manifest(now(), str(head)))))
        with (folder / "keys.sqlite").open("rb") as file:
            writer.part("keys", file)
    forget_destroyed(vault)
    head = vault.destroyed.head()
    _copy_ledger(vault.destroyed.path, keys_to)
    remove_old(keys_to)
    note_copy(settings.data, manifest.made_at)
    return data, keys, head


def copy_key(vault: Vault) -> SealKey:
    """The key under which copies are sealed; it can be made from the root key alone."""
    return SealKey(vault.secret(_COPIES))


def copy_key_of(root: bytes) -> SealKey:
    """The same, from the root key."""
    return SealKey(derive(root, _COPIES))


@contextmanager
def _beside_the_keys(settings: Settings) -> Iterator[Path]:
    """A folder for keys that are no sealed copy yet: where keys lie anyway, and in no other place should this be killed. One that
    was left so goes first.
    """
    keystore = settings.data / "keystore"
    for left in keystore.glob(f"{_MAKING}*"):
        if datetime.fromtimestamp(left.stat().st_mtime, UTC) < now() - timedelta(hours=1):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_MAKING, dir=keystore) as folder:
        yield Path(folder)


def forget_destroyed(vault: Vault) -> int:
    """Lets go of lines of the ledger of destroyed keys that no copy of keys needs any more; how many. None while the clock is in
    doubt.
    """
    if not may_destroy("lines about destroyed keys"):
        return 0
    return vault.destroyed.forget_before(now() - HORIZON - timedelta(days=1))


def remove_old(keys_to: Path) -> int:
    """Removes copies of the keys that are older than the horizon, also those that were never whole; how many. None while the
    clock is in doubt.
    """
    if not may_destroy("copies of the keys"):
        return 0
    old = [path for path in keys_to.iterdir() if (made := made_at(path)) and made < now() - HORIZON]
    for path in old:
        path.unlink()
    return len(old)


def made_at(path: Path) -> datetime | None:
    """When a copy of the keys was made, by its name; None for what is none."""
    named = _NAMED.fullmatch(path.name)
    return datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if named else None


def run_with(dsn: str) -> tuple[str, dict[str, str]]:
    """A connection string without its password, and the environment that carries it, where no list of processes shows it."""
    parts = conninfo_to_dict(dsn)
    password = parts.pop("password", None)
    environment = clean_environment() | ({"PGPASSWORD": str(password)} if password else {})
    return make_conninfo("", **parts), environment


def _roles(admin_dsn: str) -> list[str]:
    with psycopg.connect(admin_dsn) as conn:
        rows = conn.execute(
            "select rolname from pg_roles where rolname like 'chatinbox\\_%' order by 1"
        ).fetchall()
    return [row[0] for row in rows]


@contextmanager
def _dump(settings: Settings, admin_dsn: str) -> Iterator[IO[bytes]]:
    program = find_binaries(settings.data / "pg").folder / "pg_dump"
    where, environment = run_with(admin_dsn)
    words = [
        str(program),
        "--format=custom",
        *(f"--exclude-table-data={one}" for one in _LEFT_OUT),
        "--dbname",
        where,
    ]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, env=environment) as running,
    ):
        assert running.stdout
        yield running.stdout
        if running.wait():
            said.seek(0)
            raise Trouble(f"The database could not be copied: {last_line(said.read())}")


def last_line(said: bytes) -> str:
    """What a program ended with: its last line of an error, else its last."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return [*(lines[-1:] or ["it did not say why"]), *(one for one in lines if "error: " in one)][-1]


def _add_file(writer: Writer, data: Path, path: Path) -> None:
    """A stored file; one that is being written has no row yet, and one that was just removed has none any more."""
    if path.suffix or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            writer.part(path.relative_to(data).as_posix(), file)
    except FileNotFoundError:
        return


def _copy_ledger(ledger: Path, keys_to: Path) -> None:
    fresh = keys_to / f".{LEDGER}.new"
    with ledger.open("rb") as source, open_fresh(fresh) as target:
        shutil.copyfileobj(source, target)
    fresh.rename(keys_to / LEDGER)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Trouble(f"The folder {folder} cannot be used ({error.strerror}).") from None
