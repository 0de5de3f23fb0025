"""Paying by a stand-in for Stripe, with Stripe's own library over real HTTP: seats, bills, and ending it."""

from typing import Any

import pytest
import stripe

from chatinbox.accounts import colleagues, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import clear_unpaid, is_unpaid, set_unpaid
from chatinbox.billing.bills import read_bills
from chatinbox.billing.detach import detach
from chatinbox.billing.details import set_details
from chatinbox.billing.forget import forget
from chatinbox.billing.keep_up import follow, keep_up, on_the_clock
from chatinbox.billing.leave_for import checkout, portal
from chatinbox.billing.plans import plan_of
from chatinbox.billing.quote import quote
from chatinbox.billing.refresh import refresh
from chatinbox.billing.row import read_billing
from chatinbox.billing.seats import note_change, tell_changes
from chatinbox.billing.tests.conftest import Days, Deliver, Subscribe, of, state
from chatinbox.billing.tests.stand_in import StandIn
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People, Say
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def test_a_trial_needs_no_card_ends_read_only_and_paying_opens_again(
    paid: Installation, ada: Staff, subscribe: Subscribe, days: Days
) -> None:
    assert await state(paid, ada) == "trialing"
    days.on(13.9)
    await on_the_clock(paid, ada.account_id)
    assert not await is_unpaid(paid, ada.account_id)
    days.on(0.2)
    await on_the_clock(paid, ada.account_id)
    assert (await state(paid, ada), await is_unpaid(paid, ada.account_id)) == ("read_only", True)
    await subscribe(ada)
    assert (await state(paid, ada), await is_unpaid(paid, ada.account_id)) == ("active", False)


async def test_the_bill_that_was_quoted_is_the_bill_that_is_made(
    paid: Installation, stripe_: StandIn, ada: Staff, bea: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada, "month", "DE", "DE123456789")
    quoted = quote(plan_of(paid.settings), 2, 0, "month", now().date(), "DE", "DE123456789")
    [bill] = await read_bills(paid, ada.account_id)
    assert (bill.total, bill.tax, bill.status) == (quoted.total, quoted.tax_cents, "paid")
    known = await read_billing(paid, ada.account_id)
    assert known.card is not None and (known.card.last4, known.card.ends) == ("4242", "04/31")
    assert bill.link is not None and bill.link.endswith(of(stripe_, known, "invoices")[0]["id"])


async def test_a_business_elsewhere_in_the_union_accounts_for_the_tax_itself(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada, "year", "FR", "FR12345678901")
    known = await read_billing(paid, ada.account_id)
    assert known.customer
    assert stripe_.shop.customers[known.customer]["tax_exempt"] == "reverse"
    assert [one["value"] for one in of(stripe_, known, "tax_ids")] == ["FR12345678901"]
    assert [bill.tax for bill in await read_bills(paid, ada.account_id)] == [0]
    await set_details(paid, ada, "DE", "")
    assert stripe_.shop.customers[known.customer]["tax_exempt"] == "none"
    assert of(stripe_, known, "tax_ids") == []
    [sub] = of(stripe_, known, "subscriptions")
    assert [stripe_.shop.tax_rates[rate]["percentage"] for rate in sub["default_tax_rates"]] == [19.0]


async def test_a_vat_id_lies_sealed_and_another_account_has_none(
    paid: Installation, ada: Staff, cyd: Staff
) -> None:
    await set_details(paid, ada, "DE", "DE123456789")
    text = "select vat_sealed from billing"
    [rows] = await paid.db.run(ada.account_id, (text, []))
    assert b"123456789" not in rows[0][0]
    assert (await read_billing(paid, cyd.account_id)).vat_id == ""


async def test_every_request_stands_in_the_ledger_and_tells_nothing_of_the_machine_or_of_a_person(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe
) -> None:
    before = len(stripe_.asked)
    await subscribe(ada, "month", "DE", "DE123456789")
    text = "select instruction, fields, outcome, named from ledger where account_id = %s and gate = 'http'"
    [rows] = await paid.db.run(ada.account_id, (text, [ada.account_id]))
    asked = stripe_.asked[before:]
    assert len(rows) == len(asked) and {(row[2], row[3]) for row in rows} == {("taken", "stripe")}
    assert "vat_id" in next(row[1] for row in rows if row[0] == "billing.subscribe" and "company" in row[1])
    said = " ".join(raw for _, _, raw in asked)
    assert "staff.example" not in said and "%40" not in said and str(ada.person_id) not in said
    for headers in stripe_.headers[before:]:
        assert not {"x-stripe-client-user-agent", "x-stripe-client-telemetry"} & set(headers)


