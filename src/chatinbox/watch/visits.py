"""Visits are counted in memory and written once a minute, all together: no moment of a visit is left anywhere.

A crash loses at most that minute. Only pages of our own website are counted, by the door that calls `count`: never a
chat box, a page of an account or the inbox (clause C09).
"""

import asyncio
from collections import Counter
from datetime import date

import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.watch.sketch import DaySketch
from chatinbox.watch.visit import UNTOLD, Cell, cell_of

log = structlog.get_logger()
WRITE_SECONDS = 60.0
MOST_REFERRERS = 300  # told apart between two writes: what a flood of made-up names can add


class Visits:
    """The counters of this process."""

    def __init__(self) -> None:
        self._cells: Counter[Cell] = Counter()
        self._referrers: set[str] = set()
        self._sketch = DaySketch(now().date())
        self._told: int = 0  # how many of the sketch's visitors are in the database already
        self._left: Counter[date] = Counter()  # visitors of a day that has ended, not written yet

    def count(
        self, route: str, user_agent: str, referer: str, own_host: str, place: str, *, signal: bool
    ) -> None:
        """One visit of a page. `place` and `user_agent` go into the day's sketch and nowhere else."""
        day = now().date()
        self._turn(day)
        cell = cell_of(day, route, user_agent, referer, own_host, signal=signal)
        if cell.referrer != UNTOLD:  # so that a visit with a signal takes no place from others
            if cell.referrer not in self._referrers and len(self._referrers) >= MOST_REFERRERS:
                cell = Cell(day, cell.route, cell.device, UNTOLD)
            else:
                self._referrers.add(cell.referrer)
        self._cells[cell] += 1
        if not signal and cell.device != "program":
            self._sketch.see(f"{place}\n{user_agent}".encode())

    def _turn(self, day: date) -> None:
        """A new day: yesterday's number stays to be written, its key and bits are gone."""
        if day != self._sketch.day:
            self._left[self._sketch.day] += self._sketch.count() - self._told
            self._sketch, self._told = DaySketch(day), 0

    async def write(self, db: Database) -> None:
        """Writes what was counted since the last time. What cannot be written is counted on."""
        self._turn(now().date())
        cells, self._cells = self._cells, Counter()
        self._referrers.clear()
        left, self._left = self._left, Counter()
        left[self._sketch.day] += self._sketch.count() - self._told
        self._told = self._sketch.count()
        try:
            await _write(db, cells, left)
        except Exception:
            self._cells.update(cells)
            self._left.update(left)
            raise

    async def keep(self, db: Database) -> None:
        """Writes once a minute until cancelled, and a last time then."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                try:
                    await self.write(db)
                except Exception:
                    log.exception("visits_not_written")
        finally:
            await self.write(db)


async def _write(db: Database, cells: Counter[Cell], visitors: Counter[date]) -> None:
    """In the order of their names, so that which visit came first is in no row's place."""
    rows = sorted(cells.items())
    days = sorted((day, count) for day, count in visitors.items() if count > 0)
    if not rows:
        return
    async with db.work() as conn:
        await conn.execute(
            "select watch.add_visits(%s::date[], %s, %s, %s, %s)",
            [
                [cell.day for cell, _ in rows],
                [cell.route for cell, _ in rows],
                [cell.device for cell, _ in rows],
                [cell.referrer for cell, _ in rows],
                [count for _, count in rows],
            ],
        )
        if days:
            await conn.execute(
                "select watch.add_visitors(%s::date[], %s)", [[d for d, _ in days], [n for _, n in days]]
            )
