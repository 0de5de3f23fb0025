"""Every public page in a real Chromium: asks nobody else, leaves nothing behind, and is for everybody (clauses C10, C29, C30)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, BrowserContext, Page

from chatinbox.app.wiring import build
from chatinbox.conftest import OPERATOR
from chatinbox.core.installation import Installation
from chatinbox.core.translation.language import languages
from chatinbox.web.site import frame
from journeys.chromium import needs_chromium

pytestmark = [needs_chromium, pytest.mark.browser]
AXE = AXE_FILE_PATH.read_text()
DESK, PHONE, NARROW = (1280, 800), (390, 844), (320, 640)
FIRST_VIEW = 60_000  # bytes on the wire
PATHS = [
    *frame.menu.paths(),
    "/nothing-is-here",
    "/contact",
    "/my-data",
    "/my-data/gone",
    "/wish",
    "/wish/gone",
]
TRANSLATED = [
    *[path for path in frame.menu.paths() if len(frame.menu.offered(path)) > 1],
    "/nothing-is-here",
    "/sign-in",
    "/sign-in/company",
    "/sign-up",
    "/reset",
    "/reset/gone",
    "/wish",
    "/my-data",
]
OTHERS = [code for code in languages() if code != "en"]


@pytest.fixture(scope="module")
async def origin(inst: Installation) -> AsyncIterator[str]:
    """The website on a port of its own."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    ours = f"http://127.0.0.1:{listening.getsockname()[1]}"
    where = {"public_url": ours, "files_url": ours}
    demo = replace(inst, settings=replace(inst.settings, website=True, sign_up="open", **where, **OPERATOR))
    app = await build(demo)
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield ours
    server.should_exit = True
    await serving


@asynccontextmanager
async def reader(chromium: Browser, size: tuple[int, int], **more: object) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]}, **more)  # type: ignore[arg-type]
    yield context
    await context.close()


async def whole(page: Page, address: str) -> None:
    """Opens a page and scrolls through it, so that what is lazy comes too."""
    await page.goto(address)
    for _ in range(14):
        await page.mouse.wheel(0, 700)
        await page.wait_for_timeout(15)
    await page.wait_for_load_state("networkidle")


async def test_a_crawl_asks_nobody_else_and_leaves_nothing_behind(chromium: Browser, origin: str) -> None:
    async with reader(chromium, DESK) as context:
        page, asked = await context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        for path in PATHS:
            await whole(page, origin + path)
            kept = await page.evaluate(
                "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length]"
            )
            assert kept == [0, 0, 0, 0], path
        assert len(asked) > len(PATHS) * 3
        assert [url for url in asked if not url.startswith(origin + "/")] == []
        assert await context.cookies() == []


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing_on_any_page(
    chromium: Browser, origin: str, look: str, size: tuple[int, int]
) -> None:
    found = []
    async with reader(chromium, size, color_scheme=look, bypass_csp=True) as context:
        page = await context.new_page()
        for path in PATHS:
            await page.goto(origin + path)
            await page.evaluate(AXE)
            told = await page.evaluate("async () => (await axe.run()).violations")
            found += [f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in told]
    assert found == []


@pytest.mark.parametrize("speaks", OTHERS)
@pytest.mark.parametrize(("look", "size"), [("dark", DESK), ("light", PHONE)], ids=["desktop", "phone"])
async def test_axe_finds_nothing_on_a_translated_page(
    chromium: Browser, origin: str, look: str, size: tuple[int, int], speaks: str
) -> None:
    found = []
    async with reader(chromium, size, color_scheme=look, bypass_csp=True, locale=speaks) as context:
        page = await context.new_page()
        for path in TRANSLATED:
            await page.goto(origin + path)
            assert await page.evaluate("document.documentElement.lang") == speaks, path
            await page.evaluate(AXE)
            told = await page.evaluate("async () => (await axe.run()).violations")
            found += [f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in told]
    assert found == []


async def test_the_language_is_changed_by_a_link_without_scripts_and_stays_so_from_page_to_page(
    chromium: Browser, origin: str
) -> None:
    async with reader(chromium, PHONE, java_script_enabled=False, locale="tlh") as context:
        page = await context.new_page()
        await page.goto(origin + "/")
        await page.get_by_role("navigation", name="Language").get_by_role("link", name="Deutsch").click()
        await page.get_by_role("navigation", name="Hauptmenü").get_by_role("link", name="Preise").click()
        assert "Preise" in await page.title()
        await page.get_by_role("navigation", name="Konto").get_by_role("link", name="Anmelden").click()
        await page.get_by_role("link", name="Passwort vergessen").click()
        await page.get_by_label("E-Mail-Adresse").fill("nobody@mail.example")
        await page.get_by_role("button", name="Link senden").click()
        assert "Sehen Sie in Ihr Postfach" in await page.title()
        await page.get_by_role("link", name="Zurück zur Anmeldung").click()
        await page.get_by_role("navigation", name="Sprache").get_by_role("link", name="English").click()
        assert "Welcome back" in await page.title() and await context.cookies() == []


