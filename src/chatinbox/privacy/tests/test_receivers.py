"""The receipt of an erasure says to whom that customer's data had gone, and says nothing of where another's went."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, People, Say
from chatinbox.core.canonical import canonical
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.customers.read import read_customer
from chatinbox.integrations.tests.programs import connected, happen, listening, near
from chatinbox.privacy import signature
from chatinbox.privacy.desk.order import Order, Words
from chatinbox.privacy.desk.release import release
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure import receivers
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import read_receipt
from chatinbox.privacy.tests.test_desk import checked, opened
from chatinbox.privacy.tests.test_permission import given, letter

HERS, HIS = "frida@mail.example", "karl@mail.example"
POLICE = Words(
    "12 Gs 345/26", "District Court of Halden", "Halden Police", "section 210 of the code of procedure"
)


async def erased(inst: Installation, by: Staff, customer_id: UUID) -> dict[str, Any]:
    """The receipt of somebody who was erased, after its signature was looked at."""
    name = (await read_customer(inst, by.account_id, customer_id)).name
    erasure_id = await ask_erasure(inst, by, customer_id, name)
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, by.account_id, erasure_id)
    told = await read_receipt(inst, by, erasure_id)
    signed = told.pop("signature")
    value = base64.b64decode(signed["value"])
    assert signature.is_genuine(canonical(told), value, signed["public_key"])
    for one in told["receivers"]:
        one["told"] += "!"
    assert not told["receivers"] or not signature.is_genuine(canonical(told), value, signed["public_key"])
    return {one["to"]: (one["why"], one["count"], one["told"].rstrip("!")) for one in told["receivers"]}


@asynccontextmanager
async def knowing(close: Installation, by: Staff, say: Say) -> AsyncIterator[None]:
    """A connected program that was told of hers, while the block runs."""
    async with listening() as program:
        await connected(close, by, program, "words", events=["message.received"])
        await say(by, "again", HERS)
        await happen(close, by)
        yield


def order_of(number: int) -> Order:
    return Order(
        instrument="court_order", words=POLICE, kinds=["messages"], object="conversation", number=number
    )


async def test_receivers_by_permission_desk_and_program_stand_in_it_and_another_customers_do_not(
    inst: Installation, ada: Staff, cyd: Staff, people: People, say: Say
) -> None:
    close = near(inst)
    olga = await people.owner("Olga", "Operations")
    otto = await people.colleague(olga, "Otto")
    hers, his = await say(ada, "hers", HERS), await say(ada, "his", HIS)
    neighbour = await say(cyd, "next door", HERS)
    only_his = await given(inst, ada, thing="customer", number=2, to="his-partner@partner.example")
    only_hers = await given(inst, ada, thing="customer", number=1)
    about: dict[str, Any] = {"subject_kind": "customer"}
    await inst.egress.mail(letter(ada, only_hers, subject_id=hers.customer_id, **about))
    await inst.egress.mail(
        letter(
            ada, only_his, subject_id=his.customer_id, recipients=("his-partner@partner.example",), **about
        )
    )
    case = await checked(inst, await opened(inst, olga, ada, order_of(1)), olga, otto)
    await release(inst, olga.person_id, case)
    await happen(close, ada)  # nobody is connected yet
    async with listening() as program, listening() as deaf:
        await connected(close, ada, program, "words", events=["message.received"])
        await say(ada, "again", HERS)
        await happen(close, ada)
        await connected(close, ada, deaf, "words", events=["note.added"])
        told = await erased(close, ada, hers.customer_id)
        his_receipt = await erased(close, ada, his.customer_id)
    assert told == {
        "connected program Shop": ("integration", 1, receivers.TOLD),
        receivers.PERMITTED: ("permission", 1, receivers.BY_THE_BUSINESS),
        receivers.COURT: ("law", 1, receivers.BOUND),
    }
    assert his_receipt == {receivers.PERMITTED: ("permission", 1, receivers.BY_THE_BUSINESS)}
    assert await erased(inst, cyd, neighbour.customer_id) == {}, "another account's receivers"


async def test_a_program_whose_connection_ended_and_a_letter_are_said_to_be_told_nothing(
    inst: Installation, ada: Staff, say: Say
) -> None:
    close = near(inst)
    hers = await say(ada, "hers", HERS)
    everything = await given(inst, ada)
    await inst.egress.mail(letter(ada, everything))
    async with knowing(close, ada, say):
        await close.db.run(
            ada.account_id,
            ("delete from connection_knows where account_id = %s", [ada.account_id]),
        )
        late = await say(ada, "came after it", HIS)
        told = await erased(close, ada, hers.customer_id)
    assert told == {
        "connected program Shop": ("integration", 2, receivers.CANNOT),
        receivers.PERMITTED_ALL: ("permission", 1, receivers.BY_THE_BUSINESS),
    }
    assert await erased(inst, ada, late.customer_id) == {}, "it left before they wrote"


async def test_what_an_order_keeps_secret_is_in_no_receipt(
    inst: Installation, ada: Staff, people: People, say: Say
) -> None:
    olga = await people.owner("Olga", "Operations")
    otto = await people.colleague(olga, "Otto")
    hers = await say(ada, "hers", HERS)
    secret = Order(
        instrument="court_order", words=POLICE, kinds=["messages"], object="conversation", number=1,
        gag_until=now() + timedelta(days=30),
    )  # fmt: skip
    case = await checked(inst, await opened(inst, olga, ada, secret), olga, otto)
    await release(inst, olga.person_id, case)
    assert await erased(inst, ada, hers.customer_id) == {}


async def test_the_page_says_it_to_who_may_erase_and_names_are_sealed_where_they_rest(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, client: Browser
) -> None:
    close = near(inst)
    hers = await say(ada, "hers", HERS)
    async with knowing(close, ada, say):
        await erased(close, ada, hers.customer_id)
    page = (await (await client.as_(ada)).get("/settings/erasures")).text
    assert "connected program Shop" in page and "1 kind of receiver" in page
    assert "Shop" not in (await (await client.as_(cyd)).get("/settings/erasures")).text
    [[[kept]]] = await inst.db.run(
        ada.account_id, ("select receivers_sealed from erasure where account_id = %s", [ada.account_id])
    )
    assert b"Shop" not in bytes(kept)


async def test_an_erasure_that_broke_off_keeps_what_was_found_before_programs_were_told(
    inst: Installation, ada: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = near(inst)
    hers = await say(ada, "hers", HERS)
    async with knowing(close, ada, say):

        async def stuck(*_: Any) -> None:
            raise OSError("the disk is away")

        name = (await read_customer(inst, ada.account_id, hers.customer_id)).name
        erasure_id = await ask_erasure(inst, ada, hers.customer_id, name)
        with travel(UNDO + timedelta(seconds=1)):
            with monkeypatch.context() as broken:
                broken.setattr(engine, "forget_words", stuck)
                with pytest.raises(OSError, match="disk"):
                    await erase(close, ada.account_id, erasure_id)
            with monkeypatch.context() as broken:
                broken.setattr(engine._Erasing, "_lock", stuck)
                with pytest.raises(OSError, match="disk"):
                    await erase(close, ada.account_id, erasure_id)
            assert await erase(close, ada.account_id, erasure_id)
    [one] = (await read_receipt(inst, ada, erasure_id))["receivers"]
    assert one["told"] == receivers.TOLD and "Shop" in json.dumps(one)
