"""The main story, as its people live it: a business opens an inbox, customers write, staff answer, all in a browser."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Frame, Locator, Page, expect

from chatinbox.accounts.sign_up import sign_up
from chatinbox.core import postgres
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.web.first_channels import open_first_channels
from journeys.chromium import open_box
from journeys.conftest import PASSWORD, House, Site, aside

pytestmark = pytest.mark.browser
OWNER, COLLEAGUE, OUTSIDER = "ada@pottery.example", "bea@pottery.example", "cyd@coffee.example"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@dataclass
class Story:
    """The installation of this story, its browser, and the owner's inbox."""

    house: House
    browser: Browser
    site: Site
    owner: Page
    mail_address: str
    contexts: list[BrowserContext]

    async def page(self, url: str, context: BrowserContext | None = None, **options: Any) -> Page:
        """A page in a browser profile of its own, or in a given one."""
        if context is None:
            options = {"viewport": {"width": 1440, "height": 900}, **options}
            context = await self.browser.new_context(**options)
            context.set_default_timeout(8000)
            self.contexts.append(context)
        page = await context.new_page()
        watch(page)
        await page.goto(url)
        return page

    async def sign_in(self, email: str, **options: Any) -> Page:
        """Somebody's inbox, by the sign-in page."""
        page = await self.page(f"{self.house.url}/sign-in", **options)
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.locator("#app[data-state=live]").wait_for()
        return page

    async def letter(self, subject: str, text: str, sender: str, **more: str) -> str:
        """A customer's e-mail; its Message-ID."""
        return str(
            await aside(
                self.house.send_mail, sender, more.pop("to", self.mail_address), subject, text, **more
            )
        )


def watch(page: Page) -> None:
    """Collects what the browser complains of."""
    faults: list[str] = []
    page.faults = faults  # type: ignore[attr-defined]
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)


def row(page: Page, words: str) -> Locator:
    """The row of the list in which these words stand."""
    return page.locator(".list .row[data-id]", has_text=words)


def entry(page: Page, words: str) -> Locator:
    """What was said in the open conversation."""
    return page.locator(".timeline .msg", has_text=words)


async def answer(page: Page, words: str) -> None:
    """Answers the open conversation by keyboard alone."""
    if await page.evaluate("document.activeElement.matches('textarea, input:not([type=radio])')"):
        await page.keyboard.press("Escape")  # out of the field, so that letters are keys again
    await page.keyboard.press("r")
    await expect(page.locator(".composer .text")).to_be_focused()
    await page.keyboard.type(words)
    await page.keyboard.press("Control+Enter")
    await expect(entry(page, words)).to_be_visible()


async def visit(story: Story) -> tuple[Page, Frame]:
    """A stranger opens the business's page and its box."""
    page = await story.page(story.site.url)
    await page.locator("chat-inbox").wait_for()
    return page, await open_box(page)


async def write(frame: Frame, words: str) -> None:
    """The visitor writes, and the server has it."""
    await frame.locator("#words").fill(words)
    await frame.locator("#words").press("Enter")
    await frame.locator(".cb-state", has_text="Sent").last.wait_for()


async def sent_letters(story: Story, words: str) -> list[dict[str, str]]:
    """The headers of letters on the outbox page in which these words stand."""
    page = await story.page(f"{story.house.url}/outbox", story.owner.context)
    found = []
    for link in [await one.get_attribute("href") for one in await page.locator("nav li a").all()]:
        await page.goto(f"{story.house.url}{link}")
        text = await page.locator("pre.code").text_content() or ""
        if words in text:
            names = await page.locator("dl.kv dt").all_text_contents()
            values = await page.locator("dl.kv dd").all_text_contents()
            found.append(dict(zip((name.lower() for name in names), values, strict=True)))
    await page.close()
    return found


async def poll(look: Callable[[], Any], seconds: float) -> Any:
    """Looks again until there is something, or fails."""
    until = time.monotonic() + seconds
    while True:
        found = await look()
        if found or time.monotonic() > until:
            return found
        await asyncio.sleep(0.5)


