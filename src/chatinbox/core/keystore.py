"""The keystore: wrapped keys live here and nowhere else, in a SQLite file beside the data, with secure delete.

New keys of one moment are committed together, so that a burst of new customers costs one fsync, not one each. A key that is
destroyed is written into the ledger of destroyed keys first; one that is not there any more has its line there already.
"""

import queue
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from uuid import UUID

from chatinbox.core.destroyed import ALL, Destroyed
from chatinbox.core.trouble import Trouble

_SCHEMA = """
create table if not exists wrapped_key (
  kind text not null, account_id blob not null, subject_id blob not null, wrapped blob not null,
  primary key (account_id, kind, subject_id)
) without rowid;
"""

_MARK = """
create table if not exists installation (
  only_one integer primary key check (only_one = 1), id blob not null, proof blob not null
)
"""

Name = tuple[str, UUID, UUID]  # kind, account (or a null id for a person), subject
_Ask = tuple[str, tuple[bytes | str, ...], Name | None, Future[None]]  # the name: of what is destroyed


class Keystore:
    """Durable, wrapped keys by (kind, account, subject). Reads are thread-safe; writes go through one thread."""

    def __init__(self, path: Path, destroyed: Destroyed) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path, self.destroyed = path, destroyed
        self._lock = threading.Lock()
        try:
            self._reader = self._connect()
            self._reader.executescript(_SCHEMA)
            path.chmod(0o600)
            if self.read_mark() is None:  # of one that was used, a ledger that is missing is missed
                destroyed.begin()
        except sqlite3.DatabaseError as error:
            raise Trouble(f"The keystore {path} cannot be read ({error}). Put it back as it was.") from None
        self._inbox: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="keystore", daemon=True)
        self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=30)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("pragma secure_delete = on")
        return db

    def get(self, names: Iterable[Name]) -> dict[Name, bytes]:
        """The wrapped keys that exist, of those asked for."""
        found: dict[Name, bytes] = {}
        with self._lock:
            for kind, account_id, subject_id in names:
                row = self._reader.execute(
                    "select wrapped from wrapped_key where account_id = ? and kind = ? and subject_id = ?",
                    (account_id.bytes, kind, subject_id.bytes),
                ).fetchone()
                if row:
                    found[kind, account_id, subject_id] = row[0]
        return found

    def put(self, name: Name, wrapped: bytes) -> "Future[None]":
        """Stores a wrapped key unless one stands there; done when it is on disk."""
        kind, account_id, subject_id = name
        return self._send(
            "insert or ignore into wrapped_key values (?, ?, ?, ?)",
            (kind, account_id.bytes, subject_id.bytes, wrapped),
        )

    def destroy(self, name: Name) -> "Future[None]":
        """Destroys one key for good; the log that could hold it is overwritten before this is done."""
        kind, account_id, subject_id = name
        return self._send(
            "delete from wrapped_key where account_id = ? and kind = ? and subject_id = ?",
            (account_id.bytes, kind, subject_id.bytes),
            name,
        )

    def destroy_account(self, account_id: UUID) -> "Future[None]":
        """Destroys every key of one account for good, as `destroy` does one."""
        gone = (ALL, account_id, account_id)
        return self._send("delete from wrapped_key where account_id = ?", (account_id.bytes,), gone)

    def drop_again(self, names: Iterable[Name]) -> None:
        """Removes what the ledger of destroyed keys has already, from an older copy that was put back."""
        for kind, account_id, subject_id in names:
            if kind == ALL:
                done = self._send("delete from wrapped_key where account_id = ?", (account_id.bytes,))
            else:
                done = self._send(
                    "delete from wrapped_key where account_id = ? and kind = ? and subject_id = ?",
                    (account_id.bytes, kind, subject_id.bytes),
                )
            done.result()

    def read_mark(self) -> tuple[UUID, bytes] | None:
        """Of which installation it says it is, and its proof; None where it does not say yet."""
        with self._lock:
            if not self._reader.execute("select 1 from sqlite_master where name = 'installation'").fetchone():
                return None
            row = self._reader.execute("select id, proof from installation").fetchone()
        return (UUID(bytes=row[0]), row[1]) if row else None

    def write_mark(self, installation_id: UUID, proof: bytes) -> None:
        """Says so, unless it does; on disk when this returns."""
        self._send(_MARK, ())
        self._send(
            "insert or ignore into installation values (1, ?, ?)", (installation_id.bytes, proof)
        ).result()

    def has_keys(self) -> bool:
        """Whether any key is there."""
        with self._lock:
            return bool(self._reader.execute("select 1 from wrapped_key limit 1").fetchone())

    def copy_to(self, path: Path) -> None:
        """Writes all keys as they stand now into a new file, but those of days: a copy holds nothing they would open."""
        with self._connect() as source, sqlite3.connect(path) as target:
            source.backup(target)
            target.execute("delete from wrapped_key where kind = 'day'")
            target.commit()
            target.execute("vacuum")
        source.close()
        target.close()

    def names(self, kind: str, account_id: UUID) -> list[Name]:
        """The keys of one kind that an account has, or nobody (a null id)."""
        with self._lock:
            ask = "select subject_id from wrapped_key where account_id = ? and kind = ? order by subject_id"
            rows = self._reader.execute(ask, (account_id.bytes, kind)).fetchall()
        return [(kind, account_id, UUID(bytes=subject_id)) for (subject_id,) in rows]

    def count(self, account_id: UUID) -> dict[str, int]:
        """How many keys of each kind an account has."""
        with self._lock:
            ask = "select kind, count(*) from wrapped_key where account_id = ? group by kind"
            return dict(self._reader.execute(ask, (account_id.bytes,)).fetchall())

    def close(self) -> None:
        """Ends the writing thread after what it was given."""
        self._inbox.put(None)
        self._writer.join(timeout=10)
        self._reader.close()

    def _send(self, sql: str, args: tuple[bytes | str, ...], destroyed: Name | None = None) -> "Future[None]":
        done: Future[None] = Future()
        self._inbox.put((sql, args, destroyed, done))
        return done

    def _write(self) -> None:
        db = self._connect()
        while (first := self._inbox.get()) is not None:
            batch = [first]
            while not self._inbox.empty():
                more = self._inbox.get()
                if more is None:
                    self._inbox.put(None)
                    break
                batch.append(more)
            try:
                self._do(db, batch)
            except (sqlite3.Error, OSError) as error:
                if db.in_transaction:
                    db.execute("rollback")
                for *_, done in batch:
                    done.set_exception(error)
            else:
                for *_, done in batch:
                    done.set_result(None)
        db.close()

    def _do(self, db: sqlite3.Connection, batch: Sequence[_Ask]) -> None:
        gone = [name for _, _, name, _ in batch if name]
        if still_here := [name for name in gone if _is_there(db, name)]:
            self.destroyed.add(still_here)
        db.execute("begin immediate")
        for sql, args, _, _ in batch:
            db.execute(sql, args)
        db.execute("commit")
        if gone:
            db.execute("pragma wal_checkpoint(truncate)")


def _is_there(db: sqlite3.Connection, name: Name) -> bool:
    kind, account_id, subject_id = name
    ask = "select 1 from wrapped_key where account_id = ? and (? or kind = ? and subject_id = ?) limit 1"
    return bool(db.execute(ask, (account_id.bytes, kind == ALL, kind, subject_id.bytes)).fetchone())
