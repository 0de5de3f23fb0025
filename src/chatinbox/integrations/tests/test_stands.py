"""A program is told only while somebody stands for it, it answers and its time is not over; then its secret is destroyed."""

from datetime import timedelta

import pytest

from chatinbox.accounts import colleagues
from chatinbox.accounts.letters import LEFT_OVER, send_left_over
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say, unreached
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.integrations.confirm import confirm, switch_on
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.forget import forget_old
from chatinbox.integrations.send import WAITS, tell_programs
from chatinbox.integrations.stands import look_after
from chatinbox.integrations.tests.programs import (
    HERS,
    NO,
    WORDS,
    YES,
    Program,
    connected,
    happen,
    people_of,
    states,
)
from chatinbox.integrations.try_out import try_out
from chatinbox.privacy.left.read import read_ledger


async def test_after_days_it_is_switched_off_with_a_letter_to_who_stands_for_it_and_can_be_switched_on_again(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, events=["message.received"])
    program.says = NO
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    later = timedelta()
    for wait in WAITS:
        later += wait * 1.3
        with travel(later):
            await tell_programs(close, ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "off"
    letters = [one for one in await read_ledger(close, ada, "mail") if one.instruction == "connected program"]
    assert len(letters) == 1
    with travel(later):
        heard = len(program.heard)
        await say(ada, "while it is off", "karl@mail.example")
        await happen(close, ada)
        assert len(program.heard) == heard
        with pytest.raises(Refused, match="not_found"):
            await switch_on(close, cyd, made.id)
        program.says = YES
        await switch_on(close, ada, made.id)
        await say(ada, "after", "lea@mail.example")
        await happen(close, ada)
    assert len(program.heard) == heard + 1


async def test_once_ended_the_next_job_refuses_and_the_secret_is_destroyed(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, "words")
    program.says = NO
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    heard = len(program.heard)
    with pytest.raises(Refused, match="not_found"):
        await end_connection(close, cyd, made.id)
    await end_connection(close, ada, made.id)
    program.says = YES
    await say(ada, "again", HERS)
    with travel(timedelta(hours=1)):
        await happen(close, ada)
    assert len(program.heard) == heard
    assert {state for _, state, _ in await states(close, ada)} == {"dropped"}
    with pytest.raises(Erased):
        await close.vault.connection_key(ada.account_id, made.id)
    with pytest.raises(Refused, match="ended"):
        await confirm(close, ada, made.id)
    with pytest.raises(Refused, match="stands"):
        await try_out(close, ada, made.id)


async def test_when_who_stands_for_it_leaves_it_lapses_until_another_one_who_may_confirms_it(
    close: Installation, people: People, ada: Staff, bea: Staff, say: Say, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    admin = await people_of(close, bea)
    made = await connected(close, admin, program, events=["message.received"])
    await say(ada, "before", HERS)
    await colleagues.deactivate(close, ada, bea.staff_user_id)
    await happen(close, ada)  # the worker did not even hear of it yet
    assert program.heard == []
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    await colleagues.reactivate(close, ada, bea.staff_user_id)
    await say(ada, "while nobody stands for it", HERS)
    await happen(close, ada)
    assert program.heard == []
    viewer = await people.colleague(ada, "Vic")
    with pytest.raises(Refused, match="not_permitted"):
        await confirm(close, viewer, made.id)
    await confirm(close, ada, made.id)
    await say(ada, "after", HERS)
    await happen(close, ada)
    assert program.kinds == ["message.received"]


async def test_when_who_stands_for_it_may_no_longer_it_lapses_too_and_owners_are_written_to(
    close: Installation, ada: Staff, bea: Staff, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    made = await connected(close, await people_of(close, bea), program)
    await colleagues.set_role(close, ada, bea.staff_user_id, "staff")
    await look_after(close, ada.account_id)
    await look_after(close, ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    letters = [one for one in await read_ledger(close, ada, "mail") if one.instruction == "connected program"]
    assert len(letters) == 1


async def test_owners_hear_that_it_lapsed_also_when_no_server_could_be_reached_just_then(
    close: Installation, ada: Staff, bea: Staff, cyd: Staff, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    made = await connected(close, await people_of(close, bea), program)
    await colleagues.set_role(close, ada, bea.staff_user_id, "staff")
    await look_after(unreached(close), ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    with travel(LEFT_OVER + timedelta(minutes=1)):
        for staff in (ada, cyd):
            await send_left_over(close, staff.account_id)
    for staff, ended in ((ada, {"unreachable", "taken"}), (cyd, set())):
        rows = [
            one for one in await read_ledger(close, staff, "mail") if one.instruction == "connected program"
        ]
        assert {one.outcome for one in rows} == ended and len(rows) == len(ended)


async def test_after_its_time_it_has_ended(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, term=timedelta(days=30))
    with travel(timedelta(days=31)):
        await say(ada, WORDS, HERS)
        await happen(close, ada)
        assert program.heard == []
        assert (await read_connection(close, ada.account_id, made.id)).state == "ended"


async def test_two_weeks_before_its_end_who_stands_for_it_gets_one_letter_and_confirming_it_goes_on(
    close: Installation, ada: Staff, cyd: Staff, program: Program
) -> None:
    made = await connected(close, ada, program)

    async def letters() -> int:
        left = await read_ledger(close, ada, "mail")
        return sum(one.instruction == "connected program" for one in left)

    await forget_old(close, ada.account_id)
    assert await letters() == 0
    with travel(timedelta(days=352)):
        await forget_old(close, ada.account_id)
        await forget_old(close, ada.account_id)
        assert await letters() == 1
        with pytest.raises(Refused, match="not_found"):
            await confirm(close, cyd, made.id)
        await confirm(close, ada, made.id)
    with travel(timedelta(days=400)):
        await forget_old(close, ada.account_id)
        assert (await read_connection(close, ada.account_id, made.id)).state == "on"
    with travel(timedelta(days=800)):
        await forget_old(close, ada.account_id)
        assert (await read_connection(close, ada.account_id, made.id)).ended_at is not None
    with pytest.raises(Erased):
        await close.vault.connection_key(ada.account_id, made.id)


async def test_a_closed_account_tells_nothing_until_it_is_open_again(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, events=["message.received"])
    await say(ada, WORDS, HERS)
    close_it = "update account set closed_at = {} where account_id = %s"
    await close.db.run(ada.account_id, (close_it.format("now()"), [ada.account_id]))
    await happen(close, ada)
    assert program.heard == []
    await close.db.run(ada.account_id, (close_it.format("null"), [ada.account_id]))
    with travel(timedelta(hours=1, seconds=1)):
        await happen(close, ada)
    assert program.kinds == ["message.received"]
