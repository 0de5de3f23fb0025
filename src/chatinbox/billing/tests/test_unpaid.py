"""While a bill is open for long the account can only be read: it is never held back. All of it can be taken along as ever."""

import io
import json
import zipfile
from typing import Any

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import is_unpaid
from chatinbox.billing.keep_up import follow, keep_up
from chatinbox.billing.row import read_billing
from chatinbox.billing.tests.conftest import Days, SignIn, Subscribe, of
from chatinbox.billing.tests.stand_in import StandIn
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def dun(inst: Installation, stripe_: StandIn, by: Staff, days: Days) -> None:
    """The card fails, the bill stays open, and nobody has patience any more."""
    customer = (await read_billing(inst, by.account_id)).customer
    assert customer
    stripe_.shop.card_works(customer, False)
    days.on(32)
    stripe_.shop.pass_time()
    await keep_up(inst, by.account_id)
    days.on(31)
    await follow(inst, by.account_id)
    assert await is_unpaid(inst, by.account_id)


async def taken(browser: httpx.AsyncClient, page: str, act: str) -> zipfile.ZipFile:
    answer = await browser.post(f"/settings/{page}", data={"do": act})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    whole = zipfile.ZipFile(io.BytesIO(answer.content))
    assert whole.testzip() is None
    return whole


def rows(whole: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in whole.read(f"{name}.jsonl").splitlines()]


async def test_an_unpaid_account_takes_along_all_that_it_could_take_along_before(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, cyd: Staff, subscribe: Subscribe, days: Days, say: Say
) -> None:  # fmt: skip
    await subscribe(ada, "month", "DE", "DE123456789")
    said = await say(
        ada, "First words", subject="A subject", files=[NewFile("a.txt", "text/plain", b"file words")]
    )
    await verbs.add_note(paid, ada, said.conversation_id, new_id(), Body(text="note words"))
    await say(cyd, "NEIGHBOUR CANARY")
    before = await taken(await as_(ada), "closing", "export")
    await dun(paid, stripe_, ada, days)
    later = await say(ada, "Later words", email="later@mail.example")
    browser = await as_(ada)
    assert 'value="export"' in (await browser.get("/settings/closing")).text
    after = await taken(browser, "closing", "export")
    assert set(before.namelist()) <= set(after.namelist())
    for name in ("conversation", "message", "note", "attachment", "customer", "channel", "tag"):
        assert {str(one["id"]) for one in rows(before, name)} <= {str(one["id"]) for one in rows(after, name)}
    assert [one["body"]["text"] for one in rows(after, "message")] == ["First words", "Later words"]
    assert [one["body"]["text"] for one in rows(after, "note")] == ["note words"]
    assert "A subject" in {one.get("subject") for one in rows(after, "conversation")}
    [stored] = rows(after, "attachment")
    assert after.read(f"attachments/{stored['id']}") == b"file words"
    [bill] = rows(after, "billing")
    assert bill["vat"] == "DE123456789" and bill["card"]["last4"] == "4242"
    assert [one["status"] for one in rows(after, "invoice")] == ["paid", "open"]
    assert all(b"CANARY" not in after.read(name) for name in after.namelist())
    assert str(later.conversation_id) in {one["id"] for one in rows(after, "conversation")}


async def test_whoever_works_in_an_unpaid_account_takes_along_what_is_about_them(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, bea: Staff, subscribe: Subscribe, days: Days
) -> None:  # fmt: skip
    await subscribe(ada)
    await dun(paid, stripe_, ada, days)
    for one in (ada, bea):
        mine = await taken(await as_(one), "my-data", "download")
        tables = json.loads(mine.read("data.json"))["tables"]
        assert [row["id"] for row in tables["tenant.staff_user"]] == [str(one.staff_user_id)]
        assert tables["directory.person"][0]["name"] == one.name


@pytest.mark.parametrize("page", ["changes", "ledger"])
async def test_the_registers_of_an_unpaid_account_are_taken_along_too(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, subscribe: Subscribe, days: Days, page: str
) -> None:
    await subscribe(ada)
    await dun(paid, stripe_, ada, days)
    answer = await (await as_(ada)).post(f"/settings/{page}", data={"do": "csv"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")


async def test_details_of_the_bill_are_changed_and_deleted_while_it_is_open(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, cyd: Staff, subscribe: Subscribe, days: Days
) -> None:  # fmt: skip
    sub_id = await subscribe(ada, "month", "DE", "DE123456789")
    await dun(paid, stripe_, ada, days)
    browser, page = await as_(ada), "/settings/billing"
    known = await read_billing(paid, ada.account_id)
    for country, vat_id in (("FR", "FR12345678901"), ("FR", ""), ("AT", "ATU12345678"), ("US", "")):
        told = await browser.post(page, data={"do": "details", "country": country, "vat_id": vat_id})
        assert told.status_code == 200, told.text
        now_ = await read_billing(paid, ada.account_id)
        assert (now_.country, now_.vat_id) == (country, vat_id)
        assert [one["value"] for one in of(stripe_, known, "tax_ids")] == [vat_id][: len(vat_id)]
    assert (await browser.post(page, data={"do": "forget"})).status_code == 409, "a plan still runs"
    stripe_.shop.subscriptions[sub_id]["status"] = "canceled"
    await keep_up(paid, ada.account_id)
    assert await is_unpaid(paid, ada.account_id), "the bill is still open"
    assert 'value="forget"' in (await browser.get(page)).text
    assert (await browser.post(page, data={"do": "forget"})).status_code == 200
    after = await read_billing(paid, ada.account_id)
    assert (after.country, after.vat_id, after.card, after.customer) == (None, "", None, None)
    assert known.customer not in stripe_.shop.customers and of(stripe_, known, "cards") == []


async def test_details_of_who_never_paid_are_deleted_after_the_trial(
    paid: Installation, as_: SignIn, ada: Staff, days: Days
) -> None:
    browser, page = await as_(ada), "/settings/billing"
    assert 'value="forget"' not in (await browser.get(page)).text
    await browser.post(page, data={"do": "details", "country": "DE", "vat_id": "DE123456789"})
    days.on(15)
    await follow(paid, ada.account_id)
    assert await is_unpaid(paid, ada.account_id)
    browser = await as_(ada)
    assert 'value="forget"' in (await browser.get(page)).text
    assert (await browser.post(page, data={"do": "forget"})).status_code == 200
    after = await read_billing(paid, ada.account_id)
    assert (after.country, after.vat_id) == (None, "")
