"""What began for a customer, or ended, after a copy: it stands as it stood once that copy is put back."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st

from chatinbox.accounts.closing import GRACE, close_account, read_closed_at, undo_closing
from chatinbox.accounts.staff import Staff
from chatinbox.app.backup.replay import replay
from chatinbox.app.backup.restore import put_back as put_back_copies
from chatinbox.app.tests.copies import HERS, HIS, Copies, customer_of, erases, writes
from chatinbox.conftest import People
from chatinbox.conversations.inbox import read_list
from chatinbox.core.clock import now, travel
from chatinbox.core.destroyed import ASIDE, OBJECTED, OBJECTION_ENDED, TAKEN_UP
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.customers.addresses import find_by_email
from chatinbox.customers.read import read_customer
from chatinbox.privacy import put_back
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.hold import end_hold, hold, hold_longer, list_holds
from chatinbox.privacy.hold_again import hold_again
from chatinbox.privacy.objection import end_objection, note_objection, object_again
from chatinbox.privacy.restriction.restrict import list_restrictions, read_restriction, restrict, take_up


async def somebody(inst: Installation, staff: Staff, email: str) -> UUID:
    """A customer who wrote once."""
    await writes(inst, staff, email, email.partition("@")[0] + new_id().hex[-4:])
    return await customer_of(inst, staff, email)


async def taken_up(inst: Installation, staff: Staff, customer_id: UUID) -> None:
    await take_up(inst, staff, customer_id, "", told_otherwise=True)


async def is_aside(inst: Installation, staff: Staff, customer_id: UUID) -> bool:
    """By its row, and by the mark that every path looks at."""
    row = await read_restriction(inst, staff, customer_id)
    marked = (await read_customer(inst, staff.account_id, customer_id)).restricted_at
    assert (row is None) == (marked is None)
    return row is not None


async def test_who_was_set_aside_after_the_copy_is_set_aside_and_who_was_taken_up_is_not(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        hers, his = [await somebody(inst, ada, one) for one in (HERS, HIS)]
        kept, back, gone = [await somebody(inst, ada, f"{one}@mail.example") for one in ("kim", "bo", "gil")]
        theirs = await somebody(inst, cyd, HERS)
        for one in (his, kept, back):
            await restrict(inst, ada, one, "accuracy", "They rang us")
        data, keys, _ = copies.make(inst)
        await restrict(inst, ada, hers, "claims", "They wrote to us")
        live = await read_restriction(inst, ada, hers)
        await taken_up(inst, ada, his)
        await taken_up(inst, ada, back)
        await restrict(inst, ada, back, "unlawful")
        await restrict(inst, ada, gone, "objection")
        await erases(inst, ada, gone)
        await restrict(inst, ada, await somebody(inst, ada, "new@mail.example"), "claims")
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        aside = {one: await is_aside(inst, ada, one) for one in (hers, his, kept, back)}
        assert aside == {hers: True, his: False, kept: True, back: True}
        assert {one.customer_id for one in await list_restrictions(inst, ada)} == {hers, kept, back}
        [found, untouched] = [await read_restriction(inst, ada, one) for one in (hers, kept)]
        assert found and live and untouched and untouched.words == "They rang us"
        assert (found.id, found.ground, found.words) == (live.id, put_back.GROUND, put_back.WORDS)
        assert found.staff_user_id is None, "nobody is named for what nobody knows any more"
        assert not await is_aside(inst, cyd, theirs), "the same person with another business was set aside"
        assert await list_restrictions(inst, cyd) == []
        before = len(inst.vault.destroyed.read())
        await taken_up(inst, ada, hers)  # what stands again is ended as anything is
        [line] = inst.vault.destroyed.read()[before:]
        assert (line.kind, line.subject_id, line.more) == (TAKEN_UP, live.id, ())
        lines = inst.vault.destroyed.read()
    told = await replay(there, there.database_url or "", lines)
    assert told[1].startswith("As they stood again: 0 who are set aside or taken up,")
    async with copies.opened(there) as inst:
        assert [await is_aside(inst, ada, one) for one in (hers, his, kept, back)] == [
            False,
            False,
            True,
            True,
        ]


async def objected_at(inst: Installation, staff: Staff, customer_id: UUID) -> int | None:
    return (await read_customer(inst, staff.account_id, customer_id)).objected_at


async def test_who_objected_after_the_copy_is_not_written_to_and_who_took_it_back_is(copies: Copies) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        hers, his = [await somebody(inst, ada, one) for one in (HERS, HIS)]
        kept, again = [await somebody(inst, ada, f"{one}@mail.example") for one in ("kim", "bo")]
        theirs = await somebody(inst, cyd, HERS)
        for one in (his, kept, again):
            await note_objection(inst, ada, one)
        data, keys, _ = copies.make(inst)
        await note_objection(inst, ada, hers)
        for one in (his, again):
            await end_objection(inst, ada, one)
        await note_objection(inst, ada, again)
        all_ = (hers, his, kept, again)
        live = [await objected_at(inst, ada, one) for one in all_]
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        assert [await objected_at(inst, ada, one) for one in all_] == live
        assert [one is None for one in live] == [False, True, False, False]
        assert await objected_at(inst, cyd, theirs) is None, "the same person objected to another business"
        lines = inst.vault.destroyed.read()
        assert await object_again(inst, ada.account_id, lines) == 0, "a second time changes nothing"
        mine = [one for one in lines if one.kind in (OBJECTED, OBJECTION_ENDED)]
        assert await object_again(inst, cyd.account_id, mine) == 0


def in_(days: int) -> date:
    return now().date() + timedelta(days=days)


Held: TypeAlias = set[tuple[UUID, UUID, int | None, datetime, bool]]


async def holds(inst: Installation, staff: Staff) -> Held:
    """What was ever held: its id, whose it is, of which conversation, until when, and whether it holds."""
    return {
        (one.id, one.customer_id, one.number, one.until_at, one.is_open)
        for one in await list_holds(inst, staff)
    }


async def test_what_was_held_after_the_copy_is_held_and_what_was_let_go_is_not(copies: Copies) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        hers, his = [await somebody(inst, ada, one) for one in (HERS, HIS)]
        theirs = await somebody(inst, cyd, HERS)
        number = {row.customer.id: str(row.number) for row in (await read_list(inst, ada, "all")).rows}[his]
        kept, longer, over = [
            await hold(inst, ada, his, "", "law", f"Words {days}", in_(days)) for days in (9, 10, 11)
        ]
        data, keys, _ = copies.make(inst)
        of_talk = await hold(inst, ada, his, number, "claims", "The claim", in_(12))
        of_her = await hold(inst, ada, hers, "", "claims", "The claim", in_(13))
        for days in (40, 30):
            await hold_longer(inst, ada, longer, in_(days))
        await end_hold(inst, ada, over)
        await end_hold(inst, ada, await hold(inst, ada, hers, "", "law", "A mistake", in_(5)))
        new = await somebody(inst, ada, "new@mail.example")
        await hold(inst, ada, new, "", "law", "Whom the copy does not know", in_(5))
        live = {one for one in await holds(inst, ada) if one[4] and one[1] != new}
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        found = await holds(inst, ada)
        assert {one for one in found if one[4]} == live and len(live) == 4
        said = {one.id: (one.ground, one.words, one.staff_user_id) for one in await list_holds(inst, ada)}
        assert said[kept] == ("law", "Words 9", ada.staff_user_id)
        assert said[longer] == ("law", "Words 10", ada.staff_user_id)
        for one in (of_talk, of_her):
            assert said[one] == (put_back.GROUND, put_back.WORDS, None)
        assert await holds(inst, cyd) == set(), "the same person with another business is held"
        erasure_id = await ask_erasure(inst, ada, hers, "Somebody")
        with travel(UNDO + timedelta(seconds=1)):
            assert not await engine.erase(inst, ada.account_id, erasure_id), "what is held was erased"
        await end_hold(inst, ada, of_her)  # what stands again is ended as anything is
        with travel(UNDO + timedelta(seconds=1)):
            assert await engine.erase(inst, ada.account_id, erasure_id)
        lines = inst.vault.destroyed.read()
        assert await hold_again(inst, ada.account_id, lines) == 0, "a second time changes nothing"
        assert await find_by_email(inst, cyd.account_id, HERS) == theirs


async def test_what_the_ledger_has_let_go_of_cannot_stand_again_and_the_restore_says_so(
    copies: Copies,
) -> None:
    """Data of any age opens with keys of today; the ledger is a month long."""

    def put(data: Path, keys: Path) -> list[str]:
        there = copies.elsewhere(f"there {new_id().hex[-6:]}")
        with ThreadPoolExecutor(1) as thread:  # it has a loop of its own, and here one runs already
            return thread.submit(put_back_copies, there, data, keys, copies.root, None, "").result()

    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        hers = await somebody(inst, ada, HERS)
        with travel(-timedelta(days=40)):
            old, _, _ = copies.make(inst)
            await restrict(inst, ada, hers, "accuracy")
        new, _, _ = copies.make(inst)  # lets go of that line
        keys = copies.make(inst)[1]
        assert inst.vault.destroyed.read() == []
    [sentence] = [one for one in put(old, keys) if "older than the ledger" in one]
    assert "is not known here: ask each account" in sentence
    assert not [one for one in put(new, keys) if "older than the ledger" in one]


async def test_an_account_that_was_closed_after_the_copy_is_closed_and_one_that_was_opened_is_open(
    copies: Copies,
) -> None:
    """And its days are those of its last closing."""
    async with copies.opened() as inst:
        ada, bea, cyd, eve = [
            await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Bea", "Cyd", "Eve")
        ]
        with travel(-timedelta(days=20)):
            for one in (bea, eve):
                await close_account(inst, one, f"{one.name}'s")
        data, keys, _ = copies.make(inst)
        await close_account(inst, ada, "Ada's")
        for one in (bea, eve):
            await undo_closing(inst, one)
        await close_account(inst, eve, "Eve's")
        live = [await read_closed_at(inst, one.account_id) for one in (ada, bea, cyd, eve)]
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        assert [await read_closed_at(inst, one.account_id) for one in (ada, bea, cyd, eve)] == live
        assert [one is None for one in live] == [False, True, True, False]
        hers = await somebody(inst, bea, HERS)
        await restrict(inst, bea, hers, "accuracy")  # an open account gives numbers again
        with travel(GRACE - timedelta(days=1)):
            assert await destroy_due(inst) == []
        with travel(GRACE + timedelta(days=1)):
            assert set(await destroy_due(inst)) == {ada.account_id, eve.account_id}
        lines = inst.vault.destroyed.read()
    told = await replay(there, there.database_url or "", lines)
    assert told[1].endswith(" 0 accounts that are closed or open."), "a second time changes nothing"


@how(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.integers(0, 2**32))
async def test_whatever_was_done_before_and_after_the_copy_all_stands_as_it_stood(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Forty acts before the copy and forty after, about four customers of two accounts, and of two whom the copy does not know."""
    copies, chance = Copies(cluster, tmp_path_factory.mktemp("copies")), random.Random(seed)
    async with copies.opened() as inst:
        owners = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        known = [(by, await somebody(inst, by, email)) for by in owners for email in (HERS, HIS)]
        for _ in range(40):
            await something(inst, *chance.choice(known), chance)
        data, keys, _ = copies.make(inst)
        new = [(by, await somebody(inst, by, "new@mail.example")) for by in owners]
        for _ in range(40):
            await something(inst, *chance.choice(known + new), chance)
        live = [await stands(inst, *one) for one in known]
    async with copies.opened(copies.restored(data, keys, copies.ledger)) as inst:
        assert [await stands(inst, *one) for one in known] == live
        for by in owners:
            theirs = {customer_id for whose, customer_id in known if whose is by}
            assert {one.customer_id for one in await list_restrictions(inst, by)} <= theirs
            assert {one[1] for one in await holds(inst, by)} <= theirs


