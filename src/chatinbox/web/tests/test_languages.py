"""Pages and letters in the reader's language: whole, by what they asked for and by nothing else, and nothing kept of it."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Tree

import httpx
import pytest
import structlog
from babel.messages.pofile import write_po
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatinbox.accounts import invite
from chatinbox.accounts.profile import change_profile
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App, build
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import OPERATOR, Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.tests.test_logging import Lines, lines
from chatinbox.core.translation import language
from chatinbox.core.translation.language import languages, read_catalogue
from chatinbox.web import forms, pages
from chatinbox.web.site import frame
from chatinbox.web.tests.test_accounts import bare, email_of, letter_to

__all__ = ["lines"]

NewBrowser = Callable[[], Browser]
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
ENTRANCE = ("/sign-in", "/sign-up", "/reset", "/wish", "/my-data", "/sign-in/company")
SITE = (
    "/",
    "/pricing",
    "/product",
    "/security",
    "/accessibility",
    "/status",
    "/contact",
    "/changelog",
    "/trust",
    "/trust/requests",
    "/trust/environment",
    "/trust/attacks",
    "/trust/limits",
    "/cookies",
    "/subprocessors",
    "/california",
)
ONLY_ENGLISH = ("/privacy", "/privacy/history", "/terms", "/dpa", "/records", "/trust/routes")
OURS = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(100, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(1_000, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)


@pytest.fixture(scope="module")
async def site(inst: Installation) -> App:
    """The web application with its website, and payments on."""
    stripe = {
        f"stripe_{name}": "x" for name in ("secret_key", "webhook_secret", "price_monthly", "price_yearly")
    }
    return await build(replace(inst, settings=replace(inst.settings, website=True, **OPERATOR, **stripe)))


@pytest.fixture
async def visitor(site: App) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody whose browser says nothing of languages until they do."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://127.0.0.1:8000"
    ) as browser:
        yield browser


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues to be changed, which holds ours."""
    for path in language.FOLDER.glob("*.po"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    monkeypatch.setattr(pages, "ROOMS", {})
    language.languages.cache_clear()
    yield tmp_path
    language.languages.cache_clear()


class _Words(HTMLParser):
    """The words of a page that are in its own language: in its text, and in what is read out or shown from attributes."""

    void = frozenset({"meta", "link", "img", "input", "source", "br"})
    aside = frozenset({"style", "script", "code", "pre", "textarea", "select"})
    told = frozenset({"alt", "aria-label", "title", "content", "data-is", "placeholder"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        mine = all(self.open[-1:]) and tag not in self.aside and known.get("lang", "de") == "de"
        if mine:
            self.take(" ".join(words or "" for name, words in attrs if name in self.told))
        if tag not in self.void:
            self.open.append(mine)

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if all(self.open[-1:]):
            self.take(data)

    def take(self, words: str) -> None:
        without_names = re.sub(r"„[^“]*“", "", words)  # what stands on a button of the inbox
        self.found |= set(re.findall(r"[\w-]+", without_names))


THEIRS = set(
    re.findall(
        r"\w+", "the and with you your our of for from is are it that which what not who to on how its by"
    )
)


def spoken_words(page: str) -> set[str]:
    """The words of a German page that it does not say are of another language."""
    return _Words(page).found


def spoken(answer: httpx.Response) -> str:
    """The language of a page, which its head and its header agree on."""
    found = re.search(r'<html lang="([\w-]+)" dir="(ltr|rtl)">', answer.text)
    assert found and found[1] == answer.headers["content-language"]
    return found[1]


@pytest.mark.parametrize("path", [*ENTRANCE, *SITE])
async def test_a_page_is_in_the_language_the_browser_asks_for_or_a_link_chose(
    visitor: httpx.AsyncClient, path: str
) -> None:
    english, german = await visitor.get(path), await visitor.get(path, headers=GERMAN)
    assert (spoken(english), spoken(german)) == ("en", "de") and english.text != german.text
    assert spoken(await visitor.get(f"{path}?lang=de")) == "de"
    assert spoken(await visitor.get(f"{path}?lang=en", headers=GERMAN)) == "en"
    for answer in (english, german):
        assert "accept-language" in answer.headers["vary"].lower() and "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [*ENTRANCE, *SITE])
async def test_every_language_has_the_whole_page_and_names_all_the_others(
    visitor: httpx.AsyncClient, path: str
) -> None:
    for code, one in languages().items():
        page = await visitor.get(path, headers={"accept-language": code})
        assert spoken(page) == code and one.gettext("Password" if "up" in path else "Account") in page.text
        assert re.findall(r' lang="([\w-]+)"(?: aria-current="true")?>([^<]+)</a>', page.text) == [
            (other.code, other.name) for other in languages().values()
        ]


@pytest.mark.parametrize("unknown", ["xx", "", "de-AT", "DE", "../de", "de.po", "<b>", "en\0"])
async def test_a_language_that_is_not_there_changes_nothing(visitor: httpx.AsyncClient, unknown: str) -> None:
    for headers, expected in (({}, "en"), (GERMAN, "de")):
        answer = await visitor.get("/sign-in", params={"lang": unknown}, headers=headers)
        assert answer.status_code == 200 and spoken(answer) == expected
        assert "<b>" not in re.sub(r"<main.*</main>", "", answer.text, flags=re.S)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200), st.from_regex(rb"\A([a-z*]{1,3}(-[A-Z]{2})?(;q=[0-9.]{0,4})?,? ?){0,9}\Z")
    )
)
async def test_whatever_a_browser_sends_it_gets_a_whole_page(visitor: httpx.AsyncClient, wild: bytes) -> None:
    header = bytes(sign for sign in wild if sign >= 0x20 and sign != 0x7F)
    answer = await visitor.get("/reset", headers=[(b"accept-language", header), (b"accept-language", b"tlh")])
    assert answer.status_code == 200
    assert language.languages()[spoken(answer)].gettext("Send the link") in answer.text


