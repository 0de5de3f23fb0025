"""What single pages promise: the letter that arrives, the status that invents nothing, the places programs look at."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import build
from chatinbox.channels.email.channel import open_channel
from chatinbox.conftest import Browser
from chatinbox.core.clock import now
from chatinbox.core.copied import NAME, note_copy
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.site import status, write_to_us
from chatinbox.web.site.changes import as_html
from chatinbox.web.site.facts import Fact

LETTER = {
    "email": "dora@visitors.example",
    "name": "Dora Lind",
    "words": "Do you ship to Malmö?\r\nTwo bowls.",
}


@pytest.fixture
async def takes(inst: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """The installation, with Ada's account as the operator's own."""
    monkeypatch.setattr(write_to_us, "_by_place", Throttle(6, 3600))
    address = f"hello-{new_id().hex}@operator.example"
    await open_channel(inst, ada.account_id, "Website", address)
    return replace(inst, settings=replace(inst.settings, website=True, website_channel=address))


@pytest.fixture
async def visitor(takes: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who only looks, and keeps no cookie."""
    origin = httpx.ASGITransport(await build(takes))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield browser


async def subjects(client: Browser, staff: Staff) -> list[str]:
    listed = (await (await client.as_(staff)).get("/api/list?view=todo")).json()
    return [f"{row['customer']['name']}: {row['preview']}" for row in listed["rows"]]


async def test_what_is_written_on_the_website_is_in_the_operators_inbox_and_in_no_other(
    visitor: httpx.AsyncClient, client: Browser, ada: Staff, cyd: Staff
) -> None:
    answer = await visitor.post("/contact", data=LETTER)
    assert answer.status_code == 200 and "Your letter is here" in answer.text
    assert "set-cookie" not in answer.headers
    assert [line for line in await subjects(client, ada) if "Dora Lind: Do you ship to Malmö?" in line]
    assert not [line for line in await subjects(client, cyd) if "Malmö" in line]


async def test_pressing_twice_is_one_letter(visitor: httpx.AsyncClient, client: Browser, ada: Staff) -> None:
    before = await subjects(client, ada)
    await asyncio.gather(*[visitor.post("/contact", data=LETTER) for _ in range(3)])
    assert len(await subjects(client, ada)) == len(before) + 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "dora"}, "the answer should go to"),
        (
            {"email": "a@b.example\r\nBcc: all@else.example"},
            "There is a sign in this address that cannot be seen",
        ),
        ({"words": "   "}, "what it is about"),
        ({"words": "\U0001f4e6" * 8_001}, "longer than 8,000"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    visitor: httpx.AsyncClient, client: Browser, ada: Staff, wrong: dict[str, str], said: str
) -> None:
    before = await subjects(client, ada)
    answer = await visitor.post("/contact", data=LETTER | wrong)
    assert answer.status_code in (400, 422) and said in answer.text and 'value="Dora Lind"' in answer.text
    assert await subjects(client, ada) == before


async def test_the_form_and_all_that_it_says_are_in_the_readers_language(visitor: httpx.AsyncClient) -> None:
    german = {"accept-language": "de"}
    shown = (await visitor.get("/contact", headers=german)).text
    assert "Worum geht es?" in shown and "What is it about?" not in shown
    for wrong, words in (
        ({"email": "dora"}, "Geben Sie die Adresse an, an die die Antwort gehen soll"),
        ({"words": " "}, "Schreiben Sie, worum es geht."),
        ({"words": "x" * 8_001}, "Das ist länger als 8.000 Zeichen."),
    ):
        answer = await visitor.post("/contact", data=LETTER | wrong, headers=german)
        assert words in answer.text and 'lang="de"' in answer.text and 'value="Dora Lind"' in answer.text
    chosen = await visitor.post("/contact?lang=de", data=LETTER)
    assert "Ihre Nachricht ist da" in chosen.text and 'href="/?lang=de"' in chosen.text
    assert (
        "set-cookie" not in chosen.headers
        and "Your letter" in (await visitor.post("/contact", data=LETTER)).text
    )


async def test_where_no_operator_is_named_that_is_said_in_the_readers_language(
    visitor: httpx.AsyncClient,
) -> None:
    answer = await visitor.get("/privacy", headers={"accept-language": "de"})
    assert answer.status_code == 503 and "Der Betreiber hat sich noch nicht genannt" in answer.text
    assert "nur auf Englisch" not in answer.text