@pytest.mark.parametrize(
    ("speaks", "paths"), [("en", PATHS), *((code, TRANSLATED) for code in OTHERS)], ids=languages()
)
async def test_nothing_scrolls_sideways_at_320_pixels_nor_with_text_twice_as_large(
    chromium: Browser, origin: str, speaks: str, paths: list[str]
) -> None:
    """WCAG 2.2 1.4.10: 320 pixels is also what 200 % leaves of a window of 640."""
    wide = []
    async with reader(chromium, NARROW, locale=speaks) as context:
        page = await context.new_page()
        for path in paths:
            await page.goto(origin + path)
            for size in ("100%", "200%"):
                await page.evaluate("size => document.documentElement.style.fontSize = size", size)
                if size == "200%":
                    await page.set_viewport_size({"width": 640, "height": 640})
                over = await page.evaluate(
                    "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                if over > 0:
                    wide.append(f"{path} at {size}: {over} pixels")
            await page.set_viewport_size({"width": 320, "height": 640})
    assert wide == []


@pytest.mark.parametrize("speaks", languages())
async def test_the_way_to_the_sign_in_and_up_stands_beside_the_name_on_a_phone(
    chromium: Browser, origin: str, speaks: str
) -> None:
    """Words are longer in some languages; on a phone of 360 pixels they still are one line."""
    async with reader(chromium, (360, 780), locale=speaks) as context:
        page = await context.new_page()
        for path in ("/", "/sign-in"):
            await page.goto(origin + path)
            top, bottom = await page.evaluate(
                "() => ['.head .logo', '.head .me'].map(one => document.querySelector(one).getBoundingClientRect())"
                ".map((box, at) => at ? box.top : box.bottom)"
            )
            assert bottom < top, path


async def test_pages_work_without_scripts_and_with_cookies_refused(chromium: Browser, origin: str) -> None:
    async with reader(chromium, PHONE, java_script_enabled=False) as context:
        await context.route("**/*", _without_cookies)
        page = await context.new_page()
        await page.goto(origin + "/")
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="Tour").click()
        assert "in pictures" in await page.title()
        await page.get_by_role("link", name="Status").click()
        assert "Unknown" in await page.inner_text("main")
        assert await context.cookies() == []


async def _without_cookies(route, request) -> None:  # type: ignore[no-untyped-def]
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    await route.continue_(headers=headers)


async def test_no_page_has_a_dead_link(chromium: Browser, origin: str) -> None:
    links: set[str] = set()
    async with reader(chromium, DESK, java_script_enabled=True) as context:
        page = await context.new_page()
        for path in PATHS:
            await page.goto(origin + path)
            links |= set(await page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)"))
        ours = sorted({link for link in links if link.startswith(origin) and not link.endswith("#main")})
        assert len(ours) > 8
        for link in ours:
            answer = await context.request.get(link.split("#")[0], headers={"accept": "text/html"})
            assert answer.status in (200, 303), link
            if "#" in link:
                await page.goto(link)
                assert await page.locator(f"[id='{link.split('#')[1]}']").count() == 1, link


async def test_the_first_view_is_light(chromium: Browser, origin: str) -> None:
    """At most 60 KB on the wire before anybody scrolls, as a desktop and as a phone."""
    for size in (DESK, PHONE):
        async with reader(chromium, size) as context:
            page = await context.new_page()
            devtools = await context.new_cdp_session(page)
            await devtools.send("Network.enable")
            weight: list[float] = []
            devtools.on(
                "Network.loadingFinished",
                lambda told, weight=weight: weight.append(told["encodedDataLength"]),
            )
            await page.goto(origin + "/")
            await page.wait_for_load_state("networkidle")
            assert len(weight) >= 4 and sum(weight) <= FIRST_VIEW, (size, weight)


async def test_the_signal_of_a_real_browser_is_heard(chromium: Browser, origin: str) -> None:
    async with reader(chromium, DESK, extra_http_headers={"Sec-GPC": "1"}) as context:
        page = await context.new_page()
        answer = await page.goto(origin + "/security")
        assert answer and answer.headers["tk"] == "N"
        assert "Your browser sent Global Privacy Control" in await page.inner_text("main")
    async with reader(chromium, DESK) as context:
        page = await context.new_page()
        await page.goto(origin + "/security")
        assert "Signal honoured" not in await page.inner_text("body")
