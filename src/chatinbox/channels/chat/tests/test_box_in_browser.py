"""The launcher and the open box in a real Chromium, on a stranger's site under a strict policy."""

import asyncio
import io
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Frame, Page, expect
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chatinbox.accounts.opening_hours import OpeningHours
from chatinbox.accounts.photo import set_photo, show_to_visitors
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import set_answering
from chatinbox.app.wiring import App
from chatinbox.channels.chat.change_look import show_faces
from chatinbox.channels.chat.channel import find_channel, look_again, open_channel
from chatinbox.channels.chat.tests.conftest import count
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.collection import set_takes
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.links import SignedLinks
from journeys.chromium import needs_chromium, open_box

pytestmark = needs_chromium
LOOK = {"brand": "light-dark(oklch(43% .088 42), oklch(48% .088 42))", "on_brand": "oklch(98.5% .01 70)"}


@dataclass
class Site:
    """A running installation, the shop's address, and the account that owns its box."""

    inst: Installation
    owner: Staff
    key: str
    public: str
    shop: str
    strict: str

    async def answer(self, text: str) -> None:
        conversation_id = await self.newest()
        body = Body(text=text, author_name="Youssef Karam")
        await verbs.reply(
            self.inst, self.owner, conversation_id, new_id(), body, seen_position=0, send_anyway=True
        )

    async def newest(self) -> Any:
        [rows] = await self.inst.db.run(
            self.owner.account_id,
            (
                "select id from conversation where account_id = %s order by created_at desc limit 1",
                [self.owner.account_id],
            ),
        )
        return rows[0][0]


class StrictSite:
    """In front of the app: `/strict` is a stranger's page with the strictest policy that the docs promise to suit."""

    def __init__(self, app: ASGIApp, public: str, key: str) -> None:
        self._app, self._public, self._key = app, public, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in ("/strict", "/elsewhere"):
            page = f'<!doctype html><p>A site</p><script async src="{self._public}/chat/{self._key}/box.js"></script>'
            policy = f"default-src 'none'; script-src {self._public}; frame-src {self._public}"
            headers = {
                "content-security-policy": f"{policy}; require-trusted-types-for 'script'; trusted-types 'none'"
            }
            await HTMLResponse(page, headers=headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)


@pytest.fixture
async def site(inst: Installation, ada: Staff) -> AsyncIterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    public, second = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    settings = replace(inst.settings, public_url=public, files_url=second)
    house = replace(inst, settings=settings, links=SignedLinks(inst.vault, second))
    _, key = await open_channel(house, ada.account_id, "Halden Ceramics", LOOK)
    config = uvicorn.Config(StrictSite(App(house), public, key), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield Site(house, ada, key, public, f"{second}/shop/{key}", f"{second}/strict")
    server.should_exit = server.force_exit = True
    await running


Visit = Callable[..., Awaitable[Page]]


@pytest.fixture
async def visit(chromium: Browser) -> AsyncIterator[Visit]:
    contexts: list[BrowserContext] = []

    async def open_page(url: str, context: BrowserContext | None = None, **options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 860}, **options}
        context = context or await chromium.new_context(**options)
        contexts.append(context)
        page = await context.new_page()
        page.faults = []  # type: ignore[attr-defined]
        page.asked = []  # type: ignore[attr-defined]
        page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)  # type: ignore[attr-defined]
        page.on("pageerror", lambda fault: page.faults.append(str(fault)))  # type: ignore[attr-defined]
        page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
        await page.goto(url)
        await page.locator("chat-inbox").wait_for()
        return page

    yield open_page
    for context in contexts:
        await context.close()


async def say(frame: Frame, text: str) -> None:
    await frame.locator("#words").fill(text)
    await frame.locator("#words").press("Enter")


def state(frame: Frame, word: str) -> Any:
    return frame.locator(".cb-state", has_text=re.compile(word)).last


async def test_before_the_visitor_acts_there_is_no_request_cookie_storage_or_row(
    site: Site, visit: Visit
) -> None:
    page = await visit(site.shop)
    await page.wait_for_timeout(300)
    ours = [urlsplit(url).path for url in page.asked if url.startswith(site.public)]  # type: ignore[attr-defined]
    assert ours == [f"/chat/{site.key}/box.js"]
    frame = await open_box(page)
    await frame.locator("text=Nothing is stored until you write.").wait_for()
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    inside = "(() => { try { return localStorage.length + sessionStorage.length } catch { return 0 } })()"
    assert await frame.evaluate(inside) == 0
    assert await page.context.cookies() == []
    assert await count(site.inst, site.owner, "customer") == 0
    assert page.faults == []  # type: ignore[attr-defined]


