"""Answers find their way out: set out once, an account at a time, tried again without holding others up."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app import deliver
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now
from chatinbox.core.db import statements
from chatinbox.core.egress import Egress
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


@pytest.fixture
def out(listening: Installation) -> Installation:
    """The installation with a worker's ears, and without a worker."""
    deliver.prepare(listening)
    return listening


async def answers(out: Installation, staff: Staff, say: Say, *texts: str) -> None:
    """A customer writes by e-mail, and gets answers."""
    got = await say(staff)
    for text in texts:
        body = Body(text=text, author_name=staff.name)
        await verbs.reply(out, staff, got.conversation_id, new_id(), body, seen_position=0, send_anyway=True)


async def pump(out: Installation) -> None:
    while await out.outbox.pump():
        pass


async def asked(out: Installation, staff: Staff) -> list[tuple[str, bool]]:
    """The waiting jobs of an account, and whether each may begin now."""
    rows = await out.db.directory(
        "select task_name, coalesce(scheduled_at <= now(), true) from work.procrastinate_jobs"
        " where status = 'todo' and args->>'account_id' = %s order by id",
        [str(staff.account_id)],
    )
    return [(name, may_begin) for name, may_begin in rows]


async def states(out: Installation, account_id: UUID) -> list[str]:
    [rows] = await out.db.run(
        account_id, ("select state from delivery where account_id = %s order by id", [account_id])
    )
    return [state for (state,) in rows]


async def test_one_job_an_account_sends_all_its_answers_once_and_nobody_elses(
    out: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    await answers(out, ada, say, "one", "two", "three")
    await answers(out, cyd, say, "theirs")
    await pump(out)
    assert await asked(out, ada) == [("deliver", True)] == await asked(out, cyd)
    for _ in range(2):
        await deliver.deliver(out, ada.account_id)
    assert sorted(await states(out, ada.account_id)) == ["sent"] * 3
    assert await states(out, cyd.account_id) == ["waiting"]
    assert len(await list_kept(out, ada)) == 3 and await list_kept(out, cyd) == []


async def test_hearing_of_many_answers_costs_what_hearing_of_one_does(
    out: Installation, ada: Staff, say: Say
) -> None:
    counts = []
    for texts in (["one"], [str(number) for number in range(20)]):
        await pump(out)
        await answers(out, ada, say, *texts)
        seen: list[str] = []
        token = statements.set(seen)
        await pump(out)
        statements.reset(token)
        counts.append(len(seen))
    assert counts[0] == counts[1] and len(await states(out, ada.account_id)) == 21


async def test_a_letter_that_is_tried_later_does_not_hold_the_next_one_up(
    out: Installation, ada: Staff, say: Say
) -> None:
    away = replace(out, egress=Egress(out.db, out.vault, "smtp://127.0.0.1:9"))
    await answers(out, ada, say, "while it is away")
    await pump(out)
    await deliver.deliver(away, ada.account_id)
    assert await states(out, ada.account_id) == ["waiting"]
    assert await asked(out, ada) == [("deliver", True), ("deliver_again", False)]
    await answers(out, ada, say, "when it is back")
    await pump(out)
    await deliver.deliver(out, ada.account_id)  # the first one's time has not come
    assert await states(out, ada.account_id) == ["waiting", "sent"]
    await out.db.run(
        ada.account_id, ("update delivery set due_at = %s where account_id = %s", [now(), ada.account_id])
    )
    await deliver.deliver(out, ada.account_id)
    assert await states(out, ada.account_id) == ["sent", "sent"]


async def test_what_a_stopped_process_had_begun_is_asked_for_by_the_next_one(
    out: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    await answers(out, ada, say, "begun")
    [written] = await out.db.run(
        ada.account_id, ("select id from message where account_id = %s", [ada.account_id])
    )
    await verbs.set_out(out, ada.account_id, [message_id for (message_id,) in written])
    await out.db.run(
        ada.account_id,
        (
            "update delivery set state = 'sending', changed_at = %s where account_id = %s",
            [now() - timedelta(minutes=5), ada.account_id],
        ),
    )
    await deliver.ask_left_over(out, timedelta(minutes=10))
    assert await asked(out, ada) == []
    await deliver.ask_left_over(out)
    assert await asked(out, ada) == [("deliver", True)] and await asked(out, cyd) == []
    await deliver.deliver(out, ada.account_id)
    assert await states(out, ada.account_id) == ["sent"]
