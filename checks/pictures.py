"""Takes the website's pictures anew from a running demo: `python checks/pictures.py` after a `bin/serve --demo --json`
whose ready line is given on standard input. Writes `ui/pictures/*.webp`, light and dark, and prints their weights.
"""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import BrowserContext, Page

from journeys.chromium import launched, open_box

PICTURES = Path("ui/pictures")
DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 780}
TALK = "Chipped glaze"  # the demo's conversation that has a note in it
FIRST = "inbox"  # seen at once, so also in a format that is lighter still


async def main() -> None:
    ready = json.loads(sys.stdin.readline())
    PICTURES.mkdir(exist_ok=True)
    async with launched() as browser:
        for look in ("light", "dark"):
            desk = await browser.new_context(viewport=DESK, color_scheme=look, reduced_motion="reduce")
            await _at_the_desk(desk, ready, look)
            await _at_the_shop(desk, ready, look)
            await desk.close()
            phone = await browser.new_context(
                viewport=PHONE, color_scheme=look, device_scale_factor=2, has_touch=True, is_mobile=True
            )
            await _on_the_phone(phone, ready, look)
            await phone.close()


async def _signed_in(context: BrowserContext, ready: dict[str, Any]) -> Page:
    page = await context.new_page()
    await page.goto(ready["url"] + "/sign-in")
    await page.fill("[name=email]", ready["sign_in"]["email"])
    await page.fill("[name=password]", ready["sign_in"]["password"])
    await page.click("main button")
    await page.wait_for_url("**/inbox**")
    await page.wait_for_selector(".row")
    await page.wait_for_timeout(1000)
    return page


async def _calm(page: Page) -> None:
    """Takes pictographs out of the words: a machine without a font for them would draw empty boxes."""
    await page.evaluate(
        r"""() => { const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (words.nextNode()) words.currentNode.data = words.currentNode.data.replace(/ ?\p{Extended_Pictographic}\uFE0F?/gu, (one) => /[0-9#*]/.test(one) ? one : "") }"""
    )


async def _at_the_desk(context: BrowserContext, ready: dict[str, Any], look: str) -> None:
    page = await _signed_in(context, ready)
    await page.locator(".row", has_text=TALK).first.click()
    await page.wait_for_timeout(1200)
    await _calm(page)
    shot = await page.screenshot()
    _keep("inbox", look, shot, width=1152)
    await page.set_viewport_size({"width": 1440, "height": 820})
    _keep("conversation", look, await page.locator("#conversation").screenshot(), width=760)


async def _at_the_shop(context: BrowserContext, ready: dict[str, Any], look: str) -> None:
    page = await context.new_page()
    await page.set_viewport_size({"width": 1100, "height": 760})
    await page.goto(ready["shop_url"])
    await page.wait_for_selector("chat-inbox")
    await open_box(page)
    await page.wait_for_timeout(800)
    _keep("chat", look, await page.screenshot(), width=900)


async def _on_the_phone(context: BrowserContext, ready: dict[str, Any], look: str) -> None:
    page = await _signed_in(context, ready)
    _keep("phone", look, await page.screenshot(), width=390)
    await page.locator(".row", has_text=TALK).first.tap()
    await page.wait_for_timeout(1200)
    await _calm(page)
    _keep("phone-conversation", look, await page.screenshot(), width=390)


def _keep(name: str, look: str, shot: bytes, width: int) -> None:
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    height = round(picture.height * width / picture.width)
    file = PICTURES / f"{name}-{look}.webp"
    small = picture.resize((width, height), Image.Resampling.LANCZOS) if picture.width != width else picture
    small.save(file, "WEBP", quality=66, method=6)
    if name == FIRST:
        small.save(file.with_suffix(".avif"), "AVIF", quality=38, speed=2)
    print(f"{file} {width}x{height} {file.stat().st_size / 1000:.1f} KB")


if __name__ == "__main__":
    asyncio.run(main())
