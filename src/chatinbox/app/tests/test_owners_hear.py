"""What owners are told once they hear although no server could be reached when it happened."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.closing import close_account
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.letters import LEFT_OVER
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.conftest import unreached
from chatinbox.core.clock import travel
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import at_work
from chatinbox.privacy.glass import tell

Happens = Callable[[Installation, Staff, Staff], Awaitable[object]]


async def handed_over(inst: Installation, ada: Staff, bea: Staff) -> None:
    await hand_over(inst, ada, bea.staff_user_id, "admin")


async def closed(inst: Installation, ada: Staff, _: Staff) -> None:
    await close_account(inst, ada, await read_account_name(inst, ada.account_id))


async def opened_to_the_operator(inst: Installation, ada: Staff, _: Staff) -> None:
    await tell.opened(inst, ada.account_id)


@pytest.mark.parametrize(
    ("happens", "occasion", "owners"),
    [
        (handed_over, "account handed over", 2),
        (closed, "account closing", 1),
        (opened_to_the_operator, "operator access", 1),
    ],
)
async def test_it_is_sent_by_the_clock_to_each_of_them_and_to_nobody_else(
    listening: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    happens: Happens,
    occasion: str,
    owners: int,
) -> None:
    await happens(unreached(listening), ada, bea)
    ask = "select subject_id, outcome from ledger where account_id = %s and instruction = %s"

    async def letters(by: Staff) -> list[tuple[UUID, str]]:
        [rows] = await listening.db.run(by.account_id, (ask, [by.account_id, occasion]))
        return sorted((row[0], row[1]) for row in rows)

    def all_ended(*outcomes: str) -> list[tuple[UUID, str]]:
        return sorted((one.person_id, outcome) for one in (ada, bea)[:owners] for outcome in outcomes)

    assert await letters(ada) == all_ended("unreachable")
    worker.prepare(listening)
    [sends] = [one for one in listening.jobs.wired if one.name == "send_left_over_letters"]
    with travel(LEFT_OVER + timedelta(minutes=1)), at_work(sends.name, sends.use):
        await sends.do()
        await sends.do()
    assert await letters(ada) == all_ended("taken", "unreachable")
    assert await letters(cyd) == []
