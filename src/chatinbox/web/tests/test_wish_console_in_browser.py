"""The operator's page of wishes and the page that stops one, in a real Chromium: whole on a desk and on a phone (clause C57)."""

import re
from datetime import date

import pytest
from playwright.async_api import expect

from chatinbox.accounts import by_people, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say
from chatinbox.conversations.channels import read_channels
from chatinbox.web import operator_door
from chatinbox.web.tests.second_factor import with_app
from chatinbox.web.tests.test_accounts import letter_to
from chatinbox.web.tests.test_activity_in_browser import Site, site  # noqa: F401 — a fixture
from chatinbox.web.wish_console import PATH
from journeys.chromium import needs_chromium

pytestmark = needs_chromium
WIDE = "document.documentElement.scrollWidth"


@pytest.mark.parametrize("width", [1440, 390])
async def test_a_wish_is_begun_on_the_page_and_stopped_by_the_link(
    site: Site,  # noqa: F811
    ada: Staff,
    cyd: Staff,
    people: People,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
) -> None:
    [channel] = [one.id for one in await read_channels(site.inst, ada.account_id) if one.kind == "email"]

    async def hers(_: object) -> tuple[object, object]:
        return ada.account_id, channel

    monkeypatch.setattr(operator_door, "operator_channel", hers)
    dan = await people.colleague(cyd, "Dan")
    for who in (ada, dan):
        await with_app(site.inst, who)  # which ends their sessions
    token = await sessions.start(site.inst, ada, "tests")
    await site.context.add_cookies([{"name": "session", "value": token, "url": site.url}])
    for who, kind in ((dan, "delete"), (cyd, "delete"), (dan, "update")):
        got = await say(ada, f"About {kind}")
        ask = "select number from conversation where account_id = %s and id = %s"
        [[[number]]] = await site.inst.db.run(ada.account_id, (ask, [ada.account_id, got.conversation_id]))
        await by_people.keep(site.inst, who.person_id, kind, ada.account_id, got.conversation_id, number, date(2027, 1, 9))  # fmt: skip
    page = await site.context.new_page()
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(site.url + PATH)
    await expect(page.get_by_role("button", name="Write to them what comes first")).to_be_visible()
    await page.get_by_role("button", name="Begin: delete the sign-in").click()
    await expect(page.get_by_text("Begun by Ada").first).to_be_visible()
    assert await page.evaluate(WIDE) <= width
    cut_off = await page.evaluate(
        "[...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth - one.clientWidth)"
    )
    assert max(cut_off) <= 0
    found = re.search(r"/wish/stop/\S+", (await letter_to(site.inst, dan)).text)
    assert found
    await page.goto(site.url + found[0])
    await page.get_by_role("button", name="Stop it").click()
    await expect(page.get_by_role("heading", name="It is stopped")).to_be_visible()
    assert await page.evaluate(WIDE) <= width
    await page.goto(site.url + PATH)
    await expect(page.get_by_text("Begun by Ada")).to_have_count(0)
