"""Activity in a real Chromium, with short thresholds: how long an interval is when a tab is opened, left alone, hidden,
closed or cut off, and that two tabs are one. And the report pages before axe.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from chatinbox.accounts import activity, sessions
from chatinbox.accounts.activity import Pace
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.conftest import Say
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.links import SignedLinks
from journeys.chromium import needs_chromium

pytestmark = needs_chromium
PACE = Pace(sign=0.5, idle=2.5, lost=2, write=1)
SLACK = 1.2  # a sign, and a busy machine


@dataclass
class Site:
    """An installation before a browser."""

    inst: Installation
    url: str
    context: BrowserContext

    async def inbox(self) -> Page:
        """The inbox in a new tab."""
        page = await self.context.new_page()
        await page.goto(f"{self.url}/inbox")
        await page.locator("#app[data-state=live]").wait_for()
        return page


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of minutes, and nobody at work yet."""
    monkeypatch.setattr(activity, "pace", PACE)
    monkeypatch.setattr(activity, "_open", {})
    monkeypatch.setattr(activity, "_left", [])


@pytest.fixture
async def site(inst: Installation, chromium: Browser, ada: Staff) -> AsyncIterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    public, second = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    settings = replace(inst.settings, public_url=public, files_url=second)
    house = replace(inst, settings=settings, links=SignedLinks(inst.vault, second))
    app = App(house)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    token = await sessions.start(house, ada, "tests")
    await context.add_cookies([{"name": "session", "value": token, "url": public}])
    yield Site(house, public, context)
    await context.close()
    app.close()
    server.should_exit = server.force_exit = True
    await running


async def lengths(inst: Installation, who: Staff) -> list[float]:
    await activity.write_due(inst, everything=True)
    ask = "select began_at, last_at from staff_activity where account_id = %s order by began_at"
    [rows] = await inst.db.run(who.account_id, (ask, [who.account_id]))
    return [(last - began).total_seconds() for began, last in rows]


async def work(page: Page, seconds: float) -> None:
    """Moves the pointer about."""
    for n in range(int(seconds / 0.2)):
        await page.mouse.move(300 + n % 40, 300)
        await asyncio.sleep(0.2)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(100):
        if await true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came to that")


def close_to(found: float, meant: float) -> bool:
    return meant - SLACK <= found <= meant + SLACK


@pytest.mark.usefixtures("paced")
async def test_a_tab_that_is_worked_in_and_closed_is_as_long_as_the_work(site: Site, ada: Staff) -> None:
    page = await site.inbox()
    await work(page, 4)
    await page.close(run_before_unload=True)
    await until(lambda: _none_open(ada))
    [found] = await lengths(site.inst, ada)
    assert close_to(found, 4), found


async def _none_open(who: Staff) -> bool:
    return who.staff_user_id not in activity._open


@pytest.mark.usefixtures("paced")
async def test_a_tab_left_alone_ends_when_it_was_idle_and_goes_on_when_it_is_touched(
    site: Site, ada: Staff
) -> None:
    page = await site.inbox()
    await until(lambda: _none_open(ada))
    await asyncio.sleep(2)
    await page.mouse.move(500, 500)
    await asyncio.sleep(0.3)
    assert not await _none_open(ada)
    await page.goto("about:blank")
    await until(lambda: _none_open(ada))
    first, second = await lengths(site.inst, ada)
    assert close_to(first, PACE.idle), first
    assert second < 1 + SLACK


@pytest.mark.usefixtures("paced")
async def test_a_network_that_is_cut_ends_it_at_the_last_sign_and_a_new_one_begins_after(
    site: Site, ada: Staff
) -> None:
    page = await site.inbox()
    await work(page, 2)
    await site.context.set_offline(True)
    await work(page, 4)
    await site.context.set_offline(False)
    await work(page, 2)
    await page.close(run_before_unload=True)
    await until(lambda: _none_open(ada))
    first, second = await lengths(site.inst, ada)
    assert close_to(first, 2) and close_to(second, 2), (first, second)


@pytest.mark.usefixtures("paced")
async def test_two_tabs_at_once_are_counted_once(site: Site, ada: Staff, bea: Staff) -> None:
    one, two = await site.inbox(), await site.inbox()
    await asyncio.gather(work(one, 3), work(two, 3))
    await one.close(run_before_unload=True)
    await work(two, 2)
    await two.close(run_before_unload=True)
    await until(lambda: _none_open(ada))
    [found] = await lengths(site.inst, ada)
    assert 5 - SLACK <= found <= 7 + SLACK, found
    assert bea.staff_user_id not in activity._open


@pytest.mark.usefixtures("paced")
async def test_a_sign_says_which_tab_and_nothing_else(site: Site, ada: Staff) -> None:
    told: list[str] = []
    page = await site.context.new_page()
    page.on("request", lambda one: told.append(one.post_data or "") if "/api/active" in one.url else None)
    await page.goto(f"{site.url}/inbox")
    await work(page, 1.5)
    assert told and {tuple(json.loads(one)) for one in told} == {("tab", "stop")}, told


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_report_pages_are_for_everybody_and_fit_a_narrow_phone(
    site: Site, ada: Staff, say: Say, scheme: str
) -> None:
    talk = await say(ada, "Words without a space: " + "x" * 120)
    insert = "insert into staff_record (account_id, id, kind, staff_user_id, conversation_id, channel_id, at) values (%s, %s, 'answer', %s, %s, %s, %s)"
    deed = [ada.account_id, new_id(), ada.staff_user_id, talk.conversation_id, new_id(), now()]
    await site.inst.db.run(ada.account_id, (insert, deed))
    for n in range(3):
        at = now() - timedelta(days=n, hours=2)
        insert = "insert into staff_activity (account_id, id, staff_user_id, began_at, last_at) values (%s, %s, %s, %s, %s)"
        who = [ada.account_id, new_id(), ada.staff_user_id, at, at + timedelta(hours=1)]
        await site.inst.db.run(ada.account_id, (insert, who))
    page = await site.context.new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    for path in ("reports/work", "reports/activity", "reports/sign-ins", "reports/me", "reports/conversations?deed=answer", "settings/reported", "settings/staff-reports"):  # fmt: skip
        for width in (1440, 320):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.goto(f"{site.url}/{path}")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width, wide)
        found = await Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())
    assert {one.split("/")[2] for one in asked} == {site.url.split("/")[2]}
    assert await site.context.cookies() != [] and len(await site.context.cookies()) == 1