async def test_who_chose_by_a_link_goes_on_in_that_language_without_a_cookie(
    visitor: httpx.AsyncClient,
) -> None:
    for path in (*ENTRANCE, *SITE, *ONLY_ENGLISH):
        page = await visitor.get(f"{path}?lang=de")
        ours = re.findall(r'<a [^>]*href="(/[^".]*)"', page.text)  # a file, with its dot, is in no language
        assert ours and [link for link in ours if "lang=de" not in link] == []
        form = await visitor.get(path, headers=GERMAN)
        assert "lang=" not in "".join(re.findall(r'<a [^>]*href="/[^"]*"', form.text)), "nobody chose"
    assert 'name="lang" value="de"' in (await visitor.get("/pricing?lang=de")).text
    wrong = await visitor.post("/sign-in?lang=de", data={"email": "a@b.example", "password": "x"})
    assert wrong.status_code == 422 and spoken(wrong) == "de" and "gehören nicht zusammen" in wrong.text


async def test_a_page_links_to_itself_in_each_language_it_is_offered_in(visitor: httpx.AsyncClient) -> None:
    home = (await visitor.get("/")).text
    ours = f"{OURS}/"
    assert f'<link rel="alternate" hreflang="de" href="{ours}?lang=de">' in home
    assert f'<link rel="alternate" hreflang="x-default" href="{ours}">' in home
    assert f'<link rel="canonical" href="{ours}">' in home
    assert f'<link rel="canonical" href="{ours}?lang=de">' in (await visitor.get("/?lang=de")).text
    asked = (await visitor.get("/my-data?at=a%26b")).text
    assert 'href="?at=a%26b&amp;lang=de"' in asked, "what else was asked is asked again"
    assert "hreflang" not in (await visitor.get("/privacy")).text


