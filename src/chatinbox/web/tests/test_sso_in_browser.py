"""The way to a provider and back in a real Chromium: our policy lets it through, and our cookies come back with it."""

import asyncio
import base64
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from oidc_provider_mock import run_server_in_thread
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chatinbox.accounts.sso.connection import change_ways, connect, place
from chatinbox.accounts.sso.our_key import our_key
from chatinbox.accounts.sso.saml import checked_provider
from chatinbox.accounts.sso.saml_metadata import ours
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.core.egress import Egress
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_saml import Idp as SamlIdp
from chatinbox.web.tests.test_sso import Idp, member, with_company
from journeys.chromium import needs_chromium

pytestmark = needs_chromium


async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield
    server.should_exit = server.force_exit = True
    await running


@pytest.fixture
async def house(inst: Installation) -> AsyncIterator[Installation]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = replace(
        inst.settings, public_url=f"http://127.0.0.1:{listener.getsockname()[1]}", inside_targets=True
    )
    one = replace(inst, settings=settings, egress=Egress(inst.db, inst.vault, None, inside=True))
    async for _ in serving(App(one), listener):
        yield one


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    page = await chromium.new_page()
    yield page
    await page.close()


async def ask(page: Page, house: Installation, email: str) -> None:
    await page.goto(f"{house.settings.public_url}/sign-in")
    await page.click("text=Sign in with your company")
    await page.fill("[name=email]", email)
    await page.click("button:has-text('Go on')")


async def signed_in(page: Page, house: Installation) -> bool:
    await page.wait_for_url("**/inbox**")
    names = {cookie["name"] for cookie in await page.context.cookies(house.settings.public_url)}
    return "session" in names and "sso" not in names


async def test_by_openid_connect(house: Installation, ada: Staff, page: Page) -> None:
    with run_server_in_thread() as server:
        idp = Idp(f"http://localhost:{server.server_port}")
        domain = await with_company(house, idp, ada)
        await member(house, ada, f"eva@{domain}")
        async with httpx.AsyncClient() as there:
            await there.put(f"{idp.url}/users/eva", json={"email": f"eva@{domain}", "name": "Eva"})
        await ask(page, house, f"eva@{domain}")
        await page.fill("input[name=sub]", "eva")
        await page.press("input[name=sub]", "Enter")
        assert await signed_in(page, house)
        await change_ways(house, ada, f"{idp.url}/oauth2/end_session", signs=False, ends_there=True)
        await page.goto(f"{house.settings.public_url}/settings/profile")
        await page.click("button:has-text('Sign out')")
        await page.click("form[action*=confirm] button")  # the provider asks
        await page.wait_for_url("**/signed-out?state=*")
        assert "your company's sign-in knows it" in await page.inner_text("main")


@pytest.mark.skipif(
    shutil.which("xmlsec1") is None, reason="XMLSEC1 IS MISSING: install Debian's package xmlsec1"
)
async def test_by_saml_whose_form_comes_from_another_site(
    house: Installation, ada: Staff, page: Page, tmp_path: Path
) -> None:
    idp, oidc = SamlIdp(tmp_path), Idp("http://localhost:1")
    domain = await with_company(house, oidc, ada)
    await member(house, ada, f"eva@{domain}")

    async def sso(request: Request) -> Response:
        words = ours(house, ada.account_id, await our_key(house, ada.account_id), None)
        raw, relay = await asyncio.to_thread(idp.answer, words, str(request.url), f"eva@{domain}", "id-eva")
        assert parse_qs(urlsplit(str(request.url)).query)["RelayState"] == [relay]
        form = (
            f'<form method="post" action="{place(house, ada.account_id, "saml")}">'
            f'<input name="SAMLResponse" value="{base64.b64encode(raw).decode()}">'
            f'<input name="RelayState" value="{escape(relay)}"></form><script>document.forms[0].submit()</script>'
        )
        return HTMLResponse(form)

    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listener.getsockname()[1]}/sso"
    idp.sso_url = url
    await connect(house, ada, "saml", checked_provider(house, idp.entity_id, url, idp.cert.read_text()))
    async for _ in serving(Starlette(routes=[Route("/sso", sso)]), listener):
        await ask(page, house, f"eva@{domain}")
        assert await signed_in(page, house)
