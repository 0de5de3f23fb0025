"""A real Chromium for tests and the bench: Debian's, or the one that CHATINBOX_CHROMIUM names."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Frame, Page, async_playwright, expect

CHROMIUM = (
    os.environ.get("CHATINBOX_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
NONE_HERE = "SKIPPED LOUDLY: no Chromium here; apt-get install chromium"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=NONE_HERE)
_FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """The browser, while the block runs."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def open_box(page: Page) -> Frame:
    """Presses the chat box's launcher (its root is closed, so by place) and waits for the box."""
    at = await page.locator("chat-inbox").bounding_box()
    assert at
    await page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    for _ in range(100):
        frames = [frame for frame in page.frames if frame.url.endswith("/frame")]
        if frames:
            await expect(frames[0].locator("#words")).to_be_focused()
            return frames[0]
        await page.wait_for_timeout(50)
    raise AssertionError("the box did not open")
