"""What the payment provider tells us: a message is taken once, believed in nothing, and only makes us ask."""

import time

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app.worker import _add_billing
from chatinbox.billing.bills import read_bills
from chatinbox.billing.keep_up import keep_up
from chatinbox.billing.row import read_billing
from chatinbox.billing.tests.conftest import Deliver, Subscribe, of, state
from chatinbox.billing.tests.stand_in import StandIn, signed
from chatinbox.conftest import People
from chatinbox.core.installation import Installation


async def waiting(inst: Installation, account_id: object) -> int:
    text = "select count(*) from work.procrastinate_jobs where task_name = 'billing' and status = 'todo' and args->>'account_id' = %s"
    return (await inst.db.directory(text, [str(account_id)]))[0][0]


async def test_a_message_is_taken_once_and_only_makes_us_ask(
    paid: Installation, stripe_: StandIn, ada: Staff, cyd: Staff, subscribe: Subscribe, deliver: Deliver
) -> None:
    sub_id = await subscribe(ada)
    lie = {"id": "evt_lie", "object": "event", "type": "customer.subscription.deleted"}
    lie["data"] = {"object": dict(stripe_.shop.subscriptions[sub_id]) | {"status": "canceled"}}  # type: ignore[assignment]
    for _ in range(3):
        assert (await deliver(lie)).status_code == 200
    assert await waiting(paid, ada.account_id) == 1 and await waiting(paid, cyd.account_id) == 0
    [rows] = await paid.db.run(ada.account_id, ("select id from billing_event", []))
    assert rows == [("evt_lie",)]
    await keep_up(paid, ada.account_id)
    assert await state(paid, ada) == "active"


async def test_messages_about_unknown_customers_leave_nothing(
    paid: Installation, ada: Staff, deliver: Deliver
) -> None:
    for thing in (
        {"id": "cus_x", "object": "customer"},
        {"id": "in_1", "object": "invoice", "customer": "cus_made_up"},
        {"id": "x"},
    ):
        assert (await deliver({"id": "evt_x", "type": "x", "data": {"object": thing}})).status_code == 200
    [rows] = await paid.db.run(ada.account_id, ("select id from billing_event", []))
    assert rows == [] and await waiting(paid, ada.account_id) == 0


async def test_forged_old_and_unreadable_messages_change_nothing_and_log_no_one(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe, deliver: Deliver,
    browser: httpx.AsyncClient, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await subscribe(ada)
    known = await read_billing(paid, ada.account_id)
    event = {
        "id": "evt_f",
        "type": "x",
        "data": {"object": {"id": "in", "object": "invoice", "customer": known.customer}},
    }
    answers = [await deliver(event, secret="whsec_guess"), await deliver(event, at=time.time() - 301)]
    raw, headers = signed(event)
    for body, sent in (
        (raw + b" ", headers),
        (raw, {}),
        (raw, {"stripe-signature": "t=" + "9" * 5000 + ",v1=" + "0" * 64}),
        (raw, {"stripe-signature": "v1"}),
        (b"\xff\xfe", headers),
        (b"[" * 5000, headers),
    ):
        answers.append(await browser.post("/webhooks/stripe", content=body, headers=sent))
    for odd in ({"id": 7}, [], "x", {"id": "evt\0", "type": "x", "data": {"object": {}}}):
        answers.append(await deliver(odd))
    assert {answer.status_code for answer in answers} == {400}
    [rows] = await paid.db.run(ada.account_id, ("select id from billing_event", []))
    assert rows == [] and await waiting(paid, ada.account_id) == 0
    out = capfd.readouterr()
    assert known.customer and known.customer not in out.out + out.err


async def test_a_message_of_one_account_never_touches_another(
    paid: Installation, stripe_: StandIn, ada: Staff, cyd: Staff, subscribe: Subscribe, deliver: Deliver
) -> None:
    await subscribe(ada)
    theirs = await read_billing(paid, cyd.account_id)
    known = await read_billing(paid, ada.account_id)
    bill = of(stripe_, known, "invoices")[0] | {"metadata": {"account": str(cyd.account_id)}}
    assert (
        await deliver({"id": "evt_c", "type": "invoice.paid", "data": {"object": bill}})
    ).status_code == 200
    await keep_up(paid, ada.account_id)
    assert await read_billing(paid, cyd.account_id) == theirs and await read_bills(paid, cyd.account_id) == []


async def test_the_worker_hears_who_joins_and_asks_for_one_round(
    paid: Installation, ada: Staff, cyd: Staff, people: People
) -> None:
    _add_billing(paid)
    await paid.outbox.pump()
    for name in ("Bea", "Dan"):
        await people.colleague(ada, name)
    before = await waiting(paid, cyd.account_id)
    await paid.outbox.pump()
    assert await waiting(paid, ada.account_id) == 1 and await waiting(paid, cyd.account_id) == before
