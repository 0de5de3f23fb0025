"""What a commit left is done once, by one process at a time, and nothing is held up meanwhile."""

import asyncio
import contextlib
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened, Outbox


async def leave(inst: Installation, staff: Staff, kind: str) -> UUID:
    """A row as a verb leaves it."""
    event_id = new_id()
    await inst.db.run(
        staff.account_id,
        (
            "insert into work.outbox (account_id, event_id, kind) values (%s, %s, %s)",
            [staff.account_id, event_id, kind],
        ),
    )
    return event_id


class Ear:
    """An outbox of a process, and what it was told. `may_go_on` lets its handler end."""

    def __init__(self, inst: Installation, kind: str) -> None:
        self.outbox, self.heard = Outbox(inst.behind, inst.bell, inst.calm), list[UUID]()
        self.begun, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.outbox.on([kind], self._hear)

    async def _hear(self, batch: list[Happened]) -> None:
        self.heard += [happened.event_id for happened in batch]
        self.begun.set()
        await self.may_go_on.wait()


async def test_one_process_pumps_at_a_time_and_a_second_one_has_nothing_to_do(
    inst: Installation, ada: Staff
) -> None:
    first, second = Ear(inst, kind := f"test {new_id()}"), Ear(inst, kind)
    event_id = await leave(inst, ada, kind)
    pumping = asyncio.create_task(first.outbox.pump())
    await asyncio.wait_for(first.begun.wait(), 5)
    assert await second.outbox.pump() == 0
    first.may_go_on.set()
    assert await pumping
    while await second.outbox.pump():
        pass
    assert first.heard == [event_id] and second.heard == []


async def test_who_dies_at_it_lets_go_and_the_next_one_does_it_again(inst: Installation, ada: Staff) -> None:
    first, second = Ear(inst, kind := f"test {new_id()}"), Ear(inst, kind)
    event_id = await leave(inst, ada, kind)
    pumping = asyncio.create_task(first.outbox.pump())
    await asyncio.wait_for(first.begun.wait(), 5)
    pumping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pumping
    second.may_go_on.set()
    assert await asyncio.wait_for(second.outbox.pump(), 5)
    assert second.heard == [event_id]


async def test_no_transaction_is_open_while_handlers_work(inst: Installation, ada: Staff) -> None:
    ear = Ear(inst, kind := f"test {new_id()}")
    await leave(inst, ada, kind)
    pumping = asyncio.create_task(ear.outbox.pump())
    await asyncio.wait_for(ear.begun.wait(), 5)
    held = await inst.db.directory(
        "select count(*) from pg_locks l where l.locktype = 'advisory' and exists (select from pg_stat_activity a"
        " where a.pid = l.pid and a.datname = current_database())"
    )
    open_ = await inst.db.directory(
        "select count(*) from pg_stat_activity where datname = current_database() and backend_xid is not null"
    )
    ear.may_go_on.set()
    await pumping
    assert held == [(1,)] and open_ == [(0,)]
