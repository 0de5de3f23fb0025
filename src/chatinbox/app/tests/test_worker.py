"""What follows a commit, by the worker's own wiring."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import structlog

from chatinbox.accounts import colleagues, every_account
from chatinbox.accounts.access import note
from chatinbox.accounts.every_account import in_every_account
from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import set_languages
from chatinbox.app import worker
from chatinbox.conftest import People, Say
from chatinbox.conversations.search.find import find
from chatinbox.conversations.verbs.assign import assign
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.purpose import ON_A_CLOCK, Use, at_work
from chatinbox.core.tests.test_logging import Lines, lines
from chatinbox.core.trouble import Trouble
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.connection import read_connections
from chatinbox.notifications import tell
from chatinbox.privacy import data_map
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.purposes import instructions, look_at_work, tables_for
from promises.program import listening as program_listening
from promises.program import near

__all__ = ["lines"]


async def test_a_program_is_told_within_a_moment_and_nothing_any_more_from_the_moment_its_colleague_is_let_go(
    listening: Installation, people: People, ada: Staff, cyd: Staff, say: Say
) -> None:
    async with told(near(listening)) as inst, program_listening() as program, program_listening() as other:
        bea = await people.colleague(ada, "Bea")
        await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
        admin = await read_active(inst, bea.account_id, bea.staff_user_id, bea.person_id)
        assert admin
        await connect(inst, admin, Asked("out", "Shop", program.url, ["message.received"]))
        await connect(inst, cyd, Asked("out", "Shop", other.url, ["message.received"]))
        await say(ada, "Hello")
        for _ in range(150):
            await inst.outbox.pump()
            if program.heard:
                break
            await asyncio.sleep(0.1)
        assert program.kinds == ["message.received"] and other.heard == []
        await colleagues.deactivate(inst, ada, bea.staff_user_id)
        await say(ada, "After they left")
        while await inst.outbox.pump():
            pass
        [one] = await read_connections(inst, ada.account_id)
        assert one.state == "lapsed" and len(program.heard) == 1


@asynccontextmanager
async def told(inst: Installation) -> AsyncIterator[Installation]:
    """The installation with a worker's ears and hands, for a while."""
    worker.prepare(inst)
    hands = asyncio.create_task(inst.jobs.run())
    yield inst
    hands.cancel()
    await asyncio.gather(hands, return_exceptions=True)


@pytest.fixture
async def works(listening: Installation) -> AsyncIterator[Installation]:
    """The installation with a worker's ears and hands."""
    async with told(listening) as inst:
        yield inst


