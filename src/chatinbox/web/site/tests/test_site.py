"""The website's frame: who finds it, what it links, what it leaves to caches, and that it tells nobody anything."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.conftest import OPERATOR, Browser
from chatinbox.core.installation import Installation
from chatinbox.web.site import frame


@pytest.fixture(scope="module")
async def public(inst: Installation) -> Installation:
    """The installation, with its website on."""
    return replace(inst, settings=replace(inst.settings, website=True, **OPERATOR))


@pytest.fixture
async def site(public: Installation) -> App:
    """The web application with its website."""
    return await build(public)


@pytest.fixture
async def visitor(site: App) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who only looks."""
    app = site
    origin = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield browser


async def test_without_a_website_the_first_page_is_the_sign_in(client: Browser) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_with_a_website_a_visitor_finds_it_and_staff_go_on_to_their_inbox(
    visitor: httpx.AsyncClient, public: Installation, ada: Staff
) -> None:
    first = await visitor.get("/")
    assert first.status_code == 200 and "One inbox" in first.text
    assert "cookie" in first.headers["vary"].lower() and "private" in first.headers["cache-control"]
    visitor.cookies.set("session", await sessions.start(public, ada, "tests"))
    assert (await visitor.get("/")).headers["location"] == "/inbox"


async def test_every_link_leads_to_a_page_that_is_there(visitor: httpx.AsyncClient) -> None:
    for path in frame.menu.paths():
        assert (await visitor.get(path)).status_code == 200, path


async def test_no_page_sets_a_cookie_or_names_another_origin(visitor: httpx.AsyncClient) -> None:
    for path in frame.menu.paths():
        answer = await visitor.get(path)
        assert "set-cookie" not in answer.headers, path
        assert "script-src 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["tk"] == "N", path


async def test_the_same_bytes_are_not_sent_twice_and_another_signal_is_another_page(
    visitor: httpx.AsyncClient,
) -> None:
    first = await visitor.get("/")
    tag = first.headers["etag"]
    assert (await visitor.get("/", headers={"if-none-match": tag})).status_code == 304
    signalled = await visitor.get("/", headers={"if-none-match": tag, "sec-gpc": "1"})
    assert signalled.status_code == 200 and "Signal honoured" in signalled.text
    assert "Signal honoured" not in first.text
    assert {"dnt", "sec-gpc"} <= {name.strip().lower() for name in first.headers["vary"].split(",")}


async def test_an_address_where_nothing_is_gets_a_page_for_people_and_a_sentence_for_scripts(
    visitor: httpx.AsyncClient,
) -> None:
    pages = [await visitor.get(path, headers={"accept": "text/html"}) for path in ("/nowhere", "/never/was")]
    assert {page.status_code for page in pages} == {404}
    assert pages[0].text == pages[1].text and "Nothing is at this address" in pages[0].text
    assert (await visitor.get("/nowhere")).json()["error"]["code"] == "not_found"


async def test_only_our_own_pages_are_counted_and_a_signal_only_in_the_total(
    visitor: httpx.AsyncClient, site: App
) -> None:
    """C09: neither a chat box, nor the inbox, nor the doors before it, nor what is not there."""
    for path in (
        "/sign-in",
        "/inbox",
        "/chat/some-key/box.js",
        "/nowhere",
        "/ui/0/css/site.css",
        "/robots.txt",
    ):
        await visitor.get(path)
    assert not site.visits._cells
    await visitor.get("/", headers={"user-agent": "Firefox", "referer": "https://news.example/1"})
    await visitor.get("/", headers={"user-agent": "Firefox", "dnt": "1", "referer": "https://news.example/1"})
    cells = {(cell.route, cell.device, cell.referrer): n for cell, n in site.visits._cells.items()}
    assert cells == {("/", "computer", "news.example"): 1, ("-", "-", "-"): 1}
