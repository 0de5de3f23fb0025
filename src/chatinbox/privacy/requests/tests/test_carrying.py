"""A request is carried to each business concerned, which hears of no other (C61, C63)."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say, unreached
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now, travel
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.requests import carry, go_on, link
from chatinbox.privacy.requests.case import WINDOW, list_cases
from chatinbox.privacy.requests.tests.conftest import (
    A_MOMENT,
    ARRIVED,
    Asks,
    case_of,
    finish,
    letters_to,
    opened,
    told,
)


async def test_each_business_concerned_gets_a_case_of_its_own_and_the_others_nothing(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    cyd: Staff,
    people: People,
    say: Say,
    hers: str,
) -> None:
    eve = await people.owner("Eve", "Eve's Eggs")
    await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers.upper())
    await say(eve, "Hello", "somebody.else@mail.example")
    request_id = await opened(inst, door, operator, hers, "both")
    await carry.carry(inst, request_id)
    first, second = await case_of(inst, ada), await case_of(inst, cyd)
    with travel(ARRIVED):
        assert await list_cases(inst, eve) == []
    assert first.id != second.id and first.arrives_at != second.arrives_at
    assert {first.id.version, second.id.version} == {4}, "an id with a time in it can be laid beside another"
    [mine], [theirs] = [
        (await inst.db.run(one.account_id, ("select mark from data_case", ())))[0] for one in (ada, cyd)
    ]
    assert mine != theirs
    assert (first.wish, first.address, first.assurance) == ("both", hers, "mailbox")


async def test_the_coordinator_keeps_a_mac_a_day_and_an_outcome_and_its_key_is_gone(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    request_id = await opened(inst, door, operator, hers, "erasure")
    await inst.vault.request_key(request_id)
    await carry.carry(inst, request_id)
    await carry.carry(inst, request_id)  # again: nothing is left to do
    [row] = await inst.db.directory(
        "select on_day, outcome, words_sealed, carried_to, ack_count from work.data_request where mac = %s",
        [request_id.bytes],
    )
    assert row == (now().date(), "carried", None, None, None)
    inst.vault.forget()
    with pytest.raises(Erased):
        await inst.vault.request_key(request_id)
    with travel(ARRIVED):
        assert len(await list_cases(inst, ada)) == 1


async def test_broken_off_it_goes_on_and_nobody_gets_a_second_case(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers)
    request_id = await opened(inst, door, operator, hers, "access")
    known, broke = carry._probe, False

    async def breaks(one: Installation, account_id: UUID, asked: link.Asked) -> None:
        nonlocal broke
        await known(one, account_id, asked)
        if account_id == ada.account_id and not broke:
            broke = True
            raise ConnectionError("the database is away")

    monkeypatch.setattr(carry, "_probe", breaks)
    with pytest.raises(ConnectionError):
        await carry.carry(inst, request_id)
    await carry.carry(inst, request_id)
    await case_of(inst, ada)
    await case_of(inst, cyd)


async def test_an_address_that_looks_like_anothers_finds_nothing_of_theirs(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    """T36: only the very address, however its letters look."""
    await say(ada, "Hello", hers)
    for other in (
        hers.replace("mail.", "maiI."),
        hers.replace("frida", "fr\u0456da"),
        hers.replace("@", "+x@"),
    ):
        await asks(normal_email(other), "access")
    with travel(ARRIVED):
        assert await list_cases(inst, ada) == []
    await asks(hers, "access")
    await case_of(inst, ada)


async def test_who_goes_on_with_an_account_is_one_at_a_time(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "access")
    with travel(ARRIVED):
        await asyncio.gather(*(go_on.go_on(inst, ada.account_id) for _ in range(5)))
        assert len(await letters_to(inst, ada, hers)) == 1


async def test_a_case_that_breaks_off_holds_no_other_up(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = hers.replace("frida", "karla")
    for email in (hers, other):
        await say(ada, "Hello", email)
        await asks(email, "erasure")
    with travel(ARRIVED):
        first = min(await list_cases(inst, ada), key=lambda case: case.arrives_at)
        known = inst.egress.mail

        async def breaks(letter: Letter) -> None:
            if first.address in letter.recipients:
                raise UnicodeEncodeError("ascii", "ſ", 0, 1, "no letter of this server")
            await known(letter)

        monkeypatch.setattr(inst.egress, "mail", breaks)
        with pytest.raises(UnicodeEncodeError):
            await go_on.go_on(inst, ada.account_id)
        told_at = {one.address: one.told_at for one in await list_cases(inst, ada)}
    assert told_at.pop(first.address) is None
    assert all(told_at.values()), "another's letter holds it up for ever"


async def test_the_window_begins_when_a_letter_left_to_an_owner_and_a_server_that_is_away_for_days_holds_nothing_up(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    for staff in (ada, cyd):
        await say(staff, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        for staff in (ada, cyd):
            await go_on.go_on(unreached(inst), staff.account_id)
        [case] = await list_cases(inst, ada)
        assert case.told_at is None and case.objection_until is None
    assert await letters_to(inst, ada, hers) == []  # not twice, when it is tried again
    with travel(ARRIVED + timedelta(hours=1)):
        case = await told(inst, ada)
        assert case.objection_until and case.objection_until > now() + WINDOW - A_MOMENT
    assert len(await letters_to(inst, ada, hers)) == 1
    with travel(ARRIVED + go_on.GIVE_UP_WRITING):
        await go_on.go_on(unreached(inst), cyd.account_id)
        assert (await list_cases(inst, cyd))[0].told_at


@pytest.mark.parametrize("trouble", [Declined("550"), Unreachable("refused")])
async def test_a_mailbox_that_is_not_there_any_more_holds_nothing_up(
    inst: Installation,
    asks: Asks,
    ada: Staff,
    say: Say,
    hers: str,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    known = inst.egress.mail

    async def fails(letter: Letter) -> None:
        if hers in letter.recipients:
            raise trouble
        await known(letter)

    monkeypatch.setattr(inst.egress, "mail", fails)
    with travel(ARRIVED):
        await told(inst, ada)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert bool((await finish(inst, ada)).erased_at) == isinstance(trouble, Declined)
    with travel(ARRIVED + WINDOW + go_on.GIVE_UP_WRITING + timedelta(minutes=1)):
        assert (await finish(inst, ada)).erased_at
