"""What is really found in a browser stands in the register, and nothing is there before somebody acts."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect

from chatinbox.accounts import sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.channels.chat.channel import open_channel
from chatinbox.conftest import OPERATOR, Say
from chatinbox.core.installation import Installation
from chatinbox.core.links import SignedLinks
from chatinbox.privacy import storage
from chatinbox.web.site import LEGAL
from journeys.chromium import needs_chromium, open_box

pytestmark = needs_chromium
KEYS = "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"


@dataclass
class Site:
    """A running installation with a chat box on a shop's page."""

    inst: Installation
    public: str
    shop: str


@pytest.fixture
async def site(inst: Installation, ada: Staff) -> AsyncIterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    public, second = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    settings = replace(inst.settings, public_url=public, files_url=second, website=True, **OPERATOR)
    house = replace(inst, settings=settings, links=SignedLinks(inst.vault, second))
    _, key = await open_channel(house, ada.account_id, "Ada's Tea", {})
    server = uvicorn.Server(uvicorn.Config(App(house), log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield Site(house, public, f"{second}/shop/{key}")
    server.should_exit = server.force_exit = True
    await running


async def found(page: Page) -> set[tuple[str, str]]:
    """Every key in the browser, as (kind, name)."""
    kept = {("cookie", one["name"]) for one in await page.context.cookies() if "name" in one}
    for frame in page.frames:
        try:
            kept |= {("local storage", name) for name in await frame.evaluate(KEYS)}
            kept |= {
                ("database", name)
                for name in await frame.evaluate("indexedDB.databases().then(d => d.map(x => x.name))")
            }
        except Exception as shut:
            assert "denied" in str(shut) or "sandbox" in str(shut)  # a frame without storage has none
    return kept


async def chat(site: Site, page: Page) -> None:
    """Writes in the chat box on the shop's page."""
    await page.goto(site.shop)
    await page.locator("chat-inbox").wait_for()
    frame = await open_box(page)
    await frame.locator("#words").fill("Hello")
    await frame.locator("#words").press("Enter")
    await expect(frame.locator(".cb-state").last).to_contain_text("Sent")


def unregistered(kept: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {
        (kind, name)
        for kind, name in kept
        if not any(one.kind == kind and one.fits(name) for one in storage.read())
    }


async def test_the_website_leaves_nothing_and_asks_nobody_else(site: Site, chromium: Browser) -> None:
    page = await chromium.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/", 3)[2]))
    for path in [path for room in LEGAL for path in room.PAGES if "{" not in path and "." not in path] + [
        "/",
        "/sign-up",
    ]:
        await page.goto(site.public + path)
    assert await found(page) == set() and asked == {site.public.split("//")[1]}
    await page.context.close()


async def test_what_inbox_and_chat_box_keep_is_what_the_register_says(
    site: Site, chromium: Browser, ada: Staff, say: Say
) -> None:
    await say(ada, "Hello")
    context = await chromium.new_context()
    token = await sessions.start(site.inst, ada, "tests")
    await context.add_cookies([{"name": "session", "value": token, "url": site.public}])
    inbox = await context.new_page()
    await inbox.goto(f"{site.public}/inbox")
    await inbox.wait_for_timeout(800)
    await inbox.evaluate("localStorage.setItem('chatinbox-look', '{}')")
    shop = await context.new_page()
    await chat(site, shop)
    kept = await found(inbox) | await found(shop)
    assert unregistered(kept) == set()
    assert {kind for kind, _ in kept} == {"cookie", "local storage"}
    assert any(name.startswith("chatinbox:") for _, name in kept)  # the crawl did find something
    await context.close()


async def test_a_key_that_nobody_registered_is_found(site: Site, chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.goto(f"{site.public}/cookies")
    await page.evaluate("localStorage.setItem('visitor-id', '1')")
    assert unregistered(await found(page)) == {("local storage", "visitor-id")}
    await page.context.close()


SHUT = """for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
  Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError') } });
Object.defineProperty(Document.prototype, 'cookie', { get() { return '' }, set() {} });"""


async def test_pages_and_chat_box_work_in_a_browser_that_keeps_nothing(site: Site, chromium: Browser) -> None:
    context = await chromium.new_context()
    await context.add_init_script(SHUT)
    page = await context.new_page()
    for path in ("/privacy", "/cookies", "/california"):
        await page.goto(site.public + path)
        assert await page.locator("h1").count() == 1
    await chat(site, page)
    await context.close()


REFUSE = """(() => {
  const [begin, isWhole] = WHICH;
  const refused = (key) => (isWhole ? key === begin : key.startsWith(begin));
  const set = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) {
    if (refused(key)) { globalThis.refusedOnes = (globalThis.refusedOnes ?? 0) + 1; throw new DOMException('denied', 'SecurityError'); }
    return set.call(this, key, value);
  };
})()"""
ONES = [
    one for one in storage.read() if not one.name.startswith("__Host-")
]  # those are the same ones, under TLS


@pytest.mark.parametrize("one", ONES, ids=[one.name for one in ONES])
async def test_each_entry_can_be_refused_alone_and_everything_that_it_is_not_for_works(
    site: Site, chromium: Browser, ada: Staff, say: Say, one: storage.Entry
) -> None:
    await say(ada, "A question to be answered")
    context = await chromium.new_context()
    await context.add_init_script(
        REFUSE.replace("WHICH", json.dumps([one.name.removesuffix("*"), not one.name.endswith("*")]))
    )
    if one.name != "session":  # which is for the inbox, and for nothing else
        page = await context.new_page()
        token = await sessions.start(site.inst, ada, "tests")
        await context.add_cookies([{"name": "session", "value": token, "url": site.public}])
        await page.goto(f"{site.public}/inbox")
        await page.get_by_text("A question to be answered").first.click()
        await expect(page.locator("article", has_text="A question to be answered")).to_be_visible()
        await page.keyboard.press("r")
        await page.keyboard.type("An answer without it")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("article", has_text="An answer without it")).to_be_visible()
    pages = await context.new_page()
    for path in ("/", "/privacy", "/sign-in"):
        await pages.goto(site.public + path)
        assert await pages.locator("h1").count() == 1
    await chat(site, pages)
    if one.name == "chatinbox:*":
        assert await pages.evaluate("globalThis.refusedOnes") and not any(
            name.startswith("chatinbox:") for _, name in await found(pages)
        )
    await context.close()
