"""What tests of the operator's consoles stand on: whose account the operator's is, and browsers of whoever comes there."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.conftest import OPERATOR
from chatinbox.conversations.channels import read_channels
from chatinbox.core.installation import Installation

Open = Callable[[Staff | None], Awaitable[httpx.AsyncClient]]


async def operated_by(inst: Installation, owner: Staff) -> Installation:
    """The installation, where an account is the operator's own."""
    [address] = [
        str(one.address) for one in await read_channels(inst, owner.account_id) if one.kind == "email"
    ]
    return replace(inst, settings=replace(inst.settings, website=True, website_channel=address, **OPERATOR))


@pytest.fixture
async def opened(inst: Installation, house: App) -> AsyncIterator[Open]:
    """Opens browsers that share nothing, signed in or not."""
    browsers: list[httpx.AsyncClient] = []

    async def open_one(staff: Staff | None) -> httpx.AsyncClient:
        browser = httpx.AsyncClient(transport=httpx.ASGITransport(house), base_url="http://127.0.0.1:8000")
        browsers.append(browser)
        if staff:
            browser.cookies.set("session", await sessions.start(inst, staff, "tests"))
        return browser

    yield open_one
    for browser in browsers:
        await browser.aclose()


def about(page: str, what: str) -> dict[str, str]:
    """The fields of the form behind a button."""
    [form] = [one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'value="{what}"' in one]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) | {"do": what}