async def test_seats_follow_who_works_here_by_the_day_in_both_directions(
    paid: Installation, stripe_: StandIn, people: People, ada: Staff, subscribe: Subscribe, days: Days
) -> None:
    await subscribe(ada)
    known = await read_billing(paid, ada.account_id)
    period = known.period
    assert period
    days.on(10)
    bea = await people.colleague(ada, "Bea")
    for _ in range(3):
        await keep_up(paid, ada.account_id)
    each = [int(one["amount"]) for one in of(stripe_, known, "invoice_items")]
    left = quote(plan_of(paid.settings), 1, 0, "month", period.start, "DE", change_on=now().date()).net
    assert each == [left]
    days.on(5)
    await colleagues.deactivate(paid, ada, bea.staff_user_id)
    await keep_up(paid, ada.account_id)
    given_back = quote(plan_of(paid.settings), 1, 0, "month", period.start, "DE", change_on=now().date()).net
    assert [int(one["amount"]) for one in of(stripe_, known, "invoice_items")] == [left, -given_back]
    assert of(stripe_, known, "subscriptions")[0]["items"]["data"][0]["quantity"] == 1


async def test_viewers_are_free(
    paid: Installation, stripe_: StandIn, ada: Staff, bea: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada)
    await paid.db.run(
        ada.account_id, ("update staff_user set role = 'viewer' where id = %s", [bea.staff_user_id])
    )
    await keep_up(paid, ada.account_id)
    known = await read_billing(paid, ada.account_id)
    assert known.seats == of(stripe_, known, "subscriptions")[0]["items"]["data"][0]["quantity"] == 1


@pytest.mark.parametrize("down", ["before", "after"])
async def test_a_seat_is_charged_once_though_the_provider_fails_halfway(
    paid: Installation,
    stripe_: StandIn,
    people: People,
    ada: Staff,
    subscribe: Subscribe,
    days: Days,
    down: Any,
) -> None:
    await subscribe(ada)
    await people.colleague(ada, "Bea")
    assert await note_change(paid, ada.account_id)
    stripe_.down = down
    try:
        for _ in range(2):
            with pytest.raises(stripe.StripeError):
                await keep_up(paid, ada.account_id)
    finally:
        stripe_.down = ""
    days.on(1 if down == "after" else 0)  # a day later, the idempotency key is forgotten
    if down == "after":
        stripe_._done.clear()
    await keep_up(paid, ada.account_id)
    await keep_up(paid, ada.account_id)
    known = await read_billing(paid, ada.account_id)
    assert len(of(stripe_, known, "invoice_items")) == 1
    assert known.seats == of(stripe_, known, "subscriptions")[0]["items"]["data"][0]["quantity"] == 2


async def test_an_answer_from_before_a_change_does_not_undo_it(
    paid: Installation, stripe_: StandIn, people: People, ada: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada)
    await people.colleague(ada, "Bea")
    assert await note_change(paid, ada.account_id)
    assert not await refresh(paid, ada.account_id)  # the provider still says 1
    assert (await read_billing(paid, ada.account_id)).seats == 2
    await tell_changes(paid, ada.account_id)
    assert await refresh(paid, ada.account_id)
    assert (await read_billing(paid, ada.account_id)).seats == 2


async def test_an_unpaid_bill_waits_thirty_days_then_the_account_is_read_only_until_it_is_paid(
    paid: Installation, stripe_: StandIn, ada: Staff, bea: Staff, cyd: Staff, subscribe: Subscribe, days: Days
) -> None:
    async def letters(who: Staff) -> list[str]:
        return [one.header("subject") for one in await list_kept(paid, who)]

    await subscribe(ada)
    known = await read_billing(paid, ada.account_id)
    assert known.customer
    stripe_.shop.card_works(known.customer, False)
    days.on(32)
    stripe_.shop.pass_time()
    await keep_up(paid, ada.account_id)
    await keep_up(paid, ada.account_id)
    assert (await state(paid, ada), await is_unpaid(paid, ada.account_id)) == ("past_due", False)
    assert await letters(ada) == ["Ada's Tea: a payment did not go through"]
    days.on(31)
    await follow(paid, ada.account_id)
    await follow(paid, ada.account_id)
    assert (await letters(ada))[0] == "Ada's Tea: your account can only be read now" and len(
        await letters(ada)
    ) == 2
    assert await letters(bea) == await letters(cyd) == []
    assert (await state(paid, ada), await is_unpaid(paid, ada.account_id)) == ("read_only", True)
    stripe_.shop.card_works(known.customer, True)
    await keep_up(paid, ada.account_id)
    assert (await state(paid, ada), await is_unpaid(paid, ada.account_id)) == ("active", False)


async def test_who_cancels_keeps_what_is_paid_and_loses_nothing_after(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe, days: Days
) -> None:
    sub_id = await subscribe(ada)
    stripe_.shop.cancel(sub_id)
    await keep_up(paid, ada.account_id)
    assert await state(paid, ada) == "active"
    days.on(32)
    stripe_.shop.pass_time()
    await keep_up(paid, ada.account_id)
    assert await state(paid, ada) == "read_only"
    assert len(await read_bills(paid, ada.account_id)) == 1
    await subscribe(ada)
    assert await state(paid, ada) == "active"


