"""Somebody who is invited and has no password is offered what they have, comes back to the invitation, and joins."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from chatinbox.accounts import invite, passkeys, people, sessions
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.factors import Factors
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser, People
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.entrance import invitation
from chatinbox.web.tests.second_factor import code, step_in, with_app
from chatinbox.web.tests.test_passkeys_in_browser import (
    Site,
    Visitor,
    sign_in,
    signed_up,
    site,  # noqa: F401
    visitor,  # noqa: F401
)
from journeys.chromium import needs_chromium

NewBrowser = Callable[[], Browser]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("by_name", "by_place"):
        monkeypatch.setattr(forms, name, Throttle(1000, 600))


async def without_a_password(inst: Installation, owner: Staff) -> Staff:
    """A colleague as a company's provider makes them."""
    email = f"p{new_id().hex[-12:]}@staff.example"
    person_id = await people.add_person(inst, "Eva", email, None, confirmed=True)
    assert person_id
    return await join(inst, owner.account_id, person_id, "staff")


async def invited(inst: Installation, by: Staff, staff: Staff) -> str:
    email = (await people.read_person(inst, staff.person_id)).email
    return urlsplit(await invite.invite(inst, by, email, "viewer")).path


def has(monkeypatch: pytest.MonkeyPatch, factors: Factors) -> None:
    async def found(*_: object) -> Factors:
        return factors

    monkeypatch.setattr(invitation, "read_factors", found)
    monkeypatch.setattr(passkeys, "are_possible", lambda _inst: True)


