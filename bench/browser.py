"""The next conversation, key to screen, in a real Chromium: from the key's own time to the frame in which it is drawn,
as the app marks it (`open-conversation`), while a person reads a moment between two keys.
"""

from journeys.chromium import CHROMIUM, launched


async def next_conversation(url: str, cookie: str, count: int) -> list[float] | None:
    """Milliseconds for each of `count` steps through the list, sorted; None without a browser."""
    if CHROMIUM is None:
        return None
    async with launched() as browser:
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies([{"name": "session", "value": cookie, "url": url}])
        page = await context.new_page()
        await page.goto(f"{url}/inbox/all")
        await page.locator(".row").first.wait_for()
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_timeout(500)
        for _ in range(count + 2):
            await page.keyboard.press("j")
            await page.wait_for_timeout(250)
        read = "performance.getEntriesByName('open-conversation').map((one) => one.duration)"
        times: list[float] = await page.evaluate(read)
    return sorted(times[2:])  # the first two are not prefetched: nobody knew where the reader would begin