async def test_in_an_unpaid_account_letters_arrive_and_nobody_answers_until_it_is_paid(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, say: Say
) -> None:
    browser = await client.as_(ada)
    first = await say(ada, "before")
    assert (await browser.get("/api/list")).status_code == 200
    assert '"read_only":null' in (await browser.get("/inbox")).text
    await set_unpaid(inst, ada.account_id)
    assert "This account can only be read." in (await browser.get("/inbox")).text
    second = await say(ada, "after")
    assert (await browser.get(f"/api/conversations/{second.conversation_id}")).status_code == 200
    words = {"id": str(new_id()), "text": "No", "seen": 9}
    for path in (f"/api/conversations/{one.conversation_id}/messages" for one in (first, second)):
        refused = await browser.post(path, json=words)
        assert refused.status_code == 402 and refused.json()["error"]["code"] == "unpaid"
    theirs = await sessions.read_active(inst, cyd.account_id, cyd.staff_user_id, cyd.person_id)
    assert theirs and theirs.unpaid_at is None
    await clear_unpaid(inst, ada.account_id)
    assert (
        await browser.post(f"/api/conversations/{second.conversation_id}/messages", json=words)
    ).status_code == 201


async def test_two_tabs_cannot_pay_twice(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe
) -> None:
    await set_details(paid, ada, "US", "")
    first, second = [(await checkout(paid, ada, "month")).rpartition("/")[2] for _ in range(2)]
    assert stripe_.shop.pay(first) is None and stripe_.shop.pay(second)
    with pytest.raises(Refused) as told:
        await checkout(paid, ada, "month")
    assert told.value.code == "has_plan"


async def test_cancelling_and_changing_the_card_happen_on_the_providers_page(
    paid: Installation, stripe_: StandIn, ada: Staff, bea: Staff, subscribe: Subscribe
) -> None:
    sub_id = await subscribe(ada)
    for errand, flow in (
        ("card", "payment_method_update"),
        ("cancel", "subscription_cancel"),
        ("bills", None),
    ):
        url = await portal(paid, ada, errand)  # type: ignore[arg-type]
        made = stripe_.shop.portals[url.rpartition("/")[2]]
        assert (made.get("flow_data") or {}).get("type") == flow
        assert made["return_url"].startswith("http://127.0.0.1:8000/settings/billing")
        if errand == "cancel":
            assert made["flow_data"]["subscription_cancel"]["subscription"] == sub_id
        with pytest.raises(Refused):
            await portal(paid, bea, errand)  # type: ignore[arg-type]


async def test_when_the_provider_is_away_the_page_says_so_and_nothing_is_changed(
    paid: Installation, stripe_: StandIn, ada: Staff
) -> None:
    await set_details(paid, ada, "DE", "")
    stripe_.down = "before"
    try:
        with pytest.raises(Refused) as told:
            await checkout(paid, ada, "month")
    finally:
        stripe_.down = ""
    assert told.value.status == 502 and (await read_billing(paid, ada.account_id)).customer is None


async def test_when_billing_is_deleted_no_card_is_left_at_the_provider_and_the_bills_stay(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe, days: Days
) -> None:
    sub_id = await subscribe(ada, "month", "DE", "DE123456789")
    known = await read_billing(paid, ada.account_id)
    with pytest.raises(Refused):
        await forget(paid, ada)
    assert of(stripe_, known, "cards")
    stripe_.shop.cancel(sub_id)
    days.on(32)
    stripe_.shop.pass_time()
    await keep_up(paid, ada.account_id)
    await forget(paid, ada)
    assert of(stripe_, known, "cards") == [] and known.customer not in stripe_.shop.customers
    after = await read_billing(paid, ada.account_id)
    assert (after.customer, after.vat_id, after.card, after.country) == (None, "", None, None)
    assert len(await read_bills(paid, ada.account_id)) == 1


async def test_closing_ends_the_plan_at_the_provider_and_can_be_done_again(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe, deliver: Deliver
) -> None:
    sub_id = await subscribe(ada)
    known = await read_billing(paid, ada.account_id)
    for _ in range(2):
        await detach(paid, ada.account_id)
    assert stripe_.shop.subscriptions[sub_id]["status"] == "canceled" and of(stripe_, known, "cards") == []
    assert (
        await deliver(
            {"id": "evt_l", "type": "x", "data": {"object": {"id": known.customer, "object": "customer"}}}
        )
    ).status_code == 200
    [rows] = await paid.db.run(ada.account_id, ("select id from billing_event", []))
    assert rows == []


async def test_where_no_payments_are_taken_nothing_is_stored_or_asked(
    inst: Installation, stripe_: StandIn, ada: Staff
) -> None:
    before = len(stripe_.asked)
    await on_the_clock(inst, ada.account_id)
    await keep_up(inst, ada.account_id)
    await detach(inst, ada.account_id)
    [rows] = await inst.db.run(ada.account_id, ("select 1 from billing", []))
    assert rows == [] and len(stripe_.asked) == before and not await is_unpaid(inst, ada.account_id)