async def open_outsider(house: House) -> None:
    """Another business in the same installation, with nothing of ours to see."""
    cluster = postgres.up(house.data)
    settings = Settings(data=house.data, public_url=house.url, files_url=house.url, sign_up="open")
    inst = await Installation.open(settings, cluster.dsn(cluster.superuser, "chatinbox"))
    made = await sign_up(inst, "Cyd Park", OUTSIDER, "Coffee", PASSWORD, confirmed=True)
    assert made
    await open_first_channels(inst, made.account_id, "Coffee")
    await inst.close()


@pytest.fixture(scope="module")
async def story(new_house: Callable[[], House], chromium: Browser, site: Site) -> AsyncIterator[Story]:
    """The first owner sets the house up by its link; the website carries the script line."""
    house = new_house()
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    watch(page)
    await page.goto(house.ready["setup_url"])
    for label, words in [
        ("Full name", "Ada Lund"),
        ("Work e-mail", OWNER),
        ("Company", "Pottery"),
        ("Password", PASSWORD),
    ]:
        await page.get_by_label(label).fill(words)
    await page.get_by_role("button", name="Begin").click()
    await page.locator("#app[data-state=live]").wait_for()
    channels = await context.new_page()
    await channels.goto(f"{house.url}/settings/channels")
    line = await channels.locator("pre code").first.text_content() or ""
    said = await channels.locator("main").text_content() or ""
    await channels.close()
    found, address = (
        re.search(r'src="(.+)/chat/([\w-]+)/box\.js"', line),
        re.search(r"Letters to (\S+@\S+) land", said),
    )
    assert found and address
    site.script_from, site.key = found[1], found[2]
    made = Story(house, chromium, site, page, address[1], [context])
    await open_outsider(house)
    yield made
    for one in made.contexts:
        await one.close()


async def test_the_setup_link_works_once_and_nobody_is_let_in_without_signing_in(story: Story) -> None:
    page = await story.page(story.house.ready["setup_url"])
    assert await page.locator("#f-password").count() == 0
    await page.goto(f"{story.house.url}/inbox")
    await expect(page).to_have_url(re.compile("/sign-in$"))


async def test_a_visitor_writes_staff_see_it_at_once_and_answer_by_keyboard(story: Story) -> None:
    _, box = await visit(story)
    await write(box, "Is the ash cup made by hand?")
    at = time.monotonic()
    await expect(row(story.owner, "ash cup")).to_be_visible(timeout=1000)
    assert time.monotonic() - at < 1
    await story.owner.keyboard.press("j")
    await story.owner.keyboard.press("Enter")
    await expect(entry(story.owner, "ash cup")).to_be_visible()
    await answer(story.owner, "Yes, every one of them.")
    await expect(box.locator(".cb-say", has_text="every one of them")).to_be_visible(timeout=1000)
    await expect(box.locator(".cb-who b").first).to_have_text(re.compile("Ada"))
    await expect(entry(story.owner, "every one of them").locator(".state")).to_contain_text(
        "Seen", timeout=5000
    )
    assert story.owner.faults == []  # type: ignore[attr-defined]


async def test_a_letter_is_answered_and_the_answer_to_it_lands_beside_it(story: Story) -> None:
    page = story.owner
    asked = await story.letter("A broken vase", "It came in two pieces.", "Vera Holm <vera@mail.example>")
    await expect(row(page, "A broken vase")).to_be_visible(timeout=3000)
    await row(page, "A broken vase").click()
    await expect(entry(page, "two pieces")).to_be_visible()
    await answer(page, "A new one leaves today.")
    [letter] = await poll(lambda: sent_letters(story, "A new one leaves today."), 15)
    assert letter["in-reply-to"] == asked and asked in letter["references"]
    assert letter["subject"] == "Re: A broken vase" and "vera@mail.example" in letter["to"]
    reply_to = letter["reply-to"]
    assert reply_to != story.mail_address and "@" in reply_to
    await story.letter(
        "Re: A broken vase", "Thank you so much!", "Vera Holm <vera@mail.example>", to=reply_to
    )
    await expect(entry(page, "Thank you so much!")).to_be_visible(timeout=3000)
    await expect(row(page, "vase")).to_have_count(1)
    assert page.faults == []  # type: ignore[attr-defined]