async def test_a_document_stays_english_and_says_in_the_readers_language_that_this_text_binds(
    visitor: httpx.AsyncClient,
) -> None:
    for path in ("/privacy", "/terms", "/dpa"):
        answer = await visitor.get(path, headers=GERMAN)
        assert (
            spoken(answer) == "en"
            and 'lang="de" dir="ltr"><div class="wrap"><p>Dieses Dokument' in answer.text
        )
        assert "verbindlich ist der englische Text" in answer.text
        assert "Dokument" not in (await visitor.get(path)).text
    assert "bisher nur auf Englisch" in (await visitor.get("/trust/routes", headers=GERMAN)).text
    assert "verbindlich ist der englische Text" in (await visitor.get("/sign-up", headers=GERMAN)).text


async def test_who_asks_for_the_head_of_a_page_gets_the_one_it_has(visitor: httpx.AsyncClient) -> None:
    """RFC 9110 §9.3.2: a head is what GET would have."""
    for path in SITE:
        for headers in ({}, GERMAN, {"sec-gpc": "1"}):
            head, whole = await visitor.head(path, headers=headers), await visitor.get(path, headers=headers)
            assert head.status_code == 200 and head.headers == whole.headers, path
    for path in ENTRANCE:
        head, whole = await visitor.head(path), await visitor.get(path)
        assert head.headers["content-length"] == whole.headers["content-length"], path


async def test_no_cache_gives_one_reader_the_others_language(visitor: httpx.AsyncClient) -> None:
    for path in ("/", "/pricing", "/privacy"):
        english = await visitor.get(path)
        tag = {"if-none-match": english.headers["etag"]}
        assert (await visitor.get(path, headers=tag)).status_code == 304
        german = await visitor.get(path, headers=GERMAN | tag)
        assert german.status_code == 200 and german.headers["etag"] != english.headers["etag"], path
        assert "accept-language" in english.headers["vary"].lower()


