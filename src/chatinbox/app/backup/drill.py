"""`drill`: puts the newest copies back beside the installation, opens every account of them, and takes it all away again.

Only then the day is noted. What was put back lies inside the data folder meanwhile, where its keys lie anyway.
"""

import asyncio
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from chatinbox.app import database
from chatinbox.app.backup.restore import made_of, put_back
from chatinbox.core import postgres
from chatinbox.core.clock import now
from chatinbox.core.copied import note_put_back
from chatinbox.core.disk import open_private
from chatinbox.core.root.keep import file_of
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import ledger_of

FOLDER = ".drill"


def drill(settings: Settings, data: Path, keys: Path) -> int:
    """Tries the copies and says how it went. `data` and `keys` are copies, or folders of which the newest is taken. Raises Trouble."""
    root_key = file_of(settings.data)
    if root_key is None:
        raise Trouble(f"There is no installation in {settings.data}. Name the data folder with --data.")
    if settings.keyholder_url:
        raise Trouble(
            "A drill beside the installation would ask the keyholder where no ledger of yours sees it. Restore the copies on"
            " another machine instead; a restore that ends is noted there."
        )
    data, keys = _newest(data, ".data"), _newest(keys, ".keys")
    with _aside(settings) as there:
        root = root_key.read_bytes()
        of, ledger = made_of(data, root), ledger_of(settings.data, root, settings.destroyed_ledger)
        told = put_back(there, data, keys, root_key, ledger.path, "")
        count = _open_all(there)
    note_put_back(settings.data, now(), of)
    print("\n".join([f"Put back and opened: {count} accounts of {data.name}. Taken away again.", *told]))
    return 0


def _newest(path: Path, ending: str) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"chatinbox-*{ending}"))
    if not found:
        raise Trouble(f"There is no copy (chatinbox-…{ending}) in {path}.")
    return found[-1]


@contextmanager
def _aside(settings: Settings) -> Iterator[Settings]:
    """Settings of an empty folder with an embedded database of its own; both are gone afterwards. Raises Trouble while another
    drill runs.
    """
    folder = settings.data / FOLDER
    with open_private(settings.data / "drilling", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble("Another drill is under way.") from None
        _clear(folder)  # one that was killed
        try:
            yield replace(settings, data=folder, database_url=None, destroyed_ledger="")
        finally:
            _clear(folder)


def _clear(folder: Path) -> None:
    if folder.exists():
        postgres.down(folder)
        shutil.rmtree(folder)


def _open_all(there: Settings) -> int:
    """Opens the name of every account with the keys that were put back; how many. Raises Trouble for one that stays shut."""
    with database.opened(there) as admin_dsn:
        vault = database.vault_of(there, admin_dsn)
        try:
            with psycopg.connect(admin_dsn) as conn:
                rows = conn.execute("select account_id, name_sealed from tenant.account").fetchall()

            async def open_each() -> None:
                for account_id, sealed in rows:
                    key = await vault.account_key(account_id)
                    key.open_text(sealed, account_id, "account", "name", account_id)

            asyncio.run(open_each())
        except Exception as error:
            raise Trouble(f"What was put back does not open ({type(error).__name__}).") from error
        finally:
            vault.close()
    return len(rows)
