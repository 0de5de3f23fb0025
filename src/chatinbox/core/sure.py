"""How sure we are of the clock. What cannot be undone is not done by a clock that jumped.

The time that is sure is the one of the start, and what passed since by a clock that nobody sets. While the time of day is
further from it than `LIMIT`, or from the database's clock, nothing is destroyed by a clock alone: until it is right again, or
an operator says that it is. A start cannot tell a jump from having been away; it waits a day, so that somebody can look.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import structlog
from psycopg.rows import TupleRow

from chatinbox.core.clock import elapsed, now, offset_seconds
from chatinbox.core.db import Database

log = structlog.get_logger()
LIMIT = timedelta(hours=36)
WAIT = timedelta(days=1)
LOOK_SECONDS = 60.0

_READ = "select seen_at, doubted_at, waits_until, confirmed_at, clock_timestamp() from work.clock for update"
_BEGIN = "insert into work.clock (seen_at) values (%s) on conflict do nothing"
_KEEP = "update work.clock set seen_at = greatest(seen_at, %s), doubted_at = %s, waits_until = %s"


@dataclass(frozen=True, slots=True)
class Sure:
    """What was sure `ran` long after the machine's start; since when it is in doubt; until when a late start waits."""

    at: datetime
    ran: timedelta
    doubted_at: datetime | None = None
    waits_until: datetime | None = None
    confirmed_at: datetime | None = None

    @property
    def by_now(self) -> datetime:
        """The time that is sure, now."""
        return self.at + (elapsed() - self.ran)

    @property
    def is_off(self) -> bool:
        """Whether the time of day is far from it."""
        return abs(now() - self.by_now) > LIMIT


_sure: Sure | None = None  # of this process; none where nobody looks after the clock, as in commands


def begun(
    seen_at: datetime,
    doubted_at: datetime | None,
    waits_until: datetime | None,
    confirmed_at: datetime | None,
    witness: datetime,
) -> Sure:
    """What a start makes of what was kept. Later than the last look is having been away, and waits a day where that was long;
    earlier is doubt, and doubt stays until the clock is near again, or confirmed.
    """
    at = now()
    there = Sure(seen_at, elapsed(), doubted_at, waits_until, confirmed_at)
    if doubted_at or at < seen_at - LIMIT:
        return _judged(there, witness)
    if at > seen_at + LIMIT:
        waits_until = at + WAIT
        log.warning("clock_much_later_than_last_seen", seconds=round((at - seen_at).total_seconds()))
    return _judged(replace(there, at=at, waits_until=waits_until), witness)


def _judged(sure: Sure, witness: datetime) -> Sure:
    is_off = sure.is_off or abs(now() - witness - timedelta(seconds=offset_seconds())) > LIMIT
    return replace(sure, doubted_at=(sure.doubted_at or sure.by_now) if is_off else None)


def doubt() -> datetime | None:
    """Since when the clock is in doubt; None while it is not."""
    if _sure is None:
        return None
    return _sure.doubted_at or (_sure.by_now if _sure.is_off else None)


def waits_until() -> datetime | None:
    """Until when nothing is destroyed by a clock alone, because a start came late; None where it does not wait."""
    until = _sure.waits_until if _sure else None
    return until if until and now() < until else None


def may_destroy(what: str) -> bool:
    """Whether what cannot be undone may be done because of what time it is. A no is said in the log."""
    if doubt():
        log.error("clock_in_doubt_so_nothing_is_destroyed", name=what)
        return False
    if waits_until():
        log.warning("late_start_so_nothing_is_destroyed_yet", name=what)
        return False
    return True


def sure_now() -> datetime:
    """What time it is, by the clock while it is not in doubt; else by what passed since it was sure."""
    return _sure.by_now if _sure and doubt() else now()


def earliest() -> datetime:
    """What somebody set a time for is due by this: the earlier of both, while they are not one."""
    return min(now(), sure_now())


async def arrive(db: Database) -> None:
    """Takes the time of a start, before anything goes by it."""
    global _sure
    async with db.work() as conn:
        await conn.execute(_BEGIN, [now()])
        row = await (await conn.execute(_READ)).fetchone()
        assert row
        _sure = begun(*row)
        await conn.execute(_KEEP, [_sure.by_now, _sure.doubted_at, _sure.waits_until])
    _say(None, _sure)


async def look(db: Database) -> None:
    """Looks whether the clock went as time did, and keeps how late it is; hears whether an operator confirmed it."""
    global _sure
    before = _sure
    assert before
    async with db.work() as conn:
        row = await (await conn.execute(_READ)).fetchone()
        assert row
        _, doubted_at, waits, confirmed_at, witness = row
        if confirmed_at != before.confirmed_at:
            _sure = _judged(Sure(now(), elapsed(), None, waits, confirmed_at), witness)
        else:
            _sure = _judged(
                replace(before, doubted_at=doubted_at or before.doubted_at, waits_until=waits), witness
            )
        await conn.execute(_KEEP, [_sure.by_now, _sure.doubted_at, _sure.waits_until])
    _say(before, _sure)


def _say(before: Sure | None, after: Sure) -> None:
    was = before.doubted_at if before else None
    if after.doubted_at and not was:
        log.error("clock_in_doubt", seconds=round((now() - after.by_now).total_seconds()))
    elif was and not after.doubted_at:
        log.warning("clock_sure_again")


async def keep_looking(db: Database) -> None:
    """Once a minute until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await look(db)
        except Exception:
            log.exception("clock_not_looked_at")


def leave() -> None:
    """Nobody looks after the clock of this process any more."""
    global _sure
    _sure = None


def by_the_kept(conn: psycopg.Connection[TupleRow]) -> Sure | None:
    """What a command makes of what is kept, changing nothing; None where nothing is."""
    there = conn.execute("select to_regclass('work.clock')").fetchone()
    row = conn.execute(_READ.removesuffix(" for update")).fetchone() if there and there[0] else None
    return begun(*row) if row else None


def take(sure: Sure | None) -> None:
    """A command goes by this until it ends."""
    global _sure
    _sure = sure


def confirm(conn: psycopg.Connection[TupleRow]) -> None:
    """An operator says that the clock is right: doubt ends, and so does waiting. What runs hears it within a minute. Where the
    database's clock says something else, one of the two has to be set first.
    """
    conn.execute(_BEGIN, [now()])
    conn.execute(
        "update work.clock set seen_at = %s, doubted_at = null, waits_until = null, confirmed_at = clock_timestamp()",
        [now()],
    )