async def test_an_answer_follows_by_e_mail_a_visitor_who_left(story: Story) -> None:
    page, box = await visit(story)
    await write(box, "Do you ship to Lapland?")
    await box.locator("#address").fill("aino@mail.example")
    await box.locator("#address").press("Enter")
    await expect(box.locator("#quiet")).to_contain_text("aino@mail.example")
    await row(story.owner, "Lapland").click()
    await expect(entry(story.owner, "Lapland")).to_be_visible()
    await page.context.close()
    story.contexts.remove(page.context)
    await answer(story.owner, "We do, by sledge.")
    letters = await poll(lambda: sent_letters(story, "by sledge"), 60)
    assert len(letters) == 1 and "aino@mail.example" in letters[0]["to"]


async def test_two_staff_see_each_other_and_no_answer_crosses_another(story: Story) -> None:
    people = await story.page(f"{story.house.url}/settings/people", story.owner.context)
    await people.get_by_label("E-mail").fill(COLLEAGUE)
    await people.get_by_role("button", name="Invite").click()
    link = re.search(r"http\S+/invitation/\S+", await people.locator("main").inner_text())
    assert link
    await people.close()
    bea = await story.page(link[0])
    await bea.get_by_label("Full name").fill("Bea Moss")
    await bea.get_by_label("Password").fill(PASSWORD)
    await bea.get_by_role("button", name="Join").click()
    await bea.locator("#app[data-state=live]").wait_for()
    await story.letter("Two hands", "Who answers this?", "Otto <otto@mail.example>")
    for page in (bea, story.owner):
        await row(page, "Two hands").click()
        await expect(entry(page, "Who answers this?")).to_be_visible()
    await expect(bea.get_by_role("img", name=re.compile("Ada Lund is")).first).to_be_visible(timeout=5000)
    await bea.keyboard.press("r")
    await bea.keyboard.type("Mine crosses yours.")
    await expect(story.owner.locator(".strip", has_text="writing here too")).to_be_visible(timeout=5000)
    await answer(story.owner, "Ada answers first.")
    await bea.locator(".timeline .msg", has_text="Ada answers first.").wait_for()
    await bea.keyboard.press("Control+Enter")
    held = bea.get_by_role("alertdialog")
    await expect(held).to_contain_text("Look before you send")
    await expect(held).to_contain_text("Ada answers first.")
    await held.get_by_role("button", name="Edit mine").click()
    await expect(bea.locator(".composer .text")).to_have_value("Mine crosses yours.")
    await bea.keyboard.press("Control+Enter")
    await expect(entry(story.owner, "Mine crosses yours.")).to_be_visible(timeout=3000)


async def test_the_owner_of_another_business_sees_nothing_of_it(story: Story) -> None:
    await story.letter("Only for Pottery", "A secret glaze.", "Nia <nia@mail.example>")
    await row(story.owner, "Only for Pottery").click()
    address, opened = story.owner.url, await row(story.owner, "Only for Pottery").get_attribute("data-id")
    cyd = await story.sign_in(OUTSIDER)
    await expect(cyd.locator(".list")).to_be_visible()
    await cyd.goto(f"{story.house.url}/inbox/all")
    await cyd.locator("#app[data-state=live]").wait_for()
    await expect(cyd.locator(".row[data-id]")).to_have_count(0)
    await cyd.goto(address)
    await expect(cyd.locator("body")).not_to_contain_text("glaze")
    foreign = await cyd.request.get(f"{story.house.url}/api/conversations/{opened}")
    made_up = await cyd.request.get(
        f"{story.house.url}/api/conversations/01980000-0000-7000-8000-000000000000"
    )
    assert (foreign.status, await foreign.body()) == (404, await made_up.body())
    await cyd.goto(f"{story.house.url}/outbox")
    assert await cyd.locator("nav li").count() == 0


