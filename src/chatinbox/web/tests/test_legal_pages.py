"""Legal pages, sign-up and the settings page of agreements, through the doors."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Tree

import httpx
import msgspec
import pypdfium2
import pytest
from starlette.responses import Response

from chatinbox.accounts import agreements, documents, sessions
from chatinbox.accounts.documents import Document, Part, Promise, Version
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import build
from chatinbox.conftest import OPERATOR, PASSWORD, Browser
from chatinbox.core import clock
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use, at_work
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import announcements, data_map, records, storage, subprocessors
from chatinbox.web.cookie_guard import guarded_send
from chatinbox.web.site import LEGAL
from chatinbox.web.site.legal import compared

PATHS = sorted(path for room in LEGAL for path in room.PAGES if "{" not in path)


@pytest.fixture(scope="module")
async def named(inst: Installation) -> Installation:
    """The installation of an operator who named themselves."""
    return replace(inst, settings=replace(inst.settings, **OPERATOR))


@pytest.fixture
async def visitor(named: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who only looks."""
    origin = httpx.ASGITransport(await build(named), client=("203.0.113.9", 4000))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield browser


@pytest.mark.parametrize("path", PATHS)
async def test_without_an_operators_name_no_policy_is_served(client: Browser, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 503 and "has not named themselves" in answer.text
    assert 'class="promise"' not in answer.text and "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_legal_page_names_who_stands_behind_it_and_has_no_gap(
    visitor: httpx.AsyncClient, path: str
) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    if answer.headers["content-type"].startswith("text/html"):
        assert OPERATOR["operator_name"] in answer.text
        assert not re.search(r"TODO|undefined|>None<|\{\{", answer.text)
        assert len(re.findall(r"<h1", answer.text)) == 1


async def test_the_policy_shows_every_promise_with_its_clauses_and_claims_no_lamp(
    visitor: httpx.AsyncClient,
) -> None:
    text = (await visitor.get("/privacy")).text
    for one in documents.read("privacy", 1).promises():
        assert f'id="c{one.no.replace(".", "-")}"' in text
        assert all(clause in text for clause in one.clauses)
    slips = text.split('<section class="part"', 1)[1]
    assert "is-holds" not in slips and "0 of 63" in text


async def test_looking_at_public_pages_stores_nothing(
    named: Installation, visitor: httpx.AsyncClient, ada: Staff
) -> None:
    async def rows() -> list[Any]:
        ask = (
            "select count(*) from agreement union all select count(*) from acceptance"
            " union all select count(*) from customer union all select count(*) from ledger"
        )
        with at_work("tests", Use("Looks at all accounts", "protect")):
            links = await named.db.directory(
                "select count(*) from directory.accounts_after(%s, 1000)", [NOBODY]
            )
        return [*(await named.db.run(ada.account_id, (ask, [])))[0], *links]

    before = await rows()
    for path in [*PATHS, "/", "/sign-up"]:
        await visitor.get(path)
    assert await rows() == before and not visitor.cookies


NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "path", ["/privacy/versions/2", "/privacy/versions/0", "/terms/versions/x", "/dpa/versions/²"]
)
async def test_a_version_that_never_was_is_not_found(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404 and "Traceback" not in answer.text


async def test_a_change_is_announced_on_the_website_and_in_the_account_and_holds_only_from_its_day(
    named: Installation, visitor: httpx.AsyncClient, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = documents.versions("terms")[0]
    announced = datetime.now(UTC) + timedelta(days=10)
    second = Version(2, announced, announced + timedelta(days=30), "The 2nd word changed.", "b", first.seal)
    known, words = documents.versions, documents.read
    monkeypatch.setattr(
        documents, "versions", lambda kind, *_: (first, second) if kind == "terms" else known(kind)
    )
    monkeypatch.setattr(documents, "read", lambda kind, number: words(kind, 1))
    visitor.cookies.set("session", await sessions.start(named, ada, "tests"))

    async def seen() -> tuple[bool, bool, bool]:
        site, inside = await visitor.get("/cookies"), await visitor.get("/settings/profile")
        terms = (await visitor.get("/terms")).text
        return (
            second.changed in site.text,
            second.changed in inside.text,
            "version 2 · in force since" in terms,
        )

    assert await seen() == (False, False, False)
    with clock.travel(timedelta(days=11)):
        visitor.cookies.set("session", await sessions.start(named, ada, "tests"))
        assert await seen() == (True, True, False)
        german = (await visitor.get("/cookies?lang=de")).text
        assert "gültig ab" in german and '<b lang="en">Terms of use, version 2</b>' in german
        assert (
            f'<span lang="en">{second.changed}</span> <a href="/terms/versions/2?lang=de">Lesen</a>' in german
        )
    with clock.travel(timedelta(days=39)):
        visitor.cookies.set("session", await sessions.start(named, ada, "tests"))
        assert await seen() == (True, True, False)
    with clock.travel(timedelta(days=41)):
        visitor.cookies.set("session", await sessions.start(named, ada, "tests"))
        assert await seen() == (False, False, True)
        await agreements.renew(named, ada)
        assert (await agreements.read_agreements(named, ada.account_id))[0].terms == second.seal


def test_what_changed_is_told_word_by_word() -> None:
    def doc(*said: tuple[str, str]) -> Document:
        return Document("", "", [Part("", [Promise(no, text) for no, text in said])])

    before = doc(("1", "We keep it ten days."), ("2", "Same."), ("3", "Gone."))
    after = doc(("1", "We keep it five days."), ("2", "Same."), ("4", "New."))
    assert compared(before, after) == [
        ("1", [("same", "We keep it"), ("gone", "ten"), ("new", "five"), ("same", "days.")]),
        ("4", [("new", "New.")]),
        ("3", [("gone", "Gone.")]),
    ]


async def test_the_feed_of_companies_is_atom(named: Installation, visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/subprocessors.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = Tree.fromstring(answer.content)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == len(
        subprocessors.read(named.settings).company
    )


async def test_a_register_that_breaks_the_rules_is_not_shown(
    named: Installation, visitor: httpx.AsyncClient
) -> None:
    file = named.settings.data / "subprocessors.toml"
    file.write_text(
        '[[company]]\nname = "Sly"\npurpose = "x"\nplace = "x"\ncountry = "DE"\nplanes = ["T"]\n'
        'transfer = "none needed"\nsince = 2026-01-01\n'
    )
    try:
        answer = await visitor.get("/subprocessors")
        assert answer.status_code == 500 and "Sly" not in answer.text
        with pytest.raises(Trouble):
            await build(named)  # nor does the server start with it
    finally:
        file.unlink()


async def test_the_pages_made_from_registers_hold_every_line(visitor: httpx.AsyncClient) -> None:
    def plain(text: str) -> str:
        return text.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&").replace("&lt;", "<")

    cookies = plain((await visitor.get("/cookies")).text)
    assert all(one.name in cookies and one.purpose in cookies for one in storage.read())
    listed = plain((await visitor.get("/records")).text)
    assert all(
        f"<code>{name}</code>" in listed and one.purpose in listed for name, one in data_map.read().items()
    )
    notice = plain((await visitor.get("/california")).text)
    for category in records.categories():
        assert category.name in notice and all(words in notice for words in category.holds)


FORM = {"name": "New Person", "company": "New Company", "password": PASSWORD}


async def test_a_sign_up_with_more_than_was_asked_for_is_refused(visitor: httpx.AsyncClient) -> None:
    form = FORM | {"email": f"more.{new_id().hex}@staff.example"}
    for extra in ({"phone": "1"}, {"accept": "yes"}, {"ip": "203.0.113.1"}):
        answer = await visitor.post("/sign-up", data=form | extra)
        assert answer.status_code == 422 and "more than was asked for" in answer.text
        assert FORM["name"] in answer.text  # nothing typed is lost
    assert (await visitor.post("/sign-up", data=form)).status_code == 200


async def test_the_sign_up_links_the_documents_and_ticks_nothing(visitor: httpx.AsyncClient) -> None:
    text = (await visitor.get("/sign-up")).text
    for kind in ("terms", "privacy", "dpa"):
        assert f'href="/{kind}"' in text and (await visitor.get(f"/{kind}")).status_code == 200
    assert "checkbox" not in text and "checked" not in text.lower().replace("checked here", "")
    fields = re.findall(r'<input[^>]* name="(\w+)"', text)
    assert fields == ["name", "email", "company", "password"]


async def _as(named: Installation, visitor: httpx.AsyncClient, staff: Staff) -> httpx.AsyncClient:
    visitor.cookies.set("session", await sessions.start(named, staff, "tests"))
    return visitor


async def test_the_accounts_own_copy_is_a_paper_with_its_name(
    named: Installation, visitor: httpx.AsyncClient, ada: Staff, cyd: Staff
) -> None:
    await _as(named, visitor, ada)
    answer = await visitor.post("/settings/agreements", data={"do": "pdf"})
    assert (
        answer.headers["content-type"] == "application/pdf"
        and "attachment" in answer.headers["content-disposition"]
    )
    text = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content))
    assert "Tea" in text and OPERATOR["operator_name"] in text and "Coffee" not in text
    await _as(named, visitor, cyd)
    assert "Ada" not in (await visitor.get("/settings/agreements")).text


async def test_an_account_in_the_united_kingdom_gets_the_addendum(
    named: Installation, visitor: httpx.AsyncClient, ada: Staff
) -> None:
    await _as(named, visitor, ada)
    assert (
        await visitor.post("/settings/agreements", data={"do": "country", "country": "XX"})
    ).status_code == 422
    saved = await visitor.post("/settings/agreements", data={"do": "country", "country": "GB"})
    assert saved.status_code == 200 and 'value="GB" selected' in saved.text
    pdf = (await visitor.post("/settings/agreements", data={"do": "pdf"})).content
    text = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    assert "section 119A" in text


async def test_colleagues_see_the_agreements_and_cannot_agree_for_the_account(
    named: Installation, visitor: httpx.AsyncClient, bea: Staff
) -> None:
    await _as(named, visitor, bea)
    page = await visitor.get("/settings/agreements")
    assert page.status_code == 200 and "version 1" in page.text
    assert (await visitor.post("/settings/agreements", data={"do": "renew"})).status_code == 403


async def test_a_cookie_that_nobody_registered_does_not_leave(
    named: Installation, visitor: httpx.AsyncClient
) -> None:
    async def set_cookies(make: Callable[[Response], None]) -> list[str]:
        sent: list[Any] = []
        answer = Response("x")
        make(answer)

        async def send(message: Any) -> None:
            sent.append(message)

        await answer({"type": "http", "method": "GET"}, _receive, guarded_send(send))
        return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]

    year = 365 * 24 * 3600
    assert await set_cookies(lambda a: a.set_cookie("visitor_id", "1")) == []
    assert await set_cookies(lambda a: a.set_cookie("session", "1", max_age=year)) == []
    assert await set_cookies(lambda a: a.set_cookie("session", "1", expires=year)) == []
    assert len(await set_cookies(lambda a: a.set_cookie("session", "1", max_age=3600))) == 1
    assert len(await set_cookies(lambda a: a.delete_cookie("session"))) == 1


