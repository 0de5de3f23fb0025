"""Work to report: deeds through the verbs, and what the worker makes of their events."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts import activity
from chatinbox.accounts.staff import Staff
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.reports.period import read_period, read_zone
from chatinbox.reports.recorded import HEARD, record_deeds
from chatinbox.reports.work import WorkReport, read_work

Settle = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    """Activity begins with nobody at work."""
    activity._open.clear()
    activity._left.clear()
    yield
    activity._open.clear()
    activity._left.clear()


@pytest.fixture
def settle(inst: Installation) -> Settle:
    """Does what the worker does with an account's events of the kinds that are heard."""

    async def all_of(staff: Staff) -> None:
        ask = (
            "select id, kind, conversation_id, subject_id from event where account_id = %s and kind = any(%s)"
        )
        [rows] = await inst.db.run(staff.account_id, (ask, [staff.account_id, HEARD]))
        await record_deeds(inst, [Happened(staff.account_id, *row) for row in rows])

    return all_of


async def answer(inst: Installation, by: Staff, conversation_id: UUID, after: timedelta, **more: Any) -> None:
    """Somebody answers after a while."""
    with travel(after):
        await verbs.reply(
            inst,
            by,
            conversation_id,
            new_id(),
            Body(text="Here you are."),
            seen_position=99,
            send_anyway=True,
            **more,
        )


async def at_work(inst: Installation, by: Staff, began_at: datetime, minutes: float) -> None:
    """An interval of activity as it is stored."""
    insert = "insert into staff_activity (account_id, id, staff_user_id, began_at, last_at) values (%s, %s, %s, %s, %s)"
    ends = began_at + timedelta(minutes=minutes)
    await inst.db.run(
        by.account_id, (insert, [by.account_id, new_id(), by.staff_user_id, began_at, min(ends, now())])
    )


@pytest.fixture
async def worked(inst: Installation, ada: Staff, bea: Staff, say: Any, settle: Settle) -> None:
    """A morning: Bea answers two customers and closes one, Ada writes a note and closes the other."""
    one, two = await say(ada, email="one@mail.example"), await say(ada, email="two@mail.example")
    await answer(inst, bea, one.conversation_id, timedelta(minutes=10))
    await answer(inst, bea, two.conversation_id, timedelta(minutes=30), then="done")
    await verbs.add_note(inst, ada, one.conversation_id, new_id(), Body(text="Careful."))
    await verbs.assign(inst, bea, one.conversation_id, ada.staff_user_id)
    with travel(timedelta(minutes=40)):
        await verbs.set_status(inst, ada, one.conversation_id, "done")
    await at_work(inst, bea, now() - timedelta(minutes=65), 60)
    await settle(ada)


async def report_of(inst: Installation, who: Staff, only: Staff | None = None) -> WorkReport:
    """What the page of work has for an account, of all its people or of one."""
    with travel(timedelta(hours=1)):
        period = read_period("28d", read_zone("UTC"))
        return await read_work(inst, who.account_id, period, only.staff_user_id if only else None)