async def test_the_whole_inbox_works_by_keyboard_alone(story: Story) -> None:
    page = story.owner
    for name in ("First", "Second", "Third"):
        await story.letter(
            f"{name} of three", f"The {name.lower()} kiln.", f"{name} <{name.lower()}@mail.example>"
        )
        await expect(row(page, f"{name} of three")).to_be_visible(timeout=3000)
    await page.reload()
    await page.locator("#app[data-state=live]").wait_for()
    await page.mouse.move(900, 10)
    press = page.keyboard.press
    title = page.locator(".head h2")
    await press("g")
    await press("t")
    await expect(page.locator(".head")).to_have_count(0)
    await row(page, "Third of three").wait_for()
    await press("j")
    await press("Enter")
    await expect(title).to_have_text("Third of three")
    await press("j")
    await expect(title).to_have_text("Second of three")
    await press("e")
    await expect(page.locator(".toast", has_text="is done")).to_be_visible()
    await expect(row(page, "Second of three")).to_have_count(0)
    await press("z")
    await expect(row(page, "Second of three")).to_be_visible()
    await row(page, "Third of three").focus()
    await press("Enter")
    await press("a")
    await expect(page.get_by_role("dialog", name="Assign to")).to_be_visible()
    await press("i")
    await expect(page.locator("[data-menu=assign]")).to_contain_text("You")
    await press("l")
    await expect(page.get_by_role("combobox", name="Tags")).to_be_focused()
    await page.keyboard.type("kiln")
    await press("Enter")
    await press("Escape")
    await expect(page.locator(".head .chip")).to_have_text("kiln")
    await press("n")
    await expect(page.get_by_role("textbox", name="Note to your team")).to_be_focused()
    await page.keyboard.type("Ask the kiln people.")
    await press("Control+Enter")
    await expect(entry(page, "Ask the kiln people.")).to_have_attribute("data-by", "note")
    await press("Escape")
    await press("b")
    await expect(page.get_by_role("dialog", name="Snooze until")).to_be_visible()
    await press("2")
    await expect(page.locator(".toast", has_text="comes back")).to_be_visible()
    await expect(row(page, "Third of three")).to_have_count(0)
    await press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await press("Escape")
    await expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    await page.keyboard.type("/kiln people")  # at once: no letter is lost, and none is taken for a command
    await expect(page.get_by_role("combobox", name="Search or jump to")).to_have_value("kiln people")
    hit = page.locator("[data-kind=palette] [role=option]", has_text="Third of three")
    await expect(hit).to_be_visible(timeout=5000)
    await hit.click()
    await expect(title).to_have_text("Third of three")
    assert page.faults == []  # type: ignore[attr-defined]


async def test_on_a_phone_one_opens_answers_and_goes_back(story: Story) -> None:
    await story.letter("From the tram", "Are you open today?", "Tea <tea@mail.example>")
    page = await story.sign_in(OWNER, **PHONE)
    await row(page, "From the tram").tap()
    await expect(entry(page, "open today")).to_be_visible()
    await expect(page.locator(".list")).to_be_hidden()
    await page.locator(".composer .text").tap()
    await page.keyboard.type("Until six.")
    await page.locator("[data-act=send]").tap()
    await expect(entry(page, "Until six.")).to_be_visible()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    await page.get_by_role("button", name="Back to the list").tap()
    await expect(page.locator(".list")).to_be_visible()
    assert page.faults == []  # type: ignore[attr-defined]


async def test_signing_out_ends_it_everywhere_in_this_browser(story: Story) -> None:
    page = await story.page(f"{story.house.url}/sign-in")
    await page.get_by_label("E-mail").fill(OWNER)
    await page.get_by_label("Password").fill("not the right password at all")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.locator("#app[data-state=live]").wait_for()
    other = await story.page(f"{story.house.url}/settings/profile", page.context)
    await other.get_by_role("button", name="Sign out").click()
    await expect(other).to_have_url(re.compile("/sign-in"))
    await expect(page.locator("#app")).to_have_attribute("data-state", "signed-out", timeout=15_000)
    await other.goto(f"{story.house.url}/inbox")
    await expect(other).to_have_url(re.compile("/sign-in"))
    assert "Traceback" not in story.house.told()