async def test_who_comes_by_their_company_alone_is_told_to_choose_a_password_and_joins_with_it(
    inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    eva = await without_a_password(inst, cyd)
    path, browser = await invited(inst, ada, eva), new_browser()
    page = (await browser.get(path)).text
    assert "choose a password first" in page and 'type="password"' not in page
    assert "own sign-in" not in page
    browser.cookies.set("session", await sessions.start(inst, eva, "tests", proven_elsewhere=True))
    page = (await browser.get(path)).text
    assert "good for its account alone, so you cannot join" in page and "choose a password first" in page
    refused = await browser.post(path, data={"do": "join"})
    assert refused.status_code == 403 and "Sign in another way to join" in refused.text
    guessed = await browser.post(path, data={"password": PASSWORD})
    assert guessed.status_code == 403 and "without a password" in guessed.text
    email = (await people.read_person(inst, eva.person_id)).email
    assert f'action="/reset"><input type="hidden" name="email" value="{email}"' in page
    await browser.post("/reset", data={"email": email})
    await forms.settle()
    [letter] = [one for one in await list_kept(inst, eva) if "/reset/" in one.text]
    link = urlsplit(next(word for word in letter.text.split() if "/reset/" in word)).path
    assert (await browser.post(link, data={"password": PASSWORD})).status_code == 303
    assert "use its password" in (await browser.get(path)).text
    assert (await browser.post(path, data={"password": PASSWORD})).headers["location"] == "/inbox"
    assert ada.account_id in dict(await people.works_in(inst, eva.person_id))
    assert ada.account_id not in dict(await people.works_in(inst, cyd.person_id))


async def test_signing_in_from_the_invitation_leads_back_to_it_and_joins(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    path = await invited(inst, ada, cyd)
    back, browser = f"/sign-in?invitation={path.rsplit('/', 1)[1]}", await new_browser().as_(bea)
    assert back in (await browser.get(path)).text
    page = await browser.get(back)  # though they are signed in as somebody else
    assert page.status_code == 200 and "you come back to the invitation" in page.text
    assert f"/sign-in/company{back.removeprefix('/sign-in')}" in page.text
    secret, _ = await with_app(inst, cyd)
    email = (await people.read_person(inst, cyd.person_id)).email
    half = await browser.post(back, data={"email": email, "password": PASSWORD})
    assert f'action="{back}"' in half.text
    answer = await browser.post(back, data={"do": "second", "step": step_in(half), "code": code(secret)})
    assert answer.headers["location"] == path
    assert "Join as Cyd" in (await browser.get(path)).text
    assert (await browser.post(path, data={"do": "join"})).headers["location"] == "/inbox"
    assert ada.account_id in dict(await people.works_in(inst, cyd.person_id))


@pytest.mark.parametrize(
    "wrong", ["//evil.example/aaaaaaaaaaaaaaaaaaaa", "x", "a" * 65, "aaaaaaaaaaaaaaaaaaaaaaaa/../x", ""]
)
async def test_nobody_is_sent_anywhere_else(
    inst: Installation, ada: Staff, new_browser: NewBrowser, wrong: str
) -> None:
    browser = new_browser()
    email = (await people.read_person(inst, ada.person_id)).email
    answer = await browser.post(
        "/sign-in", params={"invitation": wrong}, data={"email": email, "password": PASSWORD}
    )
    assert answer.headers["location"] == "/inbox"


async def test_the_sign_in_says_nothing_of_an_invitation_that_is_none(
    inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    token = (await invited(inst, ada, cyd)).rsplit("/", 1)[1]
    made_up = "B" * len(token)
    pages = [(await new_browser().get(f"/sign-in?invitation={one}")).text for one in (token, made_up)]
    assert pages[0].replace(token, made_up).count(made_up) == pages[1].count(made_up) > 0
    assert len(pages[0]) == len(pages[1])


async def test_what_somebody_has_is_said_to_who_holds_the_link_and_to_nobody_else(
    inst: Installation,
    people: People,
    ada: Staff,
    cyd: Staff,
    new_browser: NewBrowser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = await invited(inst, ada, cyd)
    has(monkeypatch, Factors(False, False, 1, 0))
    page = (await new_browser().get(path)).text
    assert "with a passkey instead of a password" in page and "Sign in to join" in page
    stranger = await invite.invite(inst, ada, f"p{new_id().hex[-12:]}@staff.example", "viewer")
    assert "Full name" in (await new_browser().get(urlsplit(stranger).path)).text
    for email in ("cyd", "nobody"):
        known = f"{email}.{new_id().hex}@staff.example"
        listed = await (await new_browser().as_(ada)).post(
            "/settings/people", data={"do": "invite", "email": known, "role": "viewer"}
        )
        assert "passkey" not in listed.text and "has a sign-in" not in listed.text


@needs_chromium
@pytest.mark.parametrize("width", [1280, 320])
async def test_with_a_passkey_one_signs_in_comes_back_and_joins_on_a_phone_too(
    site: Site,  # noqa: F811
    visitor: Visitor,  # noqa: F811
    people: People,
    width: int,
) -> None:
    inst, page = site.inst, visitor.page
    owner, other = await people.owner("Owner", "Owner's"), await people.owner("Other", "Other's")
    eva = await without_a_password(inst, other)
    await page.set_viewport_size({"width": width, "height": 800})
    url = f"{site.url}{await invited(inst, owner, eva)}"

    async def is_fine() -> None:
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0
        found = (await Axe().run(page)).response["violations"]
        assert found == [], [(one["id"], one["nodes"][0]["html"]) for one in found]

    await page.goto(url)
    await expect(page.get_by_role("button", name="Send me a letter")).to_be_visible()
    await is_fine()
    await signed_up(site, visitor, eva)
    token = await sessions.start(inst, eva, "tests", proven_elsewhere=True)
    await page.context.add_cookies([{"name": "session", "value": token, "url": site.url}])
    await page.goto(url)
    await expect(page.get_by_text("so you cannot join another with it")).to_be_visible()
    await is_fine()
    await page.get_by_role("button", name="Sign in to join").click()
    await expect(page.get_by_text("you come back to the invitation")).to_be_visible()
    await is_fine()
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("button", name="Join as Eva").click()
    await page.wait_for_url(f"{site.url}/inbox**")
    assert {one for one, _ in await invite.people.works_in(inst, eva.person_id)} == {
        owner.account_id,
        other.account_id,
    }
    await sign_in(site, page, other)
    await page.goto(url)
    await expect(page.get_by_text("has been used")).to_be_visible()
