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
from chatinbox.reports.recorded import HEARD, record_deeds

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
