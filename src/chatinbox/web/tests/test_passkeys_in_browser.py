"""Passkeys in a real Chromium with a virtual authenticator: added, used alone, used as second step, used as proof."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
import segno
import uvicorn
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from chatinbox.accounts import authenticator, passkeys, people, sessions
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.links import make_link
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import OPERATOR, PASSWORD
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.links import SignedLinks
from chatinbox.web import forms
from journeys.chromium import needs_chromium

pytestmark = needs_chromium


@dataclass
class Site:
    inst: Installation
    url: str


@pytest.fixture
async def site(inst: Installation) -> AsyncIterator[Site]:
    """An installation under a name, as passkeys want it."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    public, second = f"http://localhost:{port}", f"http://127.0.0.1:{port}"
    settings = replace(inst.settings, public_url=public, files_url=second, **OPERATOR)
    house = replace(inst, settings=settings, links=SignedLinks(inst.vault, second))
    server = uvicorn.Server(uvicorn.Config(App(house), log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield Site(house, public)
    server.should_exit = server.force_exit = True
    await running


@dataclass
class Visitor:
    """A browser with an authenticator that is as good as a phone's."""

    page: Page
    key: CDPSession
    authenticator_id: str
    faults: list[str]

    async def credentials(self) -> list[dict[str, Any]]:
        told = await self.key.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator_id})
        return list(told["credentials"])

    async def verifies(self, right: bool) -> None:
        words = {"authenticatorId": self.authenticator_id, "isUserVerified": right}
        await self.key.send("WebAuthn.setUserVerified", words)


@pytest.fixture
async def visitor(chromium: Browser) -> AsyncIterator[Visitor]:
    context = await chromium.new_context()
    yield await equip(context)
    await context.close()


async def equip(context: BrowserContext, *, in_the_field: bool = False) -> Visitor:
    """`in_the_field`: the browser offers passkeys where the address is typed. This authenticator takes up every offer at once,
    so elsewhere the browser is one that does not know how to.
    """
    page = await context.new_page()
    if not in_the_field:
        await page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    key = await context.new_cdp_session(page)
    await key.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    told = await key.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Visitor(page, key, told["authenticatorId"], faults)


async def sign_in(site: Site, page: Page, staff: Staff) -> None:
    token = await sessions.start(site.inst, staff, "tests")
    await page.context.add_cookies([{"name": "session", "value": token, "url": site.url}])


async def add_passkey(site: Site, visitor: Visitor, name: str) -> None:
    await visitor.page.goto(f"{site.url}/settings/security")
    await visitor.page.get_by_label("Name of the passkey").fill(name)
    await visitor.page.get_by_role("button", name="Add a passkey").click()