async def test_a_talk_from_the_first_word_to_the_seen_answer(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "صباح الخير! 🙏 <b>not bold</b> https://halden.example/a_(b).")
    await state(frame, "Sent").wait_for()
    assert await count(site.inst, site.owner, "message") == 1
    assert await frame.locator(".cb-say a").get_attribute("href") == "https://halden.example/a_(b)"
    assert await frame.locator(".cb-say b").count() == 0
    assert re.fullmatch(r"s\d+\.[\w-]{43}", await page.evaluate(f"localStorage['chatinbox:{site.key}']"))
    await site.answer("صباح النور، نعم!")
    await expect(frame.locator(".cb-say", has_text="صباح النور")).to_be_visible(timeout=1000)
    await expect(frame.locator(".cb-who b").first).to_have_text("Youssef")
    for _ in range(50):
        [rows] = await site.inst.db.run(
            site.owner.account_id,
            ("select state from delivery where account_id = %s", [site.owner.account_id]),
        )
        if rows == [("seen",)]:
            break
        await page.wait_for_timeout(50)
    assert rows == [("seen",)]
    await verbs.mark_seen(site.inst, site.owner, await site.newest(), 2)
    site.inst.presence.staff_here(
        site.owner.account_id, await site.newest(), site.owner.staff_user_id, True, True
    )
    await expect(frame.locator("#typing")).to_contain_text("is writing")
    await state(frame, "Seen").wait_for(timeout=4000)
    assert page.faults == []  # type: ignore[attr-defined]


async def test_the_photo_of_who_answers_is_drawn_where_both_show_it(
    site: Site, visit: Visit, cyd: Staff
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    for who in (site.owner, cyd):
        await set_photo(site.inst, who, picture.getvalue())
        await show_to_visitors(site.inst, who, True)
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "hello")
    await state(frame, "Sent").wait_for()
    await show_faces(site.inst, site.owner, (await find_channel(site.inst, site.key)).id, True)
    await site.answer("Good day")
    face = frame.locator(".cb-who .face img")
    await expect(face).to_be_visible(timeout=2000)
    for _ in range(50):
        if await face.evaluate("one => one.naturalWidth") == 96:
            break
        await page.wait_for_timeout(50)
    assert await face.evaluate("one => one.naturalWidth") == 96
    size = await face.bounding_box()
    assert size and size["width"] == size["height"] == 24
    assert page.faults == []  # type: ignore[attr-defined]


async def test_escape_closes_gives_focus_back_and_new_answers_are_counted(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "hello")
    await state(frame, "Sent").wait_for()
    await frame.locator("#words").press("Escape")
    await expect(frame.locator("#words")).to_be_hidden()
    assert await page.evaluate("document.activeElement.localName") == "chat-inbox"
    narrow = await page.locator("chat-inbox").bounding_box()
    await site.answer("one")
    await site.answer("two")
    for _ in range(60):
        wide = await page.locator("chat-inbox").bounding_box()
        if wide and narrow and wide["width"] > narrow["width"]:
            break
        await page.wait_for_timeout(50)
    assert wide and narrow and wide["width"] > narrow["width"] + 10  # the badge stands there
    await page.keyboard.press("Enter")
    await expect(frame.locator(".cb-say", has_text="two")).to_be_visible()


async def test_the_talk_goes_on_after_a_reload_and_in_a_second_tab(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "remember me")
    await state(frame, "Sent").wait_for()
    await page.reload()
    frame = await open_box(page)
    await expect(frame.locator(".cb-say", has_text="remember me")).to_be_visible()
    second = await visit(f"{site.shop}/ash-cup", context=page.context)
    other = await open_box(second)
    await say(other, "from the second tab")
    await expect(frame.locator(".cb-say", has_text="second tab")).to_be_visible(timeout=3000)
    assert await count(site.inst, site.owner, "conversation") == 1


