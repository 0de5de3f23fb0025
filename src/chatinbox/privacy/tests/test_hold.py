"""Holding back from erasing: one thing, one ground, an end; everything else goes, and what was held goes afterwards."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import NewFile, Received
from chatinbox.conversations.rows import Row
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import find_by_email
from chatinbox.customers.read import read_customer
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import ask_left_over, erase
from chatinbox.privacy.erasure.read import list_erasures, read_receipt
from chatinbox.privacy.hold import end_hold, hold, hold_longer, list_holds
from chatinbox.watch.security_days import KEPT_DAYS, drop_old_days
from chatinbox.watch.security_log import SecurityLog
from chatinbox.web.tests.test_tenancy import rows_of

HERS = "frida@mail.example"
LATER = UNDO + timedelta(seconds=1)
MONTH = timedelta(days=31)


def in_(days: int) -> date:
    return now().date() + timedelta(days=days)


@pytest.fixture
async def two(inst: Installation, ada: Staff, say: Say) -> list[Received]:
    """Two conversations of Frida's with a file each, and one of Karl's."""
    files = [NewFile("a.txt", "text/plain", b"x" * 99)]
    both = [await say(ada, words, HERS, files=files) for words in ("The contract", "The weather")]
    await say(ada, "Somebody else", "karl@mail.example")
    return both


async def number_of(inst: Installation, by: Staff, conversation_id: UUID) -> str:
    rows: list[Row] = (await read_list(inst, by, "all")).rows
    return next(str(row.number) for row in rows if row.id == conversation_id)


async def asked(inst: Installation, by: Staff, customer_id: UUID) -> UUID:
    name = (await read_customer(inst, by.account_id, customer_id)).name
    return await ask_erasure(inst, by, customer_id, name)


async def here(inst: Installation, by: Staff) -> set[UUID]:
    return {row.id for row in (await read_list(inst, by, "all")).rows}


async def test_all_but_what_is_held_goes_and_the_rest_once_its_time_is_over(
    inst: Installation, ada: Staff, two: list[Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, weather = two
    number = await number_of(inst, ada, contract.conversation_id)
    await hold(inst, ada, contract.customer_id, number, "claims", "A claim over the contract", in_(30))
    erasure_id = await asked(inst, ada, contract.customer_id)
    asked_for: list[Any] = []

    async def later(_jobs: Any, name: str, ids: Any, **_more: Any) -> None:
        asked_for.append(ids["erasure_id"])

    monkeypatch.setattr(type(inst.jobs), "later", later)
    with travel(LATER):
        assert not await erase(inst, ada.account_id, erasure_id)
        left = await here(inst, ada)
        assert contract.conversation_id in left and weather.conversation_id not in left and len(left) == 2
        assert str(weather.message_id) not in str(await rows_of(inst, ada))
        assert await find_by_email(inst, ada.account_id, HERS) is None
        await inst.vault.customer_key(ada.account_id, contract.customer_id)
        [listed] = await list_erasures(inst, ada)
        assert listed.held_at and not listed.done_at
        await ask_left_over(inst, ada.account_id)
        assert asked_for == []  # not asked again and again while it is held
    with travel(MONTH + LATER):
        await ask_left_over(inst, ada.account_id)
        assert asked_for == [str(erasure_id)]
        assert await erase(inst, ada.account_id, erasure_id)
        assert len(await here(inst, ada)) == 1
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, contract.customer_id)
        told = await read_receipt(inst, ada, erasure_id)
        assert told["erased"]["conversations"] == 2 and told["erased"]["keys"] == 1
        assert (await rows_of(inst, ada))["hold"] == [(None,)]


async def test_a_held_customer_is_not_begun_with_and_goes_when_staff_end_the_hold(
    inst: Installation, ada: Staff, two: list[Received]
) -> None:
    hold_id = await hold(inst, ada, two[0].customer_id, "", "law", "Tax law", in_(300))
    erasure_id = await asked(inst, ada, two[0].customer_id)
    with travel(LATER):
        before = await rows_of(inst, ada)
        assert not await erase(inst, ada.account_id, erasure_id)
        after = await rows_of(inst, ada)
        assert {k: v for k, v in after.items() if k != "erasure"} == {
            k: v for k, v in before.items() if k != "erasure"
        }
        [listed] = await list_erasures(inst, ada)
        assert listed.held_at and not listed.begun_at
        await end_hold(inst, ada, hold_id)
        assert await erase(inst, ada.account_id, erasure_id)
        assert len(await here(inst, ada)) == 1


async def test_a_hold_needs_a_ground_words_and_an_end_within_a_year(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, two: list[Received]
) -> None:
    who = two[0].customer_id
    for ground, words, until, code in (
        ("whim", "x", in_(9), "ground"),
        ("law", "  ", in_(9), "words"),
        ("law", "x", None, "until"),
        ("law", "x", in_(0), "until"),
        ("law", "x", in_(367), "until"),
    ):
        with pytest.raises(Refused, match=code):
            await hold(inst, ada, who, "", ground, words, until)
    foreign = await say(cyd, "Next door")
    for number in (
        "999",
        "x",
        await number_of(inst, ada, next(iter(await here(inst, ada) - {one.conversation_id for one in two}))),
    ):
        with pytest.raises(Refused, match=r"number|hold"):
            await hold(inst, ada, who, number, "law", "x", in_(9))
    for customer in (foreign.customer_id, new_id()):
        with pytest.raises(Refused, match="not_found"):
            await hold(inst, ada, customer, "", "law", "x", in_(9))
    assert await list_holds(inst, ada) == []


async def test_it_is_said_again_before_it_ends_and_everybody_who_may_sees_all_of_them(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, two: list[Received]
) -> None:
    hold_id = await hold(inst, ada, two[0].customer_id, "", "contract", "Not paid yet", in_(10))
    with travel(timedelta(days=9)):
        await hold_longer(inst, ada, hold_id, in_(366 - 1))
        with pytest.raises(Refused, match="not_found"):
            await hold_longer(inst, cyd, hold_id, in_(5))
    with travel(timedelta(days=20)):
        [one] = await list_holds(inst, ada)
        assert one.is_open and one.words == "Not paid yet" and one.staff_user_id == ada.staff_user_id
        assert one.until_at - one.said_at <= timedelta(days=366)
        assert await list_holds(inst, cyd) == []
        assert (
            await list_holds(inst, replace(ada, staff_user_id=new_id(), kept_out=frozenset([new_id()]))) == []
        )
        with pytest.raises(Refused, match="not_permitted"):
            await list_holds(inst, bea)
    with travel(timedelta(days=400)):
        [one] = await list_holds(inst, ada)
        assert not one.is_open
        with pytest.raises(Refused, match="not_found"):  # what is over is said anew, with its ground
            await hold_longer(inst, ada, hold_id, in_(5))


async def test_nothing_is_held_back_once_the_keys_are_going(
    inst: Installation, ada: Staff, two: list[Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure_id = await asked(inst, ada, two[0].customer_id)

    async def stuck(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(engine._Erasing, "_unfind", stuck)
    with travel(LATER):
        with pytest.raises(OSError, match="full"):
            await erase(inst, ada.account_id, erasure_id)
        with pytest.raises(Refused, match="hold"):
            await hold(inst, ada, two[0].customer_id, "", "law", "too late", in_(5))


async def test_no_hold_keeps_a_day_of_the_security_log(
    inst: Installation, ada: Staff, two: list[Received]
) -> None:
    log, day = SecurityLog(), now().date()
    log.note("203.0.113.7", "Firefox", "/", 200)
    await log.write(inst.db, inst.vault)
    await hold(inst, ada, two[0].customer_id, "", "authority", "An order", in_(300))
    with travel(timedelta(days=KEPT_DAYS)):
        assert day in await drop_old_days(inst.db, inst.vault)
        [one] = await list_holds(inst, ada)
        assert one.is_open