async def test_what_a_person_chose_is_theirs_and_shows_on_no_public_page(
    visitor: httpx.AsyncClient, inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    await change_profile(inst, ada.person_id, language="de")
    before = await visitor.get("/pricing")
    hers = await new_browser().as_(ada)
    signed_in = await visitor.get("/pricing", headers={"cookie": f"session={hers.cookies['session']}"})
    assert signed_in.content == before.content and spoken(signed_in) == "en"
    outsider = await new_browser().as_(cyd)
    assert "Deutsch" not in re.sub(
        r"<select.*?</select>", "", (await outsider.get("/settings/profile")).text, flags=re.S
    )


async def test_letters_are_in_the_language_one_chose_else_the_one_the_page_was_read_in(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await change_profile(inst, ada.person_id, language="de")
    await change_profile(inst, cyd.person_id, language="en")
    for staff, headers, subject in (
        (ada, {}, "Neues Passwort wählen"),
        (bea, GERMAN, "Neues Passwort wählen"),
        (bea, {}, "Choose a new password"),
        (cyd, GERMAN, "Choose a new password"),
    ):
        email = await email_of(inst, staff)
        await new_browser().post("/reset", data={"email": email}, headers=headers)
        await forms.settle()
        newest = next(one for one in await list_kept(inst, staff) if one.header("to") == email)
        assert newest.header("subject") == subject
        assert ("Er gilt eine Stunde." in newest.text) is (subject != "Choose a new password")
        assert re.search(r"http://127\.0\.0\.1:8000/reset/[\w-]+\n", newest.text)


async def test_an_invitation_is_written_in_the_language_of_who_invites(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await change_profile(inst, ada.person_id, language="de")
    link = await invite.invite(inst, ada, f"{new_id().hex}@mail.example", "viewer")
    letter = await letter_to(inst, ada)
    assert letter.header("subject") == "Ada lädt Sie zu Ada's Tea ein" and link in letter.text
    page = await new_browser().get(link, headers=GERMAN)
    assert spoken(page) == "de" and "<b>Mitlesen</b>" in page.text and "Ada&#39;s Tea beitreten" in page.text
    assert [await list_kept(inst, one) for one in (bea, cyd)] == [[], []], "the link is hers alone"


async def test_known_and_unknown_addresses_get_the_same_german_page(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    await open_channel(inst, cyd.account_id, "Privacy", f"p{new_id().hex}@operator.example")
    await change_profile(inst, ada.person_id, language="en")
    stranger = f"{new_id().hex}@nobody.example"
    for path in ("/reset", "/my-data"):
        pages = [
            await new_browser().post(
                path, data={"email": email} | ({"wish": "access"} if "my" in path else {}), headers=GERMAN
            )
            for email in (await email_of(inst, ada), stranger)
        ]
        assert spoken(pages[0]) == spoken(pages[1]) == "de", path
        assert bare(pages[0]).replace(await email_of(inst, ada), "") == bare(pages[1]).replace(stranger, "")
    await forms.settle()


async def test_every_refusal_of_the_entrance_is_german_on_a_german_page(guest: NewBrowser) -> None:
    wrong = {"name": "Ada", "email": "ada@mail.example", "company": "Tea", "password": "short"}
    visitor = guest()
    for form, words in (
        (wrong, "Nehmen Sie mindestens 15 Zeichen."),
        (wrong | {"name": ""}, "Schreiben Sie Ihren Vor- und Nachnamen."),
        (wrong | {"email": "ada"}, "Schreiben Sie eine ganze E-Mail-Adresse"),
        (wrong | {"more": "x"}, "mehr, als gefragt war"),
        (wrong | {"password": "ada@mail.example1"}, "leicht zu erraten"),
    ):
        answer = await visitor.post("/sign-up", data=form, headers=GERMAN)
        assert answer.status_code == 422 and spoken(answer) == "de" and words in answer.text
    for path in (
        "/reset/x",
        "/confirm/x",
        "/invitation/x",
        "/wish/x",
        "/my-data/x",
        "/address/x",
        "/sso/domain/x",
    ):
        gone = await visitor.get(path, headers=GERMAN)
        assert gone.status_code == 410 and spoken(gone) == "de" and "Dieser Link gilt nicht mehr" in gone.text
    foreign = await visitor.post(
        "/sign-up", data=wrong, headers=GERMAN | {"origin": "https://elsewhere.example"}
    )
    assert foreign.status_code == 403 and "nicht von unseren eigenen Seiten" in foreign.text


async def test_the_pricing_page_writes_days_and_money_as_its_reader_does(visitor: httpx.AsyncClient) -> None:
    form = {"seats": "1200", "start": "2027-01-31", "country": "DE"}
    english = (await visitor.get("/pricing", params=form)).text
    german = (await visitor.get("/pricing", params=form | {"lang": "de"})).text
    assert "1,200 seats" in english and "31 January 2027" in english and "Germany" in english
    assert "1.200 Plätze" in german and "31. Januar 2027" in german and ">Deutschland<" in german
    assert re.search(r"€\d+,\d{3}\.\d\d", english) and re.search(r"\d+\.\d{3},\d\d\xa0€", german)
    french = (await visitor.get("/pricing", params=form | {"lang": "fr", "start": "2027-02-01"})).text
    assert "1\u202f200\xa0sièges" in french and "du 1er février 2027 au 28 février 2027" in french
    assert re.search(r"\d+\u202f\d{3},\d\d\xa0€", french)
    named = re.findall(r'<option value="[A-Z]{2}"[^>]*>([^<]+)', french)
    assert (
        named.index("Allemagne")
        < named.index("Espagne")
        < named.index("États-Unis")
        < named.index("Finlande")
    )
    wrong = (await visitor.get("/pricing", params=form | {"seats": "none", "lang": "de"})).text
    assert "Schreiben Sie eine Zahl von 1 bis 100.000." in wrong


async def test_a_page_that_lacks_one_word_is_english_whole_and_says_so(
    visitor: httpx.AsyncClient, catalogues: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "log", structlog.get_logger())
    words = (catalogues / "de.po").read_text("utf-8")
    (catalogues / "de.po").write_text(
        words.replace('msgstr "Neues Passwort wählen"', 'msgstr ""').replace(
            'msgstr "Passwort vergessen"', 'msgstr ""'
        ),
        "utf-8",
    )
    answer = await visitor.get("/reset", headers=GERMAN)
    assert spoken(answer) == "en" and "Forgotten password" in answer.text and "senden" not in answer.text
    assert spoken(await visitor.get("/wish", headers=GERMAN)) == "de"
    [line] = lines()
    assert (line["event"], line["template"], line["language"]) == (
        "page_not_said",
        "entrance/reset-ask.html",
        "de",
    )
    assert "Forgotten" not in str(line)


async def test_one_more_file_is_one_more_language_also_from_right_to_left(
    visitor: httpx.AsyncClient, catalogues: Path
) -> None:
    """The words are made up; each is ours turned round a mark that nothing else writes."""
    whole = read_catalogue(catalogues / "de.po")
    for message in whole:
        if message.id:
            message.string = f"\u2067{message.id}"
    with (catalogues / "ar.po").open("wb") as file:
        write_po(file, whole, omit_header=True)
    language.languages.cache_clear()
    for path in (*ENTRANCE, *SITE):
        answer = await visitor.get(path, headers={"accept-language": "ar-EG"})
        assert spoken(answer) == "ar" and '<html lang="ar" dir="rtl">' in answer.text, path
        assert 'lang="ar" aria-current="true">العربية</a>' in answer.text
        bare_words = re.sub(r"<(script|svg|code|pre|bdi).*?</\1>", "", answer.text, flags=re.S)
        assert "\u2067" in bare_words
    assert (
        '<html lang="en" dir="ltr">'
        in (await visitor.get("/privacy", headers={"accept-language": "ar"})).text
    )


async def test_every_page_that_is_linked_says_which_language_it_is_in(visitor: httpx.AsyncClient) -> None:
    for path in frame.menu.paths():
        answer = await visitor.get(path, headers=GERMAN)
        assert spoken(answer) == ("en" if path in ONLY_ENGLISH else "de"), path
        assert ('class="coming" role="note" lang="de"' in answer.text) is (path in ONLY_ENGLISH), path
    assert set(frame.menu.paths()) == {*SITE, *ONLY_ENGLISH}


async def test_no_word_of_a_german_page_is_english_unless_it_is_marked_so(visitor: httpx.AsyncClient) -> None:
    for path in (*ENTRANCE, *SITE):
        for headers in (GERMAN, GERMAN | {"dnt": "1"}):
            page = (await visitor.get(path, headers=headers)).text
            assert spoken_words(page).isdisjoint(THEIRS), (path, spoken_words(page) & THEIRS)


async def test_search_engines_find_each_page_in_each_of_its_languages(visitor: httpx.AsyncClient) -> None:
    places = Tree.fromstring((await visitor.get("/sitemap.xml")).content)
    told: dict[str, dict[str, str]] = {}
    for one in places:
        told[one[0].text or ""] = {link.get("hreflang", ""): link.get("href", "") for link in one[1:]}
    for path in frame.menu.paths():
        page = (await visitor.get(path)).text
        there = re.findall(r'<link rel="alternate" hreflang="([\w-]+)" href="([^"]*)">', page)
        assert told[OURS + path] == dict(there) and len(there) != 1, path
        for place in told[OURS + path].values():
            assert told[place] == dict(there), place
            assert f'<link rel="canonical" href="{place}">' in (await visitor.get(place)).text
    assert OURS + "/cookies?lang=de" in told and OURS + "/privacy?lang=de" not in told


async def test_nothing_of_a_language_is_kept_between_two_pages(visitor: httpx.AsyncClient) -> None:
    for path in (*ENTRANCE, *SITE):
        await visitor.get(f"{path}?lang=de")
        assert spoken(await visitor.get(path)) == "en" and not visitor.cookies
