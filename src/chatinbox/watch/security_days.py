"""Days of the security log: opened when they begin, and gone, key and all, before their first second is sixty days old.

Today and the fifty-eight days before it are kept, so the oldest entry is less than fifty-nine days old and a round that
fails has a day left to be done again (clause C14). Done before the first request of a start, whatever the time since the last
one, and once an hour. They go by the time that is sure: a clock that jumped ahead takes no day early, one that was set back
keeps none.
"""

import asyncio
import errno
import sqlite3
from datetime import date, timedelta
from typing import Literal, TypeAlias

import psycopg
import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.sure import sure_now
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import SealKey, Vault

log = structlog.get_logger()
KEPT_DAYS = 59  # today among them
ROUND_SECONDS = 3600.0
AGAIN_SECONDS = 600.0  # after a round that did not come to its end

Reason: TypeAlias = Literal["disk_full", "failed"]
_undone: Reason | None = None  # why the last round of this process did not come to its end


def first_kept(today: date) -> date:
    """The oldest day there may be."""
    return today - timedelta(days=KEPT_DAYS - 1)


async def drop_old_days(db: Database, vault: Vault) -> list[date]:
    """Destroys the keys of old days, then the days; which they were. Broken off, no day counts as destroyed that is not, and the
    next round does the rest.
    """
    global _undone
    kept = first_kept(sure_now().date())
    try:
        await vault.destroy_days_before(kept)
        rows = await db.directory("select * from seclog.drop_before(%s)", [kept])
    except Exception as error:
        _undone = "disk_full" if is_full(error) else "failed"
        raise
    _undone = None
    if rows:
        log.info("security_log_days_dropped", count=len(rows))
    return [row[0] for row in rows]


async def open_day(db: Database, vault: Vault, day: date) -> SealKey:
    """A day's key, and its partitions; nothing for one that is over. Raises ValueError then."""
    if day < first_kept(now().date()):
        raise ValueError("this day is not kept any more")
    key = await vault.create_day_key(day)
    await db.directory("select seclog.open_day(%s)", [day])
    return key


async def drop_before_serving(db: Database, vault: Vault) -> None:
    """As `drop_old_days`, before anybody is answered. Raises Trouble where the disk is full."""
    try:
        await drop_old_days(db, vault)
    except Exception as error:
        if not is_full(error):
            raise
        raise Trouble(
            "The disk is full, so old days of the security log cannot be destroyed, and nobody is served before they are. Make"
            " room on the disks of the database, the keystore and the ledger of destroyed keys, and start again."
        ) from error


async def keep_dropping(db: Database, vault: Vault) -> None:
    """Once an hour until cancelled; sooner, after a round that did not come to its end."""
    while True:
        await asyncio.sleep(AGAIN_SECONDS if _undone else ROUND_SECONDS)
        try:
            await drop_old_days(db, vault)
        except Exception:
            log.exception("security_log_days_not_dropped", reason_code=_undone)


def undone() -> Reason | None:
    """Why the last round did not come to its end; None where it did."""
    return _undone


def is_full(error: BaseException) -> bool:
    """Whether this was for want of room: the file system's word, the database's or the keystore's."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, psycopg.errors.DiskFull)