async def test_another_sites_form_is_turned_away(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/contact", data=LETTER, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403


async def test_many_letters_from_one_place_have_to_wait_and_keep_their_words(
    visitor: httpx.AsyncClient,
) -> None:
    sent = [await visitor.post("/contact", data=LETTER | {"words": f"number {n}"}) for n in range(8)]
    assert [answer.status_code for answer in sent] == [200] * 6 + [429] * 2
    assert "number 7" in sent[-1].text


async def test_where_no_channel_is_named_there_is_no_form(inst: Installation) -> None:
    bare = replace(inst, settings=replace(inst.settings, website=True))
    origin = httpx.ASGITransport(await build(bare))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        assert "<form" not in (await browser.get("/contact")).text
        assert (await browser.post("/contact", data=LETTER)).status_code == 404


async def test_the_status_says_what_it_sees(
    takes: Installation, visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_look", status.Look())
    page = (await visitor.get("/status")).text
    assert "no copy here" in page and "Answered in" in page and "%" not in page

    class Away:
        async def directory(self, *_: object) -> None:
            raise OSError

    _, parts = await status.Look().parts(replace(takes, db=Away()))  # type: ignore[arg-type]
    german = (await visitor.get("/status?lang=de")).text
    assert "keine Kopie" in german and "ms geantwortet" in german and "Answered" not in german
    seen = {part.name: part.state for part in parts}
    assert seen["Database"] == "broken" and seen["Deliveries"] == "open" and seen["Last backup"] == "open"


async def test_the_status_says_when_this_program_last_made_a_copy(
    takes: Installation, visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    here = replace(takes, settings=replace(takes.settings, data=tmp_path))

    async def backup() -> Fact:
        _, parts = await status.Look().parts(here)
        [fact] = [part for part in parts if part.name == "Last backup"]
        return fact

    assert (await backup()).word == "None here"
    note_copy(tmp_path, now() - timedelta(days=2))
    fact = await backup()
    assert fact.state == "holds" and str((now() - timedelta(days=2)).day) in fact.seen
    assert [path.name for path in tmp_path.iterdir()] == [NAME], "nothing beside the time"
    note_copy(tmp_path, now() - timedelta(days=31))
    assert (await backup()).state == "open", "its keys are refused by now"
    for what_is_no_time in ("", "yesterday", "2026-11-20T03:00:00"):
        (tmp_path / NAME).write_text(what_is_no_time)
        assert (await backup()).word == "None here"


async def test_a_crowd_of_readers_looks_once(takes: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    async def database(inst: Installation) -> Fact:
        looked.append(inst)
        return status.PAGES_PART

    monkeypatch.setattr(status, "_database", database)
    look = status.Look()
    await asyncio.gather(*[look.parts(takes) for _ in range(50)])
    assert len(looked) == 1


async def test_programs_find_what_they_look_for(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/.well-known/gpc.json")).json()["gpc"] is True
    dnt = await visitor.get("/.well-known/dnt/")
    assert dnt.json()["tracking"] == "N" and dnt.headers["content-type"] == "application/tracking-status+json"
    assert "set-cookie" not in dnt.headers
    security = (await visitor.get("/.well-known/security.txt")).text
    fields = dict(line.split(": ", 1) for line in security.strip().splitlines())
    until = datetime.fromisoformat(fields["Expires"])
    assert now() + timedelta(days=300) < until < now() + timedelta(days=366)  # RFC 9116 §2.5.5: under a year
    assert "Sitemap: " in (await visitor.get("/robots.txt")).text
    places = (await visitor.get("/sitemap.xml")).text
    assert "/product</loc>" in places and "/sign-in" not in places


async def test_without_a_website_signals_are_still_answered_and_nothing_is_offered_to_search_engines(
    client: Browser,
) -> None:
    assert (await client.get("/.well-known/gpc.json")).json()["gpc"] is True
    assert (await client.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
    for path in ("/product", "/contact", "/status", "/sitemap.xml"):
        assert (await client.get(path)).status_code == 404, path


def test_the_change_log_is_words_and_nothing_that_runs() -> None:
    page = as_html(
        "# Top\n\n## 1 <b>\n\n**Bold** `x<y` [a](javascript:1)\nmore\n\n- one\n- <script>two</script>"
    )
    assert page == (
        "<h2>1 &lt;b&gt;</h2>\n<p><b>Bold</b> <code>x&lt;y</code> a more</p>\n"
        "<ul><li>one</li><li>&lt;script&gt;two&lt;/script&gt;</li></ul>"
    )