async def _receive() -> Any:
    return {"type": "http.request"}


async def test_what_will_be_collected_is_announced_on_the_website_and_in_the_account_until_its_day(
    named: Installation, visitor: httpx.AsyncClient, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first, *_] = announcements.read()
    made = datetime.now(UTC) + timedelta(days=10)
    more = msgspec.structs.replace(
        first.collected, recipients=first.collected.recipients | {"somebody": "Listens"}
    )
    second = announcements.Announcement(
        2, "9.9", made, made + timedelta(days=30), "Somebody listens", "A company hears it.", "", more
    )
    monkeypatch.setattr(announcements, "read", lambda *_: (first, second))

    async def seen() -> tuple[bool, bool]:
        visitor.cookies.set("session", await sessions.start(named, ada, "tests"))
        site, inside = await visitor.get("/cookies"), await visitor.get("/settings/profile")
        return second.words in site.text, second.words in inside.text

    assert await seen() == (False, False)
    with clock.travel(timedelta(days=11)):
        assert await seen() == (True, True)
    with clock.travel(timedelta(days=41)):
        assert await seen() == (False, False)
        assert second.words in (await visitor.get("/privacy/history.atom")).text
    assert (
        second.words not in (await visitor.get("/privacy/history.atom")).text
    )  # made, and not announced yet
    history = (await visitor.get("/privacy/history")).text
    assert "recipient somebody is new" in history and 'id="change-2"' in history
