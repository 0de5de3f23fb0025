"""Signing in with one's company: over the real pages, at a real OpenID Connect provider on loopback."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import run_server_in_thread
from structlog.testing import capture_logs

from chatinbox.accounts import colleagues, invite, people, sessions
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sso import domains
from chatinbox.accounts.sso.connection import Provider, connect, read_connection, set_rules
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App, build
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core import clock
from chatinbox.core.db import statements
from chatinbox.core.egress import Egress
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.settings import sso_page
from chatinbox.web.tests.refused import told


@pytest.fixture(autouse=True)
def patient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sso_page, "letters", Throttle(30, 3600))


@pytest.fixture(scope="module")
def near(inst: Installation) -> Installation:
    """The installation with its operator's own network open, where the provider of the tests is."""
    return replace(
        inst,
        egress=Egress(inst.db, inst.vault, None, inside=True),
        settings=replace(inst.settings, inside_targets=True),
    )


@pytest.fixture(scope="module")
async def near_app(near: Installation) -> App:
    return await build(near)


@dataclass
class Idp:
    url: str


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    with run_server_in_thread() as server:
        yield Idp(f"http://localhost:{server.server_port}")


@pytest.fixture
async def browser(near: Installation, near_app: App) -> AsyncIterator[Browser]:
    one = Browser(near, near_app)
    yield one
    await one.aclose()


def another(browser: Browser) -> Browser:
    return Browser(browser.inst, browser.app)


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/api/list")).status_code == 200


async def letter_link(inst: Installation, staff: Staff, words: str) -> str:
    for _ in range(200):
        for letter in await list_kept(inst, staff):
            if found := re.search(words, letter.text):
                return found[0]
        await asyncio.sleep(0.02)
    raise AssertionError("no letter came")


async def with_company(inst: Installation, idp: Idp, staff: Staff) -> str:
    """Connects an account to the provider, and confirms a domain for it; the domain."""
    urls = [f"{idp.url}{path}" for path in ("/oauth2/authorize", "/oauth2/token", "/jwks")]
    await connect(inst, staff, "oidc", Provider(idp.url, "us", "secret", *urls))
    domain = f"corp-{new_id().hex[-10:]}.example"
    await domains.claim(inst, staff, domain)
    link = await letter_link(inst, staff, rf"{domain} is yours and[\s\S]+/sso/domain/\S+")
    await domains.confirm(inst, link.rpartition("/")[2])
    return domain


async def at_provider(idp: Idp, url: str, sub: str, email: str, **claims: object) -> str:
    """Signs in at the provider like a person; the path it sends back to."""
    async with httpx.AsyncClient() as there:
        told = {"email": email, "name": "Eva Corp", **claims}
        (await there.put(f"{idp.url}/users/{sub}", json=told)).raise_for_status()
        answer = await there.post(url, data={"sub": sub})
    assert answer.status_code == 302, answer.text[:300]
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


async def begin(browser: Browser, email: str) -> str:
    page = await browser.post("/sign-in/company", data={"email": email})
    assert page.status_code == 200, page.text
    return page.headers["refresh"].partition("url=")[2]


async def come(
    browser: Browser, idp: Idp, email: str, sub: str | None = None, **claims: object
) -> httpx.Response:
    url = await begin(browser, email)
    return await browser.get(await at_provider(idp, url, sub or email.partition("@")[0], email, **claims))


async def member(inst: Installation, owner: Staff, email: str) -> Staff:
    """Somebody of the account who has a password."""
    from chatinbox.accounts.add_staff import add_staff

    return await add_staff(inst, owner.account_id, "Eva", email, "staff", PASSWORD)


