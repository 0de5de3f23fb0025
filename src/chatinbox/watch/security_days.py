"""Days of the security log: opened when they begin, and gone, key and all, before their first second is sixty days old.

Today and the fifty-eight days before it are kept, so the oldest entry is less than fifty-nine days old and a round that
fails has a day left to be done again (clause C14). Done before the first request of a start, whatever the time since the last
one, and once an hour. They go by the time that is sure: a clock that jumped ahead takes no day early, one that was set back
keeps none.
"""

import asyncio
from datetime import date, timedelta

import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.sure import sure_now
from chatinbox.core.vault import SealKey, Vault

log = structlog.get_logger()
KEPT_DAYS = 59  # today among them
ROUND_SECONDS = 3600.0


def first_kept(today: date) -> date:
    """The oldest day there may be."""
    return today - timedelta(days=KEPT_DAYS - 1)


async def drop_old_days(db: Database, vault: Vault) -> list[date]:
    """Destroys the keys of old days, then the days; which they were."""
    kept = first_kept(sure_now().date())
    await vault.destroy_days_before(kept)
    rows = await db.directory("select * from seclog.drop_before(%s)", [kept])
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


async def keep_dropping(db: Database, vault: Vault) -> None:
    """Once an hour until cancelled."""
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        try:
            await drop_old_days(db, vault)
        except Exception:
            log.exception("security_log_days_not_dropped")
