"""Tables of the settings on a phone, in a real Chromium: nothing lies beyond the edge, with rows and without."""

import pytest
from playwright.async_api import Browser, expect

from chatinbox.accounts.sso.connection import Provider, connect, read_connection
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations.channels import read_channels
from chatinbox.core.clock import travel
from chatinbox.core.egress import Asked, Letter
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.web.settings import PAGES
from chatinbox.web.tests.test_activity_in_browser import Site, site  # noqa: F401 — a fixture
from journeys.chromium import needs_chromium

pytestmark = needs_chromium
CUT_OFF = "() => [...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth - one.clientWidth)"
LONG = "accounts.receivable.north@a-rather-long-name-of-a-company.example"


@pytest.mark.parametrize("width", [390, 320])
async def test_what_left_was_erased_and_agreed_is_read_whole_on_a_phone_by_its_account_alone(
    site: Site,  # noqa: F811
    ada: Staff,
    cyd: Staff,
    say: Say,
    width: int,
) -> None:
    page = await site.context.new_page()
    await page.set_viewport_size({"width": width, "height": 800})

    async def tables(path: str) -> list[int]:
        await page.goto(f"{site.url}/settings/{path}")
        found: list[int] = await page.evaluate(CUT_OFF)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width and max(found, default=0) <= 0, (path, wide, found)
        return found

    assert await tables("ledger") == await tables("erasures") == []
    theirs = await say(cyd, "Hello", email="not.hers@mail.example")
    for by, customer_id, to in ((ada, (await say(ada, "Hello")).customer_id, LONG), (cyd, theirs.customer_id, "not.hers@mail.example")):  # fmt: skip
        channel = next(one for one in await read_channels(site.inst, by.account_id) if one.kind == "email")
        letter = Letter(by.account_id, "customer", customer_id, "a@x.example", (to,), b"Subject: x\r\n\r\nx",
                        "service", "an answer written by staff", ("e-mail address", "name", "message", "files"),
                        Asked("setting", channel.id))  # fmt: skip
        await site.inst.egress.mail(letter)
    assert len(await tables("ledger")) == 1
    assert LONG in await page.inner_text("table") and "not.hers" not in await page.inner_text("body")
    done = (await say(ada, "Erase me", email="gone@mail.example")).customer_id
    erasure_id = await ask_erasure(site.inst, ada, done, "Casey Customer")
    with travel(UNDO):
        await erase(site.inst, ada.account_id, erasure_id)
    waits = (await say(ada, "Me, too", email="waits@mail.example")).customer_id
    await ask_erasure(site.inst, ada, waits, "Casey Customer")
    assert len(await tables("erasures")) == 1
    assert {"Receipt", "Take it back"} <= set((await page.inner_text("table")).split("\n"))
    assert len(await tables(f"erasures?customer={waits}")) == 1
    assert len(await tables("agreements")) == 2


async def test_long_addresses_of_a_company_sign_on_stay_within_a_phone(
    site: Site,  # noqa: F811
    ada: Staff,
    cyd: Staff,
) -> None:
    page = await site.context.new_page()
    await page.set_viewport_size({"width": 390, "height": 800})
    for address in ("", "https://login.example"):
        if address:
            provider = Provider(issuer=f"{address}/saml", sign_in_url=f"{address}/sso", certificate="x")
            await connect(site.inst, ada, "saml", provider)
        await page.goto(f"{site.url}/settings/single-sign-on")
        for one in await page.query_selector_all("details"):
            await one.evaluate("one => { one.open = true; }")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert (address in await page.inner_text("main")) and ("/logout" in await page.inner_text("main"))
    assert await read_connection(site.inst, cyd.account_id) is None


async def test_the_menu_has_groups_and_is_opened_by_a_button_on_a_phone_without_scripts(
    site: Site,  # noqa: F811
    chromium: Browser,
) -> None:
    kept = await site.context.storage_state()
    phone = await chromium.new_context(
        storage_state=kept, java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    page = await phone.new_page()
    await page.goto(f"{site.url}/settings/looked")
    opens, link = (
        page.get_by_role("button", name="Settings: Who looked"),
        page.get_by_role("link", name="Requests"),
    )
    await expect(link).to_be_hidden()
    await opens.click()
    await expect(
        page.get_by_role("list", name="Privacy").get_by_role("link", name="Who looked")
    ).to_be_visible()
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(opens).to_be_hidden()
    await expect(link).to_be_visible()
    await phone.close()


@pytest.mark.parametrize("width", [390, 320])
async def test_no_page_of_the_settings_is_wider_than_a_phone(site: Site, width: int) -> None:  # noqa: F811
    page, wide = await site.context.new_page(), []
    await page.set_viewport_size({"width": width, "height": 800})
    for name in PAGES:
        await page.goto(f"{site.url}/settings/{name}")
        over = await page.evaluate("document.documentElement.scrollWidth") - width
        if over > 0 or max(await page.evaluate(CUT_OFF), default=0) > 0:
            wide.append((name, over))
    assert wide == []
