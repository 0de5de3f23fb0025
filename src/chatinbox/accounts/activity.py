"""Activity: from when to when somebody works with the inbox. The browser gives a sign while a tab of it is in view and
was touched lately; what is done there is not told. All tabs and devices of a person are one interval.

Signs are kept in memory and written at most once a minute a person. A process that dies loses that minute; two
processes write two intervals that overlap, and reports count every moment once.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_in
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

log = structlog.get_logger()
MOST_TABS = 40
LONGEST = timedelta(hours=12)  # a longer one goes on as a second: what began long ago need not be looked for


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long, in seconds: a browser's signs, no touch at all, no sign at all, and between writes."""

    sign: float = 30
    idle: float = 300
    lost: float = 90
    write: float = 60


@dataclass(slots=True)
class _Interval:
    account_id: UUID
    staff_user_id: UUID
    began_at: datetime
    last_at: datetime
    id: UUID = field(default_factory=new_id)
    tabs: dict[str, datetime] = field(default_factory=dict)
    written_at: datetime | None = None  # when it was last written
    written_to: datetime | None = None  # up to which sign

    def is_open(self, at: datetime) -> bool:
        """Whether any of its tabs gave a sign lately and has not been closed since."""
        return any(at - last <= timedelta(seconds=pace.lost) for last in self.tabs.values())


pace = Pace()
_open: dict[UUID, _Interval] = {}
_left: list[_Interval] = []  # ended, the last sign not written yet


def sign(by: Staff, tab: str) -> None:
    """A tab of theirs is in view and was touched lately."""
    at, interval = now(), _open.get(by.staff_user_id)
    if interval and (not interval.is_open(at) or at - interval.began_at > LONGEST):
        _end(by.staff_user_id)
        interval = None
    if interval is None:
        interval = _open[by.staff_user_id] = _Interval(by.account_id, by.staff_user_id, at, at)
    if tab in interval.tabs or len(interval.tabs) < MOST_TABS:
        interval.tabs[tab] = at
    interval.last_at = max(interval.last_at, at)


def stop(by: Staff, tab: str) -> None:
    """A tab of theirs was closed, hidden, or not touched for a while. The last one ends the interval."""
    at, interval = now(), _open.get(by.staff_user_id)
    if interval is None or tab not in interval.tabs:
        return
    if at - interval.tabs.pop(tab) <= timedelta(seconds=pace.lost):
        interval.last_at = max(interval.last_at, at)
    if not interval.is_open(at):
        _end(by.staff_user_id)


def _end(staff_user_id: UUID) -> None:
    _left.append(_open.pop(staff_user_id))


async def write_due(inst: Installation, everything: bool = False) -> int:
    """Writes what was not written for a minute, or all of it; how many rows."""
    at, due = now(), []
    for interval in [*_left, *_open.values()]:
        wait = timedelta(seconds=0 if everything else pace.write)
        if interval.written_at is not None and at - interval.written_at < wait:
            continue
        if interval.written_to != interval.last_at:
            due.append(interval)
    for interval in due:
        await _write(inst, interval)
    _left[:] = [one for one in _left if one.written_to != one.last_at]
    for one in [one for one in _open.values() if not one.is_open(at) and one.written_to == one.last_at]:
        del _open[one.staff_user_id]
    return len(due)


async def _write(inst: Installation, interval: _Interval) -> None:
    last_at, interval.written_at = interval.last_at, now()
    try:
        async with inst.db.account(interval.account_id) as tx:
            if (await read_in(inst, tx)).individual_reports == "on":
                await tx.execute(
                    "insert into staff_activity (account_id, id, staff_user_id, began_at, last_at) values (%s, %s, %s, %s, %s)"
                    " on conflict (account_id, id) do update set last_at = greatest(staff_activity.last_at, excluded.last_at)",
                    [interval.account_id, interval.id, interval.staff_user_id, interval.began_at, last_at],
                )
    except Erased:
        pass  # an account whose key is destroyed records nothing
    interval.written_to = last_at


async def keep_writing(inst: Installation) -> None:
    """Writes what is due until cancelled."""
    while True:
        await asyncio.sleep(pace.write / 6)
        try:
            await write_due(inst)
        except Exception:
            log.exception("activity_not_written")


async def finish(inst: Installation) -> None:
    """Writes everything, as the server stops."""
    await write_due(inst, everything=True)