async def test_a_token_that_is_carried_to_another_site_opens_nothing_there(site: Site, visit: Visit) -> None:
    """A page of another site with the same box, whose owner has put the visitor's token into its own storage."""
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "for this site alone")
    await state(frame, "Sent").wait_for()
    name = f"chatinbox:{site.key}"
    token = await page.evaluate("name => localStorage.getItem(name)", name)
    assert token
    other = await visit(site.shop.replace("localhost", "127.0.0.1").rpartition("/shop/")[0] + "/elsewhere")
    answers: list[int] = []
    other.on("response", lambda answer: answers.append(answer.status) if "/messages" in answer.url else None)
    await other.evaluate("([name, token]) => localStorage.setItem(name, token)", [name, token])
    await other.reload()
    frame = await open_box(other)
    await expect(frame.locator("#hello")).to_be_visible()
    assert await frame.locator(".cb-say").count() == 0 and 401 in answers and 200 not in answers
    await page.reload()
    await expect((await open_box(page)).locator(".cb-say", has_text="for this site alone")).to_be_visible()


async def test_the_next_day_both_tabs_go_on_with_another_token_and_the_old_one_opens_nothing(
    site: Site, visit: Visit
) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "on the first day")
    await state(frame, "Sent").wait_for()
    ask = f"localStorage['chatinbox:{site.key}']"
    old = await page.evaluate(ask)
    second = await visit(f"{site.shop}/ash-cup", context=page.context)
    other = await open_box(second)
    with travel(timedelta(days=1)):
        await site.answer("on the second day")
        for one in (frame, other):
            await expect(one.locator(".cb-say", has_text="on the second day")).to_be_visible(timeout=5000)
        await say(other, "and from the second tab")
        await expect(frame.locator(".cb-say", has_text="second tab")).to_be_visible(timeout=5000)
        await say(frame, "and from the first")
        await expect(other.locator(".cb-say", has_text="from the first")).to_be_visible(timeout=5000)
        assert await page.evaluate(ask) != old
        heads = {"authorization": f"Bearer {old}", "x-chat-site": await page.evaluate("origin")}
        async with httpx.AsyncClient() as thief:
            answer = await thief.get(f"{site.public}/chat/{site.key}/messages", headers=heads)
        assert answer.status_code == 401
    assert await count(site.inst, site.owner, "conversation") == 1


async def test_what_is_written_offline_waits_and_is_sent_once(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "before")
    await state(frame, "Sent").wait_for()
    await page.context.set_offline(True)
    await say(frame, "in the tunnel")
    await expect(frame.locator("#strip")).to_contain_text("offline")
    await state(frame, "Waits").wait_for()
    await site.answer("while you were away")
    await page.context.set_offline(False)
    await expect(frame.locator(".cb-say", has_text="while you were away")).to_be_visible(timeout=10_000)
    await expect(frame.locator(".cb-state[data-is=waiting]")).to_have_count(0, timeout=10_000)
    await expect(frame.locator("#strip")).to_be_hidden()
    assert await count(site.inst, site.owner, "message") == 3


async def test_files_are_sent_and_too_large_ones_get_a_sentence(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    small = {"name": "crack.txt", "mimeType": "text/plain", "buffer": b"a crack"}
    await frame.locator("#files").set_input_files([small])  # type: ignore[list-item]
    await frame.locator("#send").click()
    await expect(frame.locator("a.file")).to_contain_text("crack.txt")
    [rows] = await site.inst.db.run(
        site.owner.account_id, ("select size from attachment where account_id = %s", [site.owner.account_id])
    )
    assert rows == [(7,)]
    await frame.evaluate(
        """() => {
          const goods = new DataTransfer();
          goods.items.add(new File([new Uint8Array(27000000)], 'film.mov'));
          words.dispatchEvent(new ClipboardEvent('paste', { clipboardData: goods, bubbles: true }));
        }"""
    )
    await expect(frame.locator("#tray")).to_contain_text("Too large")
    await frame.get_by_label("Remove film.mov").click()
    await expect(frame.locator("#tray")).to_be_hidden()


async def test_where_no_files_are_taken_the_box_offers_none_and_says_so_to_who_brings_one(
    site: Site, visit: Visit
) -> None:
    channel = await find_channel(site.inst, site.key)
    await set_takes(site.inst, site.owner, channel.id, [])
    look_again(site.key)
    page = await visit(site.shop)
    frame = await open_box(page)
    await expect(frame.locator("#attach")).to_be_hidden()
    small = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"words of a file"}
    await frame.locator("#files").set_input_files([small])  # type: ignore[list-item]
    await expect(frame.locator("#tray")).to_contain_text("No files are taken here.")
    await frame.locator("#words").fill("Without it")
    await frame.locator("#send").click()
    await expect(frame.locator("#log")).to_contain_text("Without it")
    await expect(frame.locator("#tray")).to_be_hidden()
    assert await count(site.inst, site.owner, "attachment") == 0


