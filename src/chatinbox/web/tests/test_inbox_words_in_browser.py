"""The inbox's words in a real Chromium: formatting that is typed, and times that are typed."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from chatinbox.web.assets import UI
from journeys.chromium import needs_chromium

pytestmark = needs_chromium
# Tuesday 24 November 2026, 10:12 in Copenhagen.
NOW = "new Date(2026, 10, 24, 10, 12)"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(timezone_id="Europe/Copenhagen", locale="en-GB")
    yield await context.new_page()


async def call(page: Page, module: str, words: str) -> Any:
    """What an expression over a module `m` of the inbox gives."""
    source = base64.b64encode((UI / "js" / "inbox" / module).read_bytes()).decode()
    return await page.evaluate(f"import('data:text/javascript;base64,{source}').then((m) => {words})")


async def html(page: Page, text: str) -> Any:
    return await call(page, "markup.js", f"m.toHtml({json.dumps(text)})")


async def plain(page: Page, text: str) -> Any:
    return await call(page, "markup.js", f"m.toPlain({json.dumps(text)})")


async def test_plain_words_stay_plain(page: Page) -> None:
    for text in (
        "Hello Layla,\n\nsee you.",
        "2 * 3 * 4 = 24",
        "snake_case_name and file_name.txt",
        "https://a.example/x_y_z",
    ):
        assert await html(page, text) is None, text
        assert await plain(page, text) == text


async def test_marks_become_tags_and_leave_no_trace_in_plain_words(page: Page) -> None:
    text = (
        "This is **bold**, *slanted* and `code`.\n\n- one\n- two\n\n[our shop](https://halden.example/shop)"
    )
    assert await html(page, text) == (
        "<p>This is <b>bold</b>, <i>slanted</i> and <code>code</code>.</p>"
        "<ul><li>one</li><li>two</li></ul>"
        '<p><a href="https://halden.example/shop">our shop</a></p>'
    )
    assert await plain(page, text) == (
        "This is bold, slanted and code.\n\n- one\n- two\n\nour shop (https://halden.example/shop)"
    )


async def test_nothing_typed_becomes_a_tag_by_itself(page: Page) -> None:
    text = '**<img src=x onerror=alert(1)>** & "quotes" [x](javascript:alert(1)) [y](https://a.example/"onmouseover=1)'
    found = await html(page, text)
    assert "<img" not in found
    assert "&lt;img" in found
    assert 'href="javascript' not in found
    assert '"onmouseover' not in found


async def test_code_between_fences_is_kept_as_it_is(page: Page) -> None:
    text = "Look:\n```\nGET /a **b**\n{ }\n```"
    assert await html(page, text) == "<p>Look:</p><pre>GET /a **b**\n{ }</pre>"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fri 9", "2026-11-27 09:00"),
        ("friday 14:30", "2026-11-27 14:30"),
        ("tue 9", "2026-12-01 09:00"),
        ("tomorrow", "2026-11-25 08:00"),
        ("tomorrow 17:15", "2026-11-25 17:15"),
        ("15:00", "2026-11-24 15:00"),
        ("9", "2026-11-25 09:00"),
        ("3 pm", "2026-11-24 15:00"),
        ("in 3 days", "2026-11-27 08:00"),
        ("2h", "2026-11-24 12:12"),
        ("1 dec", "2026-12-01 08:00"),
        ("dec 1 10:30", "2026-12-01 10:30"),
        ("3 jan", "2027-01-03 08:00"),
        ("next week", "2026-11-30 08:00"),
    ],
)
async def test_a_typed_time_is_the_one_that_was_meant(page: Page, words: str, expected: str) -> None:
    found = await call(
        page,
        "snooze_times.js",
        f"new Date(m.readTime({json.dumps(words)}, {NOW})).toLocaleString('sv-SE').slice(0, 16)",
    )
    assert found == expected


async def test_what_is_no_time_to_come_is_none(page: Page) -> None:
    for words in ("", "soonish", "today 9", "32 foo", "1 dec 2020", "glaze"):
        assert await call(page, "snooze_times.js", f"m.readTime({json.dumps(words)}, {NOW})") is None, words


async def test_every_proposed_time_is_still_to_come(page: Page) -> None:
    for hour in (0, 4, 9, 18, 23):
        now = f"new Date(2026, 10, 24, {hour}, 30)"
        assert await call(
            page, "snooze_times.js", f"m.proposals({now}).every((one) => one.until > {now}.getTime())"
        ), hour