async def signed_up(site: Site, visitor: Visitor, staff: Staff) -> None:
    """Somebody with one passkey, signed out again."""
    await sign_in(site, visitor.page, staff)
    await add_passkey(site, visitor, "phone")
    await expect(visitor.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    await visitor.page.context.clear_cookies()


async def test_a_passkey_is_added_opens_the_sign_in_alone_and_is_told_by_letter(
    site: Site, visitor: Visitor, ada: Staff, cyd: Staff
) -> None:
    page = visitor.page
    await signed_up(site, visitor, ada)
    assert [one.name for one in await passkeys.read(site.inst, ada.person_id)] == ["phone"]
    assert await passkeys.read(site.inst, cyd.person_id) == []
    letters = [one.header("subject") for one in await list_kept(site.inst, ada)]
    assert "A passkey was added" in letters and await list_kept(site.inst, cyd) == []
    await page.goto(f"{site.url}/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(f"{site.url}/inbox**")
    [used] = await passkeys.read(site.inst, ada.person_id)
    assert used.used_at is not None
    assert visitor.faults == []


async def test_somebody_signs_up_without_a_password_and_begins_with_a_passkey(
    site: Site, visitor: Visitor, cyd: Staff
) -> None:
    inst, page, email = site.inst, visitor.page, f"nora.{new_id().hex[-12:]}@staff.example"
    await page.goto(f"{site.url}/sign-up")
    for label, words in (("Full name", "Nora"), ("Work e-mail", email), ("Company", "Nora's Nuts")):
        await page.get_by_label(label).fill(words)
    await page.get_by_role("button", name="Open it with a passkey").click()
    await expect(page.get_by_role("heading", name="Look into your letters")).to_be_visible()
    await forms.settle()
    person_id = await people.find_person(inst, email)
    assert person_id
    [(account_id, own_id)] = await people.works_in(inst, person_id)
    nora = await sessions.read_active(inst, account_id, own_id, person_id)
    assert nora and nora.role == "owner"
    [letter] = await list_kept(inst, nora)
    link = next(word for word in letter.text.split() if "/confirm/" in word)
    await page.goto(link)
    await page.get_by_role("button", name="Make a passkey and begin").click()
    await page.wait_for_url(f"{site.url}/inbox**")
    assert [one.name for one in await passkeys.read(inst, person_id)] == ["My first passkey"]
    assert not (await read_factors(inst, person_id)).has_password
    assert visitor.faults == []
    await page.context.clear_cookies()
    await page.goto(link)
    await expect(page.get_by_text("has been used")).to_be_visible()
    await page.goto(f"{site.url}/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(f"{site.url}/inbox**")
    assert await passkeys.read(inst, cyd.person_id) == [] == await list_kept(inst, cyd)


async def begun(site: Site, outsider: httpx.AsyncClient, **more: str) -> tuple[UUID, str]:
    """Somebody who signed up, and the path of the link they got."""
    inst, email = site.inst, f"nora.{new_id().hex[-12:]}@staff.example"
    form = {"name": "Nora", "email": email, "company": "Nora's Nuts"} | more
    assert (await outsider.post("/sign-up", data=form)).status_code == 200
    await forms.settle()
    person_id = await people.find_person(inst, email)
    assert person_id
    return person_id, f"/confirm/{await make_link(inst, 'confirm', person_id)}"


async def test_only_who_has_no_way_to_sign_in_chooses_one_with_the_letter(site: Site, ada: Staff) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers={"origin": site.url}) as outsider:
        nora, path = await begun(site, outsider, passkey="on")
        opened = await outsider.get(path)
        assert "Make a passkey and begin" in opened.text
        for wrong in (
            {"do": "passkey", "challenge": "made up", "answer": "{}"},
            {"do": "password", "password": "short"},
            {"password": ""},
            {},
        ):
            assert (await outsider.post(path, data=wrong)).status_code == 422
        assert "session" not in outsider.cookies and await passkeys.read(site.inst, nora) == []
        right = {"do": "password", "password": PASSWORD + " of Nora's"}
        assert (await outsider.post(path, data=right)).headers["location"] == "/inbox"
        assert (await outsider.post(path, data=right)).status_code == 410
        # Who signed up with a password is asked for it, whatever a form says: the letter alone opens nothing.
        outsider.cookies.clear()
        other, path = await begun(site, outsider, password=PASSWORD + " of another")
        challenge = (await passkeys.ask_to_add(site.inst, await people.read_person(site.inst, other))).token
        for wrong in ({"do": "passkey", "challenge": challenge, "answer": "{}"}, right):
            assert (await outsider.post(path, data=wrong)).status_code == 410
        assert "Confirm your address" in (await outsider.get(path)).text
        assert "session" not in outsider.cookies and await passkeys.read(site.inst, other) == []
        known = (await people.read_person(site.inst, ada.person_id)).email
        form = {"name": "N", "company": "C", "passkey": "on"}
        told = [
            await outsider.post("/sign-up", data=form | {"email": email})
            for email in (known, f"unknown.{new_id().hex[-12:]}@staff.example")
        ]
        await forms.settle()
        assert told[0].content == told[1].content and {one.status_code for one in told} == {200}


async def test_where_passkeys_are_not_possible_none_is_offered_and_a_password_is_asked_for(
    guest: Callable[[], httpx.AsyncClient],
) -> None:
    client = guest()
    assert "with a passkey" not in (await client.get("/sign-up")).text
    form = {"name": "N", "company": "C", "email": "n@staff.example", "passkey": "on"}
    assert (await client.post("/sign-up", data=form)).status_code == 422


async def test_after_the_password_the_passkey_is_the_second_step(
    site: Site, visitor: Visitor, ada: Staff
) -> None:
    await signed_up(site, visitor, ada)
    page, email = visitor.page, (await people.read_person(site.inst, ada.person_id)).email
    await page.goto(f"{site.url}/sign-in")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.goto(f"{site.url}/inbox")
    assert page.url.endswith("/sign-in")  # the password alone opened nothing
    await page.goto(f"{site.url}/sign-in")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(f"{site.url}/inbox**")


async def test_a_passkey_that_does_not_see_who_holds_it_opens_nothing(
    site: Site, visitor: Visitor, ada: Staff
) -> None:
    await signed_up(site, visitor, ada)
    await visitor.verifies(False)
    await visitor.page.goto(f"{site.url}/sign-in")
    await visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(visitor.page.get_by_role("alert")).to_be_visible()
    await visitor.page.goto(f"{site.url}/inbox")
    assert visitor.page.url.endswith("/sign-in")


async def test_the_same_answer_sent_twice_a_copied_key_and_anothers_page_open_nothing(
    site: Site, visitor: Visitor, ada: Staff, cyd: Staff
) -> None:
    await signed_up(site, visitor, ada)
    [credential] = await visitor.credentials()
    sent: list[str] = []
    visitor.page.on("request", lambda one: sent.append(one.post_data or "") if one.method == "POST" else None)
    await visitor.page.goto(f"{site.url}/sign-in")
    await visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    await visitor.page.wait_for_url(f"{site.url}/inbox**")
    form = {name: values[0] for name, values in parse_qs(sent[0]).items()}
    async with httpx.AsyncClient(base_url=site.url) as thief:
        again = await thief.post("/sign-in", data=form)
        assert again.status_code == 422 and "did not open anything" in again.text
        tampered = json.loads(form["answer"])
        tampered["response"]["signature"] = tampered["response"]["signature"][::-1]
        fresh = (await passkeys.ask(site.inst, "open")).token
        for answer in (json.dumps(tampered), "{}", "[" * 5000, form["answer"]):
            wrong = await thief.post("/sign-in", data=form | {"challenge": fresh, "answer": answer})
            assert wrong.status_code == 422 and not wrong.cookies
    # A copy of the key on another machine: its counter is behind.
    await visitor.page.context.clear_cookies()
    copied = {"authenticatorId": visitor.authenticator_id}
    await visitor.key.send("WebAuthn.clearCredentials", copied)
    await visitor.key.send("WebAuthn.addCredential", copied | {"credential": credential})
    await visitor.page.goto(f"{site.url}/sign-in")
    await visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(visitor.page.get_by_text("did not open anything")).to_be_visible()


async def test_a_passkey_proves_again_who_one_is_and_goes_on_with_what_was_typed(
    site: Site, visitor: Visitor, ada: Staff
) -> None:
    page = visitor.page
    await sign_in(site, page, ada)
    await add_passkey(site, visitor, "phone")
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    [session] = await sessions.list_sessions(site.inst, ada.person_id)
    long_ago = now() - timedelta(minutes=16)
    await site.inst.db.directory("select directory.prove_session(%s, %s)", [session.id, long_ago])
    sessions._known.clear()
    await page.goto(f"{site.url}/settings/security")
    await page.get_by_role("button", name="Make new codes").click()
    await expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    await page.get_by_role("button", name="With a passkey").click()
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert visitor.faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_picture_to_scan_is_drawn_as_a_camera_needs_it(
    site: Site, visitor: Visitor, ada: Staff, theme: Any
) -> None:
    page = visitor.page
    await sign_in(site, page, ada)
    await page.emulate_media(color_scheme=theme)
    await page.goto(f"{site.url}/settings/security")
    await page.get_by_role("button", name="Set it up").click()
    secret = (await page.locator(".code code").inner_text()).replace(" ", "")
    person = await people.read_person(site.inst, ada.person_id)
    expected = segno.make(authenticator.address(person, secret), error="m")
    picture = Image.open(io.BytesIO(await page.locator("svg.qr").screenshot())).convert("L")
    rows = [list(row) for row in expected.matrix_iter(border=3)]
    size, wrong = len(rows), 0
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            at = ((x + 0.5) * picture.width / size, (y + 0.5) * picture.height / size)
            wrong += (picture.getpixel((int(at[0]), int(at[1]))) < 128) != bool(dark)
    assert size > 30 and wrong == 0
    assert visitor.faults == []  # no style was refused by the policy


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_these_pages_are_for_everybody_and_fit_a_narrow_phone(
    site: Site, visitor: Visitor, ada: Staff, theme: Any
) -> None:
    page = visitor.page
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")

    async def is_fine(where: str) -> None:
        for width in (1280, 320):
            await page.set_viewport_size({"width": width, "height": 800})
            over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{where} is {over} pixels too wide at {width}"
            found = (await Axe().run(page)).response["violations"]
            assert found == [], f"{where}: {[(one['id'], one['nodes'][0]['html']) for one in found]}"

    await page.goto(f"{site.url}/sign-in")
    await is_fine("sign-in")
    await sign_in(site, page, ada)
    await page.goto(f"{site.url}/settings/security")
    await page.get_by_role("button", name="Set it up").click()
    await expect(page.get_by_role("heading", name="Set up the authenticator app")).to_be_visible()
    await is_fine("scan")
    await add_passkey(site, visitor, "phone")
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    await is_fine("codes")
    for name in ("security", "sign-in-rules"):
        await page.goto(f"{site.url}/settings/{name}")
        await is_fine(name)
    await page.context.clear_cookies()
    await page.goto(f"{site.url}/sign-in")
    await page.get_by_label("E-mail").fill((await people.read_person(site.inst, ada.person_id)).email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await is_fine("second step")


async def test_without_scripts_the_page_signs_in_with_a_password(
    site: Site, chromium: Browser, ada: Staff
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/sign-in")
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await page.get_by_label("E-mail").fill((await people.read_person(site.inst, ada.person_id)).email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(f"{site.url}/inbox**")
    await context.close()


async def test_a_passkey_is_offered_where_the_address_is_typed_and_who_takes_it_is_signed_in(
    site: Site, chromium: Browser, ada: Staff, cyd: Staff
) -> None:
    context = await chromium.new_context()
    visitor = await equip(context, in_the_field=True)
    await signed_up(site, visitor, ada)
    await visitor.page.goto(f"{site.url}/sign-in")
    await visitor.page.wait_for_url("**/inbox**")
    assert visitor.faults == []
    other = await chromium.new_context()  # nobody else's browser has it
    stranger = await equip(other, in_the_field=True)
    await stranger.page.goto(f"{site.url}/sign-in")
    await stranger.page.wait_for_timeout(500)
    assert stranger.page.url.endswith("/sign-in")
    await expect(stranger.page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()
    assert not await stranger.page.locator("[role=alert]:visible").count()
    for one in (context, other):
        await one.close()