def refused(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status and words in answer.text, answer.text
    assert "session" not in answer.headers.get("set-cookie", "")


async def test_an_owner_connects_a_provider_on_the_page_and_a_colleague_signs_in(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    page = await (await browser.as_(ada)).get("/settings/single-sign-on")
    assert "/back</code>" in page.text
    form = {"do": "oidc", "issuer": idp.url, "client_id": "us", "secret": "very secret"}
    assert "is connected" in (await browser.post("/settings/single-sign-on", data=form)).text
    assert "very secret" not in (await browser.get("/settings/single-sign-on")).text
    domain = f"corp-{new_id().hex[-10:]}.example"
    await browser.post("/settings/single-sign-on", data={"do": "claim", "domain": domain})
    link = await letter_link(near, ada, r"/sso/domain/\S+")
    someone = another(browser)
    assert f"Is {domain} yours?" in (await someone.get(link)).text
    assert "is confirmed" in (await someone.post(link)).text
    refused(await someone.post(link), 410, "used already")
    eva = await member(near, ada, f"eva@{domain}")
    hers = another(browser)
    answer = await come(hers, idp, f"eva@{domain}")
    assert answer.headers["location"] == "/inbox"
    session = await sessions.session_for(near, hers.cookies["session"])
    assert session and session.staff.staff_user_id == eva.staff_user_id
    ask = "select outcome, basis, fields from ledger where account_id = %s and gate = 'http' order by id"
    [rows] = await near.db.run(ada.account_id, (ask, [ada.account_id]))
    assert {row[0] for row in rows} == {"taken"} and {row[1] for row in rows} == {"integration"}
    assert all(row[2] for row in rows)  # each says what was in it, though it be nothing about anybody


async def test_what_is_learnt_is_the_domain_and_never_the_person(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"known@{domain}")
    pages = []
    for email in (f"known@{domain}", f"other@{domain}"):
        answer = await another(browser).post("/sign-in/company", data={"email": email})
        text = re.sub(r'nonce="[^"]*"|(state|nonce|code_challenge)=[\w-]+', "", answer.text)
        pages.append((answer.status_code, text, sorted(answer.headers)))
    assert pages[0] == pages[1]
    refused(
        await browser.post("/sign-in/company", data={"email": "x@nobody.example"}), 422, "no company sign-in"
    )


async def test_the_same_is_asked_of_the_database_whether_a_person_is_known_or_not(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"known@{domain}")
    asked: list[list[str]] = []
    for email in (f"known@{domain}", f"other@{domain}"):
        asked.append([])
        reset = statements.set(asked[-1])
        await begin(another(browser), email)
        statements.reset(reset)
    assert asked[0] == asked[1] and any("find_sso_domain" in text for text in asked[0])
    assert not any("person" in text or "staff_user" in text for text in asked[0])


async def test_where_it_is_compulsory_an_invitation_gives_no_session_by_password(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await set_rules(near, ada, None, compulsory=True)
    link = await invite.invite(near, ada, f"new@{domain}", "staff")
    form = {"name": "New", "password": "four unlikely words marching backwards"}
    answer = await browser.post(urlsplit(link).path, data=form)
    assert answer.headers["location"] == "/sign-in/company" and "session" not in browser.cookies
    assert (await come(browser, idp, f"new@{domain}")).headers["location"] == "/inbox"


async def test_who_comes_by_a_company_from_an_invitation_joins_that_company_and_is_told_why_no_other(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    email, foreign = f"eva@{domain}", another(browser)
    paths = [urlsplit(await invite.invite(near, by, email, "viewer")).path for by in (ada, cyd)]
    arrived = []
    for at, path in zip((browser, foreign), paths, strict=True):
        asked = f"/sign-in/company?invitation={path.rsplit('/', 1)[1]}"
        page = await at.post(asked, data={"email": email})
        url = page.headers["refresh"].partition("url=")[2]
        assert path.rsplit("/", 1)[1] not in url
        arrived.append((await at.get(await at_provider(idp, url, "eva", email))).headers["location"])
    assert arrived == ["/inbox", paths[1]]
    page = (await foreign.get(paths[1])).text
    assert "so you cannot join another with it" in page and "choose a password first" in page
    third = await invite.invite(near, cyd, f"new@{domain}", "viewer")
    assert "has a sign-in already" not in (await another(browser).get(urlsplit(third).path)).text
    person_id = await people.find_person(near, email)
    assert person_id and [one for one, _ in await people.works_in(near, person_id)] == [ada.account_id]


async def test_a_company_whose_sign_in_knows_the_address_offers_it_on_its_invitation(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    email = f"eva@{domain}"
    person_id = await people.add_person(near, "Eva", email, None, confirmed=True)
    assert person_id
    await join(near, cyd.account_id, person_id, "staff")
    path = urlsplit(await invite.invite(near, ada, email, "viewer")).path
    assert "you join by that" in (await browser.get(path)).text
    assert (await come(browser, idp, email)).headers["location"] == "/inbox"
    assert ada.account_id in dict(await people.works_in(near, person_id))


async def test_nothing_of_the_person_goes_to_the_provider_with_the_browser(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    url = await begin(browser, f"eva@{domain}")
    assert "eva" not in url and domain not in url
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"] and query["response_type"] == ["code"]


async def test_a_stranger_is_not_let_in_until_invited_or_the_account_says_so(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    refused(await come(browser, idp, f"new@{domain}"), 403, "nobody here has invited you")
    assert await people.find_person(near, f"new@{domain}") is None
    await invite.invite(near, ada, f"new@{domain}", "staff")
    assert (await come(browser, idp, f"new@{domain}")).headers["location"] == "/inbox"
    assert await invite.list_invitations(near, ada) == []
    await set_rules(near, ada, "viewer", compulsory=False)
    assert (await come(another(browser), idp, f"jit@{domain}")).headers["location"] == "/inbox"
    roles = {one.email.partition("@")[0]: one.role for one in await read_staff(near, ada.account_id)}
    assert (roles["new"], roles["jit"]) == ("staff", "viewer")
    assert len(await read_staff(near, cyd.account_id)) == 1
    with pytest.raises(Refused):
        await set_rules(near, ada, "owner", compulsory=False)


async def test_somebody_is_known_by_the_providers_id_not_by_a_changed_address(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sub="id-of-eva")
    answer = await come(another(browser), idp, f"married@{domain}", sub="id-of-eva")
    assert answer.headers["location"] == "/inbox"
    token = answer.headers["set-cookie"].partition("session=")[2].partition(";")[0]
    session = await sessions.session_for(near, token)
    assert session and session.staff.staff_user_id == eva.staff_user_id


async def test_a_provider_is_believed_about_its_own_domains_only(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    """Cyd runs a provider that says to be Ada, and one that says to be an employee of Ada's company."""
    domain_a, domain_c = await with_company(near, idp, ada), await with_company(near, idp, cyd)
    await set_rules(near, cyd, "admin", compulsory=False)
    ada_email = (await people.read_person(near, ada.person_id)).email
    for email in (ada_email, f"eva@{domain_a}"):
        url = await begin(browser, f"x@{domain_c}")
        refused(
            await browser.get(await at_provider(idp, url, new_id().hex, email)), 403, "not of its own domains"
        )
    url = await begin(browser, f"x@{domain_c}")
    back = await at_provider(idp, url, new_id().hex, f"x@{domain_c}", email_verified=False)
    refused(await browser.get(back), 403, "not of its own domains")
    assert len(await read_staff(near, cyd.account_id)) == 1


async def test_a_domain_is_one_accounts_only(near: Installation, idp: Idp, ada: Staff, cyd: Staff) -> None:
    domain = await with_company(near, idp, ada)
    await domains.claim(near, cyd, domain)
    link = await letter_link(near, cyd, r"/sso/domain/\S+")
    with pytest.raises(Refused) as taken:
        await domains.confirm(near, link.rpartition("/")[2])
    assert taken.value.code == "domain_taken"
    assert not await domains.is_ours(near, cyd.account_id, domain)
    [mine] = await domains.read_domains(near, ada.account_id)
    with pytest.raises(Refused) as foreign:
        await domains.let_go(near, cyd, mine.id)
    with pytest.raises(Refused) as made_up:
        await domains.let_go(near, cyd, new_id())
    assert str(vars(foreign.value)) == str(vars(made_up.value))


async def test_a_callback_used_twice_expired_tampered_in_another_browser_or_on_anothers_path_signs_nobody_in(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain, domain_c = await with_company(near, idp, ada), await with_company(near, idp, cyd)
    email = f"eva@{domain}"
    await member(near, ada, email)

    async def back(of: Browser) -> str:
        return await at_provider(idp, await begin(of, email), "eva", email)

    path = await back(browser)
    refused(await another(browser).get(path), 403, "did not begin in this browser")
    refused(await browser.get(path), 410, "used already")  # and what was tried is used up
    path = await back(browser)
    with capture_logs() as logs:
        refused(await browser.get(path.replace("state=", "state=x")), 410, "used already")
    assert told(logs) == ("sso_again", "/sso/{path}/back", 410)
    assert email not in str(logs)
    with clock.travel(timedelta(minutes=11)):
        refused(await browser.get(path), 410, "took too long")
    path = await back(browser)
    refused(await browser.get(path + "&iss=https://evil.example"), 403, "cannot trust")
    path = await back(browser)
    theirs = urlsplit(
        await at_provider(idp, await begin(another(browser), f"x@{domain_c}"), "x", "x@x.example")
    )
    mixed = f"{theirs.path}?{urlsplit(path).query}"
    with capture_logs() as logs:
        refused(await browser.get(mixed), 403, "did not begin")
    assert told(logs) == ("sso_mixed_up", "/sso/{path}/back", 403) and email not in str(logs)
    path = await back(browser)
    refused(await browser.get(re.sub(r"code=[^&]+", "code=guess", path)), 422, "did not answer as expected")
    refused(await browser.get(re.sub(r"/sso/\w+/", "/sso/made-up/", path)), 410, "used already")
    url = await begin(browser, email)
    state = parse_qs(urlsplit(url).query)["state"][0]
    here = urlsplit(path).path
    refused(await browser.get(f"{here}?error=access_denied&state={state}"), 403, "said no")
    path = await back(browser)
    assert (await browser.get(path)).headers["location"] == "/inbox"
    refused(await browser.get(path), 410, "used already")


async def test_who_was_let_go_stays_out_and_their_sessions_have_ended(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}")
    await colleagues.deactivate(near, ada, eva.staff_user_id)
    assert await sessions.session_for(near, browser.cookies["session"]) is None
    refused(await come(another(browser), idp, f"eva@{domain}"), 403, "no longer work")


async def test_where_it_is_compulsory_a_right_password_leads_to_it_and_owners_keep_a_way_in(
    near: Installation, idp: Idp, ada: Staff, bea: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    owner = await member(near, ada, f"boss@{domain}")
    await hand_over(near, ada, owner.staff_user_id, "owner")
    await set_rules(near, ada, None, compulsory=True)
    wrong = {"email": f"eva@{domain}", "password": "not hers, and long enough"}
    refused(await browser.post("/sign-in", data=wrong), 422, "do not belong together")
    refused(await browser.post("/sign-in", data=wrong | {"password": PASSWORD}), 403, "by its own sign-in")
    for email in (f"boss@{domain}", (await people.read_person(near, bea.person_id)).email):
        answer = await another(browser).post("/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.headers["location"] == "/inbox"
    assert (await come(browser, idp, f"eva@{domain}")).headers["location"] == "/inbox"


async def test_turning_it_compulsory_ends_the_sessions_of_those_it_is_for_alone(
    near: Installation, idp: Idp, ada: Staff, bea: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    open_ = {who: another(browser) for who in (ada, bea, cyd, eva)}
    for who, theirs in open_.items():
        await theirs.as_(who)
    await set_rules(near, ada, None, compulsory=True)
    for who, theirs in open_.items():
        found = await sessions.session_for(near, theirs.cookies["session"])
        assert (found is None) == (who == eva)


async def test_who_has_no_password_has_none_that_is_right(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await set_rules(near, ada, "staff", compulsory=False)
    await come(browser, idp, f"new@{domain}")
    for guess in ("", "None", "null"):
        refused(
            await another(browser).post("/sign-in", data={"email": f"new@{domain}", "password": guess}),
            422,
            "do not",
        )


async def test_only_who_may_connect_programs_sees_the_page_or_does_its_acts(
    near: Installation, ada: Staff, bea: Staff, browser: Browser
) -> None:
    await browser.as_(bea)
    assert (await browser.get("/settings/single-sign-on")).headers["location"] == "/settings/profile"
    for do in ("oidc", "disconnect", "rules", "claim", "let-go"):
        assert (await browser.post("/settings/single-sign-on", data={"do": do})).status_code == 403
    await browser.as_(ada)
    with clock.travel(timedelta(hours=1)):
        page = await browser.post("/settings/single-sign-on", data={"do": "claim", "domain": "x.example"})
    assert "Is it you?" in page.text and await domains.read_domains(near, ada.account_id) == []


@pytest.mark.parametrize(
    "issuer",
    ["http://169.254.169.254", "https://10.0.0.1", "ftp://x", "no address", "https://no-such.invalid", ""],
)
async def test_an_issuer_that_cannot_be_asked_gets_a_sentence_and_nothing_is_kept(
    inst: Installation, client: Browser, ada: Staff, issuer: str
) -> None:
    form = {"do": "oidc", "issuer": issuer, "client_id": "us", "secret": "s"}
    answer = await (await client.as_(ada)).post("/settings/single-sign-on", data=form)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert await read_connection(inst, ada.account_id) is None


async def test_a_provider_that_calls_itself_otherwise_is_not_connected(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    form = {
        "do": "oidc",
        "issuer": idp.url + "/",
        "client_id": "us",
        "secret": "s",
    }
    answer = await (await browser.as_(ada)).post("/settings/single-sign-on", data=form)
    refused(answer, 422, "by another address")


async def test_a_change_of_provider_forgets_who_came_by_the_old_one(
    near: Installation, idp: Idp, ada: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    path = await at_provider(idp, await begin(browser, f"eva@{domain}"), "eva", f"eva@{domain}")
    before = await read_connection(near, ada.account_id)
    assert before
    await connect(near, ada, "oidc", before.provider)
    refused(await browser.get(path), 403, "did not begin")
    [[(count,)]] = await near.db.run(
        ada.account_id, ("select count(*) from sso_identity where account_id = %s", [ada.account_id])
    )
    assert count == 0