async def test_what_was_written_before_is_found_in_a_language_that_was_chosen_later(
    works: Installation, ada: Staff, cyd: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatinbox.conversations.search.find.REMEMBER_SECONDS", 0.0)
    got = await say(ada, "Die Schüsseln sind gesprungen")
    while await works.outbox.pump():
        pass

    async def found(by: Staff) -> bool:
        return [hit.conversation_id for hit in (await find(works, by, "schüssel")).hits] == [
            got.conversation_id
        ]

    assert not await found(ada)
    await set_languages(works, ada, ["de"])
    for _ in range(150):
        await works.outbox.pump()
        if await found(ada):
            break
        await asyncio.sleep(0.1)
    assert await found(ada) and not await found(cyd)


async def test_who_is_away_is_told_by_the_worker(
    listening: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    worker.prepare(listening)
    got = await say(ada, "Where is it?")
    await assign(listening, ada, got.conversation_id, bea.staff_user_id)
    [tells] = [one for one in listening.jobs.wired if one.name == tell.JOB]
    for staff in (bea, cyd):
        with at_work(tells.name, tells.use):
            await tells.do(**job_ids(account_id=staff.account_id, staff_user_id=staff.staff_user_id))
    ask = "select subject_id from ledger where account_id = %s and instruction like 'chosen%%'"
    for staff, told_ in ((ada, [(bea.person_id,)]), (cyd, [])):
        assert await listening.db.run(staff.account_id, (ask, [staff.account_id])) == [told_]


async def test_trouble_in_one_account_holds_a_round_up_in_no_other_and_is_said_at_the_end(
    listening: Installation, ada: Staff, cyd: Staff, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, UUID]] = []

    async def breaks(_inst: Installation, account_id: UUID) -> None:
        if account_id == ada.account_id:
            raise ValueError("Ada's")
        done.append(("first", account_id))

    async def goes_on(_inst: Installation, account_id: UUID) -> None:
        done.append(("then", account_id))

    async def breaks_too(_inst: Installation, account_id: UUID) -> None:
        if account_id in (ada.account_id, cyd.account_id):
            raise KeyError("grace@mail.example")

    monkeypatch.setattr(every_account, "log", structlog.get_logger())
    with (
        at_work("a round", Use("Looks at all accounts", "protect")),
        pytest.raises((ValueError, KeyError)) as first,
    ):
        await in_every_account(listening, breaks, goes_on, breaks_too)()
    for one, each in ((ada, ["then"]), (cyd, ["first", "then"])):
        assert [what for what, where in done if where == one.account_id] == each
    logged = lines()
    assert all(line["event"] == "round_failed" and line["trace"] for line in logged)
    for one, errors in ((ada, ["ValueError", "KeyError"]), (cyd, ["KeyError"])):
        assert [line["error"] for line in logged if line["account_id"] == str(one.account_id)] == errors
    assert len(logged) == 3 and type(first.value).__name__ == logged[0]["error"]
    assert "grace" not in json.dumps(logged)


async def test_what_the_worker_does_says_what_for_and_goes_back_to_an_instruction(
    listening: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "is_on", lambda _settings: True)  # billing too
    worker.prepare(listening)
    found = look_at_work([*listening.jobs.wired, *listening.outbox.wired])
    said = {one.use.purpose for one in found if one.use}
    assert said == {"answer", "find", "remind", "report", "bill", "end", "protect", "count", "run"}
    for one in found:
        assert one.use
        if any(data_map.read()[table].plane == "U" for table in tables_for(one.use.purpose)):
            assert one.use.instruction in instructions(), one.name


async def test_work_that_says_nothing_stops_the_start(listening: Installation) -> None:
    async def dig() -> None: ...

    listening.jobs.every("1 1 * * *", "dig", dig)
    with pytest.raises(Trouble, match="dig"):
        worker.prepared(listening)


async def test_every_round_of_a_clock_may_do_what_it_does(
    listening: Installation, ada: Staff, say: Say
) -> None:
    """Work whose purpose does not allow what it reads would be refused here."""
    await say(ada, "A letter")
    worker.prepare(listening)
    rounds = {one.name: one for one in listening.jobs.wired if one.when == ON_A_CLOCK}
    for name in set(rounds) - {"retry_stalled"}:
        with at_work(name, rounds[name].use):
            await rounds[name].do()
    assert len(rounds) > 8


async def test_lines_about_what_was_destroyed_go_by_the_clock_where_nobody_makes_copies(
    listening: Installation, ada: Staff, cyd: Staff
) -> None:
    ledger = listening.vault.destroyed
    before = len(ledger.read())
    for staff in (ada, cyd):
        ledger.add([("customer", staff.account_id, new_id())])
    worker.prepare(listening)
    [forget] = [one for one in listening.jobs.wired if one.name == "forget_destroyed"]
    with travel(timedelta(days=30)), at_work("forget_destroyed", forget.use):
        await forget.do()
        assert len(ledger.read()) == before + 2, "a copy of keys may need them still"
    with travel(timedelta(days=31, minutes=1)), at_work("forget_destroyed", forget.use):
        await forget.do()
    assert ledger.read() == [] and ledger.heads()[0].number == before + 2
    await listening.vault.account_key(cyd.account_id)


async def test_accounts_forget_what_is_old_though_the_ledger_of_destroyed_keys_is_away(
    listening: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    with travel(-timedelta(days=400)):
        for staff in (ada, cyd):
            await note(listening, staff, "search", row_count=1)
            await link(listening, ACCESS, staff.account_id)
    for staff in (ada, cyd):
        await note(listening, staff, "search", row_count=2)
        await link(listening, ACCESS, staff.account_id)
    worker.prepare(listening)
    rounds = {one.name: one for one in listening.jobs.wired}
    ledger = listening.vault.destroyed.path
    away = ledger.rename(ledger.with_suffix(".away"))
    try:
        with at_work("forget", rounds["forget"].use):
            await rounds["forget"].do()
        with pytest.raises(OSError), at_work("forget_destroyed", rounds["forget_destroyed"].use):
            await rounds["forget_destroyed"].do()
    finally:
        away.rename(ledger)
    for staff in (ada, cyd):
        ask = "select at > now() - interval '1 day' from access where account_id = %s"
        [rows] = await listening.db.run(staff.account_id, (ask, [staff.account_id]))
        assert rows == [(True,)], "what is a year old is gone, and today's stays"