async def test_a_visitor_who_must_go_leaves_an_address(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await expect(frame.locator("#mail")).to_be_hidden()
    await say(frame, "hello")
    await frame.locator("#address").fill("not an address")
    await frame.locator("#address").press("Enter")
    await expect(frame.locator("#mail-note")).to_contain_text("whole address")
    await frame.locator("#address").fill("layla@example.dk")
    await frame.locator("#address").press("Enter")
    await expect(frame.locator("#quiet")).to_contain_text("layla@example.dk")
    await expect(frame.locator("#mail")).to_be_hidden()


async def test_it_works_on_the_strictest_site_and_follows_its_theme_and_direction(
    site: Site, visit: Visit
) -> None:
    page = await visit(site.strict)
    await page.evaluate(
        "document.documentElement.style.background = '#111'; document.documentElement.dir = 'rtl'"
    )
    frame = await open_box(page)
    await say(frame, "strict")
    await state(frame, "Sent").wait_for()
    assert page.faults == []  # type: ignore[attr-defined]
    assert await frame.evaluate("document.documentElement.dataset.theme + document.dir") == "darkrtl"
    box = await frame.locator(".cb").evaluate("node => getComputedStyle(node).backgroundColor")
    assert "0.2" in box  # a dark sheet
    place = await (await frame.frame_element()).bounding_box()
    assert place and place["x"] < 40  # at the end of the line, which is the left here


async def test_on_a_phone_it_fills_the_screen_and_does_not_zoom(site: Site, visit: Visit) -> None:
    page = await visit(site.shop, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    frame = await open_box(page)
    await page.wait_for_timeout(300)  # it floats in
    place = await (await frame.frame_element()).bounding_box()
    assert place and (place["x"], place["y"], place["width"], place["height"]) == (0, 0, 390, 844)
    sizes = await frame.evaluate(
        "[...document.querySelectorAll('input,textarea')].map(n => getComputedStyle(n).fontSize)"
    )
    assert {float(size[:-2]) for size in sizes} >= {16.0}
    small = await frame.evaluate(
        "[...document.querySelectorAll('button:not([hidden])')].filter(n => n.offsetWidth && n.offsetHeight < 24).length"
    )
    assert small == 0


async def test_the_box_is_readable_without_seeing_it(site: Site, visit: Visit) -> None:
    page = await visit(site.shop)
    frame = await open_box(page)
    await say(frame, "hello")
    assert await frame.locator("#log").get_attribute("role") == "log"
    unnamed = await frame.evaluate(
        """[...document.querySelectorAll('button, input:not([hidden]), textarea')].filter(n => n.offsetWidth
          && !(n.ariaLabel || n.textContent.trim() || n.labels?.length)).length"""
    )
    assert unnamed == 0
    assert await (await frame.frame_element()).get_attribute("title") == "Halden Ceramics"


async def test_from_when_somebody_answers_is_said_in_the_visitors_own_time(
    site: Site, visit: Visit, inst: Installation
) -> None:
    opens = (now() + timedelta(hours=30)).replace(minute=0)
    week = tuple((f"{opens:%H:%M}", "23:59") if day == opens.weekday() else None for day in range(7))
    await set_answering(inst, site.owner, "English", OpeningHours("UTC", week))
    for zone in ("Asia/Tokyo", "America/Lima"):
        page = await visit(site.shop, timezone_id=zone)
        frame = await open_box(page)
        there = opens.astimezone(ZoneInfo(zone))
        await expect(frame.locator("#quiet")).to_contain_text(
            re.compile(f"We answer from {there:%A}.*{there:%H:%M}")
        )
        await expect(frame.locator("#hello")).to_contain_text("We answer in English.")