async def something(inst: Installation, by: Staff, customer_id: UUID, chance: random.Random) -> None:
    """Sets aside or takes up, notes or ends an objection, holds, holds longer or lets go."""
    held = [one[0] for one in await holds(inst, by) if one[4] and one[1] == customer_id]
    what = chance.choice(["aside", "objection", "hold", "hold", "longer", "end"])
    if what == "aside":
        await (taken_up if await is_aside(inst, by, customer_id) else set_aside)(inst, by, customer_id)
    elif what == "objection":
        stood = await objected_at(inst, by, customer_id)
        await (end_objection if stood else note_objection)(inst, by, customer_id)
    elif what == "hold" and len(held) < 4:
        await hold(inst, by, customer_id, "", "law", "Words", in_(chance.randint(1, 300)))
    elif what == "longer" and held:
        await hold_longer(inst, by, chance.choice(held), in_(chance.randint(1, 300)))
    elif held:
        await end_hold(inst, by, chance.choice(held))


async def set_aside(inst: Installation, by: Staff, customer_id: UUID) -> None:
    await restrict(inst, by, customer_id, "claims", "Words")


async def stands(inst: Installation, by: Staff, customer_id: UUID) -> tuple[object, ...]:
    """How it stands with one customer: set aside by which row, objecting since when, held how and until when."""
    await is_aside(inst, by, customer_id)
    row = await read_restriction(inst, by, customer_id)
    held = {one for one in await holds(inst, by) if one[1] == customer_id and one[4]}
    return row and row.id, await objected_at(inst, by, customer_id), held


async def test_a_line_stands_in_the_ledger_before_the_change_is_acknowledged_and_names_nobody(
    inst: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = await somebody(inst, ada, HERS)
    await restrict(inst, ada, hers, "accuracy", "She rang us")
    row = await read_restriction(inst, ada, hers)
    line = inst.vault.destroyed.read()[-1]
    assert row and (line.kind, line.account_id, line.subject_id) == (ASIDE, ada.account_id, row.id)
    assert line.more == (hers.hex,)
    raw = inst.vault.destroyed.path.read_text()
    assert "frida" not in raw and "rang" not in raw and "accuracy" not in raw
    await taken_up(inst, ada, hers)
    assert [one.kind for one in inst.vault.destroyed.read()[-2:]] == [ASIDE, TAKEN_UP]

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(inst.vault.destroyed, "add", full)
    with pytest.raises(OSError, match="full"):
        await restrict(inst, ada, hers, "accuracy")
    assert not await is_aside(inst, ada, hers), "it would be lost with an older copy"
