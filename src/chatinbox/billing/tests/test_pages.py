"""The pages about money: who finds them, that no card is ever asked for, and that self-hosters see nothing of it."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from chatinbox.accounts.proof import GOOD_FOR
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import build
from chatinbox.billing.days import period_from
from chatinbox.billing.plans import plan_of
from chatinbox.billing.quote import quote
from chatinbox.billing.row import read_billing
from chatinbox.billing.tests.conftest import Days, SignIn, Subscribe
from chatinbox.billing.tests.stand_in import StandIn
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import now
from chatinbox.core.egress.recipients import pass_all
from chatinbox.core.installation import Installation
from chatinbox.web.assets import UI
from chatinbox.web.site import frame

PAGE = "/settings/billing"


async def test_self_hosters_see_nothing_of_it(client: Browser, ada: Staff) -> None:
    await client.as_(ada)
    assert "Plan and bills" not in (await client.get("/settings/profile")).text
    made_up = await client.get("/settings/made-up")
    asked = await client.get(PAGE)
    assert (asked.status_code, asked.headers.get("location")) == (
        made_up.status_code,
        made_up.headers.get("location"),
    )
    posted = await client.post(PAGE, data={"do": "details", "country": "DE"})
    assert posted.headers["location"] == "/settings/profile"
    hook = await client.post("/webhooks/stripe", content=b"{}")
    nowhere = await client.post("/webhooks/made-up", content=b"{}")
    assert hook.status_code == 404 and (hook.content, hook.headers) == (nowhere.content, nowhere.headers)


async def test_staff_without_the_permission_have_no_such_page(as_: SignIn, bea: Staff) -> None:
    browser = await as_(bea)
    assert "Plan and bills" not in (await browser.get("/settings/profile")).text
    assert (await browser.get(PAGE)).headers["location"] == "/settings/profile"
    for act in ("details", "addressee", "subscribe", "card", "cancel", "bills", "forget"):
        assert (await browser.post(PAGE, data={"do": act})).status_code == 403, act


async def test_from_trial_to_plan_by_the_pages_with_a_whole_redirect(
    as_: SignIn, stripe_: StandIn, paid: Installation, ada: Staff
) -> None:
    browser = await as_(ada)
    assert "without a card" in (await browser.get(PAGE)).text
    wrong = await browser.post(PAGE, data={"do": "details", "country": "DE", "vat_id": "DE12"})
    assert (
        wrong.status_code == 422
        and 'value="DE12"' in wrong.text
        and "This is not a VAT id of Germany" in wrong.text
    )
    assert (
        await browser.post(PAGE, data={"do": "details", "country": "DE", "vat_id": ""})
    ).status_code == 200
    left = await browser.post(PAGE, data={"do": "subscribe", "every": "year"})
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', left.text)
    assert found and found[1].startswith(f"{stripe_.url}/pay/")
    assert "<iframe" not in left.text and "<script" not in left.text
    assert "form-action 'self'" in left.headers["content-security-policy"]
    stripe_.shop.pay(found[1].rpartition("/")[2])
    back = (await browser.get(f"{PAGE}?back=paid")).text
    assert "Your plan" in back and "Visa ending in 4242" in back and "CI-" in back and "ten years" in back
    assert (await read_billing(paid, ada.account_id)).every == "year"


async def test_what_is_changed_asks_who_it_is_and_stands_in_the_change_log(
    as_: SignIn, paid: Installation, ada: Staff, days: Days
) -> None:
    browser = await as_(ada)
    days.on(GOOD_FOR / timedelta(days=1) * 1.1)
    asked = await browser.post(PAGE, data={"do": "details", "country": "FR", "vat_id": ""})
    assert "Is it you?" in asked.text and (await read_billing(paid, ada.account_id)).country is None
    sure = {"do": "details", "country": "FR", "vat_id": "", "proof": PASSWORD}
    assert (await browser.post(PAGE, data=sure)).status_code == 200
    text = "select what from setting_change where account_id = %s"
    [rows] = await paid.db.run(ada.account_id, (text, [ada.account_id]))
    assert {"billing.country"} <= {row[0] for row in rows}


async def test_cancelling_is_one_click_here_and_one_there(
    as_: SignIn, paid: Installation, stripe_: StandIn, ada: Staff, subscribe: Subscribe, days: Days
) -> None:
    sub_id = await subscribe(ada)
    browser = await as_(ada)
    days.on(GOOD_FOR / timedelta(days=1) * 1.1)  # nobody is asked again who they are
    assert 'value="cancel"' in (await browser.get(PAGE)).text
    left = await browser.post(PAGE, data={"do": "cancel"})
    found = re.search(rf'url={stripe_.url}/portal/([^"]+)"', left.text)
    assert left.status_code == 200 and found
    flow = stripe_.shop.portals[found[1]]["flow_data"]
    assert (flow["type"], flow["subscription_cancel"]["subscription"]) == ("subscription_cancel", sub_id)
    stripe_.shop.cancel(sub_id)
    assert "The plan is cancelled" in (await browser.get(f"{PAGE}?back=seen")).text
    for act in ("card", "bills", "forget"):
        assert "Is it you?" in (await browser.post(PAGE, data={"do": act})).text, act


async def test_another_accounts_bills_are_not_shown(
    as_: SignIn, ada: Staff, cyd: Staff, subscribe: Subscribe
) -> None:
    await subscribe(ada)
    text = (await (await as_(cyd)).get(PAGE)).text
    assert "No bill yet" in text and "CI-" not in text and "4242" not in text


async def test_an_account_that_is_read_only_still_reaches_profile_sessions_and_bills(
    as_: SignIn, paid: Installation, ada: Staff, days: Days
) -> None:
    await read_billing(paid, ada.account_id)
    days.on(15)
    browser = await as_(ada)
    for page in ("profile", "sessions", "billing"):
        assert (await browser.get(f"/settings/{page}")).status_code == 200
    assert (
        await browser.post("/settings/profile", data={"do": "rename", "name": "Ada Lund-Berg"})
    ).status_code == 200
    assert "can be read and exported" in (await browser.get(PAGE)).text


def test_no_page_of_ours_has_a_field_for_a_card() -> None:
    asks = re.compile(
        r"cc-(number|csc|exp|name)|cardnumber|card[-_ ]?(number|field|element)\b(?! never| of)|cvc|cvv|js\.stripe\.com",
        re.I,
    )
    for path in [*UI.rglob("*.html"), *(one for one in UI.rglob("*.js") if "vendor" not in one.parts)]:
        for line in path.read_text().splitlines():
            assert not asks.search(line), path.name


# --- pricing ----------------------------------------------------------------------------------------------------------


async def test_the_pricing_page_shows_the_bill_of_the_same_function(
    browser: httpx.AsyncClient, paid: Installation
) -> None:
    asked = {
        "seats": "7",
        "viewers": "2",
        "start": "2027-01-31",
        "country": "FR",
        "vat_id": "",
        "every": "month",
    }
    answer = await browser.get("/pricing", params=asked)
    plan, day = plan_of(paid.settings), now().date().replace(2027, 1, 31)
    bill = quote(plan, 7, 2, "month", day, "FR")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    for words in (
        plan.money(bill.total),
        plan.money(bill.tax_cents),
        "VAT 20 %",
        "28 of 28",
        "7 seats",
        "2 viewers",
    ):
        assert words in answer.text, words
    assert bill.period == period_from(day, "month")
    assert "no-store" in answer.headers["cache-control"]
    assert "public" in (await browser.get("/pricing")).headers["cache-control"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("seats", "0"), ("seats", "-1"), ("seats", "1e9"), ("seats", "９"), ("viewers", "9" * 5000), ("start", "31.1."),
     ("start", "9999-12-31"), ("start", "0001-01-01"), ("country", "XX"), ("vat_id", "<script>")],
)  # fmt: skip
async def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(
    browser: httpx.AsyncClient, name: str, value: str
) -> None:
    answer = await browser.get("/pricing", params={"seats": "3", name: value})
    assert answer.status_code == 422 and f'id="h-{name}" class="bad"' in answer.text
    assert "<script" not in answer.text and (
        name == "country" or name == "vat_id" or f'value="{value}"' in answer.text
    )


async def test_where_no_payments_are_taken_the_page_says_that_it_is_free(
    inst: Installation,
) -> None:
    own = replace(inst, settings=replace(inst.settings, website=True))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(await build(own)), base_url="http://127.0.0.1:8000"
    ) as browser:
        text = (await browser.get("/pricing")).text
    assert "takes no payments" in text and "€" not in text and "Stripe" not in text


def test_pricing_is_linked_from_the_website() -> None:
    assert frame.menu.has("/pricing")


async def test_what_may_not_leave_is_told_as_that_and_nothing_reaches_the_provider(
    as_: SignIn, paid: Installation, stripe_: StandIn, ada: Staff, cyd: Staff
) -> None:
    """As where nobody wrote down in which country the provider is (C68)."""

    async def no(_account_id: object, way: str) -> str | None:
        return "place_not_named" if way == "stripe" else None

    browser = await as_(ada)
    await browser.post(PAGE, data={"do": "details", "country": "DE", "vat_id": ""})
    known = len(stripe_.shop.customers)
    paid.egress.guarded_by(no)
    try:
        answer = await browser.post(PAGE, data={"do": "subscribe", "every": "year"})
    finally:
        paid.egress.guarded_by(pass_all)
    assert answer.status_code == 409 and "may not go to the payment provider" in answer.text
    assert len(stripe_.shop.customers) == known
    ask = "select outcome, reason from ledger where account_id = %s and named = 'stripe' order by id desc limit 1"
    assert await paid.db.run(ada.account_id, (ask, [ada.account_id])) == [[("withheld", "place_not_named")]]
    assert await paid.db.run(cyd.account_id, (ask, [cyd.account_id])) == [[]]
