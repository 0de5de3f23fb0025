"""Whom bills go to: named, changed and deleted by who sees the bills, told to the provider, sealed here, gone with the account."""

import io
import json
import zipfile
from typing import Any

import pytest
import stripe

from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import set_unpaid
from chatinbox.billing.addressee import set_addressee
from chatinbox.billing.detach import detach
from chatinbox.billing.row import Addressee, Billing, read_billing
from chatinbox.billing.tests.conftest import SignIn, Subscribe
from chatinbox.billing.tests.stand_in import StandIn
from chatinbox.conftest import Browser
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

PAGE = "/settings/billing"
DANA = {"do": "addressee", "email": "dana@books.example", "addressee_name": "Dana Voss"}


def there(stripe_: StandIn, known: Billing) -> tuple[str, list[str]]:
    """The e-mail and the lines for bills that the provider has."""
    assert known.customer
    customer: dict[str, Any] = stripe_.shop.customers[known.customer]
    lines = (customer.get("invoice_settings") or {}).get("custom_fields") or {}
    return customer.get("email", ""), [f"{one['name']}: {one['value']}" for one in lines.values()]


async def test_whom_bills_go_to_is_named_changed_and_deleted_and_the_provider_knows(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, cyd: Staff, subscribe: Subscribe
) -> None:
    browser = await as_(ada)
    assert (await browser.post(PAGE, data=DANA)).status_code == 200
    assert 'value="dana@books.example"' in (await browser.get(PAGE)).text
    await subscribe(ada)
    known = await read_billing(paid, ada.account_id)
    assert known.addressee == Addressee("dana@books.example", "Dana Voss")
    assert there(stripe_, known) == ("dana@books.example", ["Attention: Dana Voss"])
    await browser.post(PAGE, data={"do": "addressee", "email": "eli@books.example", "addressee_name": ""})
    assert there(stripe_, known) == ("eli@books.example", [])
    await browser.post(PAGE, data={"do": "addressee", "email": "", "addressee_name": ""})
    assert there(stripe_, known) == ("", [])
    assert (await read_billing(paid, ada.account_id)).addressee is None
    assert (await read_billing(paid, cyd.account_id)).addressee is None


async def test_it_lies_sealed_stands_in_the_ledger_by_kind_and_in_the_change_log_without_its_words(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada)
    await set_addressee(paid, ada, "dana@books.example", "Dana Voss")
    await set_addressee(paid, ada, "dana@books.example", "Dana Voss")
    ask = "select to_jsonb(b)::text, addressee_sealed from billing b"
    [[(row, sealed)]] = await paid.db.run(ada.account_id, (ask, []))
    assert "dana" not in row.lower() and b"dana" not in bytes(sealed).lower()
    told = "select fields from ledger where account_id = %s and instruction = 'billing.addressee'"
    [rows] = await paid.db.run(ada.account_id, (told, [ada.account_id]))
    assert rows == [(["account_id", "email", "name"],)]
    lines = [one for one in await read_changes(paid, ada, Filter()) if one.what == "Whom bills go to"]
    assert [(one.before, one.after, one.about) for one in lines] == [("", "", "")]


async def test_it_is_in_the_export_and_can_be_altered_while_a_bill_is_open(
    paid: Installation, as_: SignIn, ada: Staff
) -> None:
    await set_addressee(paid, ada, "dana@books.example", "Dana Voss")
    await set_unpaid(paid, ada.account_id)
    browser = await as_(ada)
    whole = await browser.post("/settings/closing", data={"do": "export"})
    row = json.loads(zipfile.ZipFile(io.BytesIO(whole.content)).read("billing.jsonl"))
    assert row["addressee"] == {"email": "dana@books.example", "name": "Dana Voss"}
    assert (await browser.post(PAGE, data=DANA | {"email": "eli@books.example"})).status_code == 200
    assert (await browser.post(PAGE, data={"do": "addressee"})).status_code == 200
    assert (await read_billing(paid, ada.account_id)).addressee is None


async def test_it_goes_with_the_other_details_and_with_the_account(
    paid: Installation, stripe_: StandIn, as_: SignIn, ada: Staff, subscribe: Subscribe
) -> None:
    await set_addressee(paid, ada, "dana@books.example", "")
    browser = await as_(ada)
    assert (await browser.post(PAGE, data={"do": "forget"})).status_code == 200
    assert (await read_billing(paid, ada.account_id)).addressee is None
    await set_addressee(paid, ada, "dana@books.example", "Dana Voss")
    await subscribe(ada)
    first = (await read_billing(paid, ada.account_id)).customer
    await detach(paid, ada.account_id)
    assert (await read_billing(paid, ada.account_id)).addressee is None
    assert first not in stripe_.shop.customers
    await subscribe(ada)
    again = await read_billing(paid, ada.account_id)
    assert again.customer != first and again.is_live, "who came back on the same day pays as somebody new"
    assert there(stripe_, again) == ("", [])


@pytest.mark.parametrize(
    ("email", "name", "code"),
    [("dana", "", "email"), ("", "Dana", "email"), ("d@books.example", "x" * 121, "addressee_name")],
)
async def test_what_cannot_be_kept_is_said_at_its_field(
    as_: SignIn, paid: Installation, ada: Staff, email: str, name: str, code: str
) -> None:
    told = await (await as_(ada)).post(PAGE, data={"do": "addressee", "email": email, "addressee_name": name})
    assert told.status_code == 422 and f'id="h-{code}" class="bad"' in told.text
    assert (await read_billing(paid, ada.account_id)).addressee is None


async def test_where_the_provider_is_away_nothing_is_changed(
    paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada)
    stripe_.down = "before"
    try:
        with pytest.raises(Refused) as told:
            await set_addressee(paid, ada, "dana@books.example", "")
    finally:
        stripe_.down = ""
    assert told.value.status == 502 and isinstance(told.value.__cause__, stripe.StripeError)
    assert (await read_billing(paid, ada.account_id)).addressee is None


async def test_nobody_else_names_it_and_where_no_payments_are_taken_nobody_does(
    paid: Installation, as_: SignIn, client: Browser, ada: Staff, bea: Staff
) -> None:
    assert (await (await as_(bea)).post(PAGE, data=DANA)).status_code == 403
    with pytest.raises(Refused):
        await set_addressee(paid, bea, "dana@books.example", "")
    self_hosted = await (await client.as_(ada)).post(PAGE, data=DANA)
    assert self_hosted.headers["location"] == "/settings/profile"
    [rows] = await paid.db.run(ada.account_id, ("select addressee_sealed from billing", []))
    assert not any(row[0] for row in rows)
