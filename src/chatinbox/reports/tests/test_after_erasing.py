"""Reports keep their sums when a customer is erased: what was counted is not counted again from what is left."""

from datetime import timedelta
from typing import Any

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import travel
from chatinbox.core.installation import Installation
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.reports import work
from chatinbox.reports.tests.conftest import answer, report_of
from chatinbox.reports.work import WorkReport

_RECOUNTED = "select kind, staff_user_id, conversation_id, channel_id, seconds, at from staff_record"
_FROM_WHAT_IS_LEFT = """
select kind, staff_user_id, conversation_id, channel_id, seconds, at from (select r.* from staff_record r
  where exists (select from conversation c where c.account_id = r.account_id and c.id = r.conversation_id)) staff_record"""


async def erased(inst: Installation, by: Staff, email: str) -> None:
    customer_id = await find_by_email(inst, by.account_id, email)
    assert customer_id
    erasure_id = await ask_erasure(inst, by, customer_id, "Casey Customer")
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, by.account_id, erasure_id)


async def every_report(inst: Installation, ada: Staff, bea: Staff) -> list[WorkReport]:
    return [await report_of(inst, ada), await report_of(inst, ada, bea), await report_of(inst, ada, ada)]


async def test_every_sum_is_the_same_after_an_erasure_as_before_it(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Any, settle: Any, worked: None
) -> None:
    theirs = await say(cyd, email="one@mail.example")
    await answer(inst, cyd, theirs.conversation_id, timedelta(minutes=5))
    await settle(cyd)
    before, next_door = await every_report(inst, ada, bea), await report_of(inst, cyd)
    assert (before[0].whole.answers, before[0].whole.notes, before[0].whole.done) == (2, 1, 2)
    await erased(inst, ada, "one@mail.example")
    assert await every_report(inst, ada, bea) == before
    await erased(inst, ada, "two@mail.example")
    assert await every_report(inst, ada, bea) == before
    assert await report_of(inst, cyd) == next_door, "another account's report changed"
    assert next_door.whole.answers == 1


async def test_who_counts_again_from_what_is_left_would_be_noticed(
    inst: Installation, ada: Staff, bea: Staff, worked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saboteur: a report that looks for the conversation of each deed. Before an erasure nobody could tell."""
    honest = await every_report(inst, ada, bea)
    for name in ("_ASK", "_BY_TEAM"):
        text = getattr(work, name)
        assert text.count(_RECOUNTED) == 1, "nothing was swapped"
        monkeypatch.setattr(work, name, text.replace(_RECOUNTED, _FROM_WHAT_IS_LEFT))
    assert await every_report(inst, ada, bea) == honest
    await erased(inst, ada, "one@mail.example")
    assert await every_report(inst, ada, bea) != honest
