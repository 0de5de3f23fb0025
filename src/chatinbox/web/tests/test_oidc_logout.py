"""Signing out at both ends by OpenID Connect: at a real provider on loopback, whose key signs the logout tokens."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread
from structlog.testing import capture_logs

from chatinbox.accounts import sessions
from chatinbox.accounts.sso import oidc_logout
from chatinbox.accounts.sso.connection import change_ways, place, read_connection
from chatinbox.accounts.sso.oidc import discover
from chatinbox.accounts.sso.oidc_logout import EVENT
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.left.read import read_ledger
from chatinbox.web.entrance import company_out
from chatinbox.web.tests import test_session_ends, test_sso
from chatinbox.web.tests.test_session_ends import AT_MOST, Open, url
from chatinbox.web.tests.test_sso import another, browser, come, member, near, near_app, patient, with_company

__all__ = ["browser", "near", "near_app", "patient", "url"]


@dataclass
class Idp(test_sso.Idp):
    """The provider, and the key by which it signs."""

    key: RSAKey


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    with run_server_in_thread() as server:
        app: Any = server.app
        with app.test_request_context("/"):
            app.preprocess_request()
            words = flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True)
        yield Idp(f"http://localhost:{server.server_port}", RSAKey.import_key(words))


def token(idp: Idp, key: Any = None, alg: str = "RS256", typ: str = "logout+jwt", **changed: Any) -> str:
    """A logout token of this provider; a claim that is None is left out."""
    moment = int(time.time())
    usual: dict[str, Any] = {
        "iss": idp.url, "aud": "us", "iat": moment, "exp": moment + 120, "jti": new_id().hex, "events": {EVENT: {}},
    }  # fmt: skip
    claims = {name: value for name, value in (usual | changed).items() if value is not None}
    header = {"alg": alg, "typ": typ, "kid": idp.key.as_dict(private=False).get("kid", "")}
    if not header["kid"]:
        del header["kid"]
    return jwt.encode(header, claims, key or idp.key, algorithms=[alg])


async def says(of: Browser, staff: Staff, words: str, door: str = "") -> httpx.Response:
    """What the provider's own server posts, which has no cookie of ours and no origin."""
    path = door or urlsplit(place(of.inst, staff.account_id, "backchannel-logout")).path
    return await another(of).post(path, data={"logout_token": words}, headers={"origin": ""})


def same(answer: httpx.Response) -> tuple[Any, ...]:
    """All of an answer that somebody could tell two apart by."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, answer.content, sorted(headers.items())


async def is_in(one: Browser) -> bool:
    return (await one.get("/api/list")).status_code == 200


async def test_a_logout_token_ends_the_session_it_names_and_no_other_of_anybodys(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    """Cyd's account has the same provider, and a staff user there whom it knows by the same id and the same session."""
    domain, theirs = await with_company(near, idp, ada), await with_company(near, idp, cyd)
    eva = await member(near, ada, f"eva@{domain}")
    await member(near, ada, f"bob@{domain}")
    await member(near, cyd, f"eva@{theirs}")
    one, two, bobs, password, outsider = (another(browser) for _ in range(5))
    await come(one, idp, f"eva@{domain}", sid="s1")
    await come(two, idp, f"eva@{domain}", sid="s2")
    await come(bobs, idp, f"bob@{domain}", sid="s3")
    await come(outsider, idp, f"eva@{theirs}", sid="s1")
    await password.as_(eva)
    all_of_them = (one, two, bobs, password, outsider)
    answer = await says(browser, ada, token(idp, sid="s1"))
    assert (
        answer.status_code == 200 and answer.content == b"" and answer.headers["cache-control"] == "no-store"
    )
    assert [await is_in(browser) for browser in all_of_them] == [False, True, True, True, True]
    # Of a session and a person who do not belong together, nothing ends; and so it is with what nobody here has.
    for words in (
        {"sid": "s3", "sub": "eva"},
        {"sid": "s3", "sub": "nobody"},
        {"sid": "s1"},
        {"sid": "s9"},
        {"sub": "nobody"},
    ):
        told = await says(browser, ada, token(idp, **words))
        assert same(told) == same(answer), words
    assert [await is_in(browser) for browser in all_of_them] == [False, True, True, True, True]
    # Without a session named, all that the provider vouched for ends, and what a password opened stays.
    assert same(await says(browser, ada, token(idp, sub="eva"))) == same(answer)
    assert [await is_in(browser) for browser in all_of_them] == [False, False, True, True, True]


async def test_the_stream_of_a_session_ends_with_it_within_five_seconds(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, url: str
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sid="s1")
    hers = Open(url, browser.cookies["session"])
    his, _ = await test_session_ends.opened(near, url, cyd)
    await asyncio.wait_for(hers.began.wait(), 10)
    assert (await says(browser, ada, token(idp, sid="s1"))).status_code == 200
    assert await hers.dies_within(AT_MOST) <= AT_MOST
    assert (await hers.browser.get("/api/list")).status_code == 401
    assert not his.task.done()
    for one in (hers, his):
        await one.close()


async def test_forged_foreign_old_and_repeated_tokens_end_nothing_and_are_answered_alike(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sub="id-of-eva", sid="s1")
    await with_company(near, idp, cyd)
    moment, right = int(time.time()), token(idp, sid="s1")
    fake = RSAKey.generate_key(2048)
    words = {
        "another key": token(idp, fake, sid="s1"),
        "another issuer": token(idp, sid="s1", iss="https://other.example"),
        "another client": token(idp, sid="s1", aud="them"),
        "two clients": token(idp, sid="s1", aud=["us", "them"]),
        "no audience": token(idp, sid="s1", aud=None),
        "no event": token(idp, sid="s1", events=None),
        "another event": token(idp, sid="s1", events={"https://other.example/event": {}}),
        "an event that says something else": token(idp, sid="s1", events={EVENT: "yes"}),
        "a list of events": token(idp, sid="s1", events=[EVENT]),
        "an id token": token(idp, sid="s1", nonce="n"),
        "an access token": token(idp, sid="s1", typ="at+jwt"),
        "an empty nonce": token(idp, sid="s1", nonce=""),
        "of nobody": token(idp),
        "a session that is no text": token(idp, sid=["s1"]),
        "a session of no letters": token(idp, sid="", sub="id-of-eva"),
        "an endless session": token(idp, sid="s" * 300),
        "no id of its own": token(idp, sid="s1", jti=None),
        "a list as its id": token(idp, sid="s1", jti=["x"]),
        "no end": token(idp, sid="s1", exp=None),
        "ended": token(idp, sid="s1", exp=moment - 100),
        "no beginning": token(idp, sid="s1", iat=None),
        "not yet": token(idp, sid="s1", iat=moment + 200),
        "long ago": token(idp, sid="s1", iat=moment - 2000),
        "a time that is none": token(idp, sid="s1", iat=float("nan")),
        "an end that is none": token(idp, sid="s1", exp=float("nan")),
        "an end beyond all counting": token(idp, sid="s1", exp=10**400),
        "an endless time": token(idp, sid="s1", iat=float("inf"), exp=float("inf")),
        "one letter less": right[:-5],
        "no signature": right.rpartition(".")[0] + ".",
        "nothing": "",
        "too much": "x" * 60_000,
    }
    answers = {}
    for how, word in words.items():
        with capture_logs() as logs:
            answers[how] = same(await says(browser, ada, word))
        assert [line["event"] for line in logs if "logout" in line["event"]] == ["sso_logout_refused"], how
        assert "id-of-eva" not in str(logs) and domain not in str(logs)
    door = urlsplit(place(near, ada.account_id, "backchannel-logout")).path
    of_nobody, no_door = door.replace(door.split("/")[2], "0" * 64), "/sso/made-up/backchannel-logout"
    answers["at a door of nobody"] = same(await says(browser, ada, right, of_nobody))
    answers["at no door"] = same(await says(browser, ada, right, no_door))
    fields = "&".join(f"a{n}=b" for n in range(20))
    posted = await another(browser).post(
        door, content=fields, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    answers["too many words"] = same(posted)
    for moved in (timedelta(minutes=7), timedelta(minutes=-7)):
        with clock.travel(moved):
            answers[f"another time {moved}"] = same(await says(browser, ada, right))
    assert {answer[0] for answer in answers.values()} == {400} and len(
        {str(one) for one in answers.values()}
    ) == 1
    assert ("cache-control", "no-store") in answers["nothing"][2]
    assert await is_in(browser)
    assert (await says(browser, ada, right)).status_code == 200 and not await is_in(browser)
    await come(browser, idp, f"eva@{domain}", sub="id-of-eva", sid="s1")
    assert same(await says(browser, ada, right)) == answers["nothing"] and await is_in(
        browser
    )  # said once already


async def test_however_many_tokens_come_the_provider_is_asked_for_its_keys_once(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    await with_company(near, idp, ada)
    fake = RSAKey.generate_key(2048)
    for n in range(4):
        await says(browser, ada, token(idp, sid=f"s{n}"))
        await says(browser, ada, token(idp, fake, sid=f"s{n}"))
    asked = [one.instruction for one in await read_ledger(near, ada)]
    assert asked.count("keys of the provider") == 1
    assert await read_ledger(near, cyd) == [] or "keys" not in str(await read_ledger(near, cyd))


async def test_keys_that_a_provider_changed_are_asked_for_again(
    near: Installation, ada: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_server_in_thread() as server:
        app: Any = server.app
        with app.test_request_context("/"):
            app.preprocess_request()
            storage = flask.g.oidc_provider_mock_storage
        one = Idp(
            f"http://localhost:{server.server_port}", RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        )
        domain = await with_company(near, one, ada)
        await member(near, ada, f"eva@{domain}")
        await come(browser, one, f"eva@{domain}", sid="s1")
        assert (await says(browser, ada, token(one, sid="s9"))).status_code == 200
        storage.jwk = type(storage.jwk).generate_key(is_private=True)
        one.key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        assert (
            await says(browser, ada, token(one, sid="s1"))
        ).status_code == 400  # it was asked this very moment
        monkeypatch.setattr(oidc_logout, "_SOONEST", 0.0)
        assert (await says(browser, ada, token(one, sid="s1"))).status_code == 200 and not await is_in(
            browser
        )


async def test_who_signs_out_here_is_signed_out_there_where_the_account_wants_that_and_it_is_in_the_ledger(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sid="s1")
    assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"  # it is not asked for
    owner = await another(browser).as_(ada)
    page = await owner.post("/settings/single-sign-on", data={"do": "ends-there", "ends_there": "on"})
    assert "is signed out there too" in page.text
    connection = await read_connection(near, ada.account_id)
    assert connection and connection.provider.logout_url == f"{idp.url}/oauth2/end_session"
    await come(browser, idp, f"eva@{domain}", sid="s1")
    page = await browser.post("/sign-out")
    away = page.headers["refresh"].partition("url=")[2]
    assert page.status_code == 200 and not await is_in(browser)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
    back = place(near, ada.account_id, "signed-out")
    state = asked.pop("state")
    assert asked == {"client_id": "us", "post_logout_redirect_uri": back, "logout_hint": "s1"}
    assert "eva" not in away and domain not in away

    async def rows(by: Staff) -> list[Any]:
        return [one for one in await read_ledger(near, by) if one.instruction.startswith("signing out")]

    [row] = await rows(ada)
    assert (row.recipient, row.basis, row.fields) == (idp.url, "integration", ["session at the provider"])
    assert row.outcome == "begun" and await rows(cyd) == []
    async with httpx.AsyncClient() as there:  # the provider asks, and sends back
        form = await there.get(away)
        assert form.status_code == 200 and back in form.text
        answer = await there.post(
            f"{idp.url}/oauth2/end_session/confirm", data={"redirect_uri": f"{back}?state={state}"}
        )
    path = answer.headers["location"].replace(near.settings.public_url, "")
    page = await browser.get(path)
    assert "sign-in knows it" in page.text
    assert "hreflang" not in page.text, "a link to it in another language would answer a second time"
    assert [one.outcome for one in await rows(ada)] == ["taken"]
    for gone in (path, path.replace("state=", "state=x"), urlsplit(path).path):  # an answer counts once
        assert (await browser.get(gone)).status_code == 410
    # Whoever came by a password is not sent away, and nothing is kept of who signed out.
    hers = await another(browser).as_(eva)
    assert (await hers.post("/sign-out")).headers["location"] == "/sign-in"
    [[(count,)]] = await near.db.run(ada.account_id, ("select count(*) from sso_session", []))
    assert count == 0


async def test_whoever_is_still_signed_in_here_is_not_told_that_they_are_out(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    """Somebody's way back opens in any browser; it ends no session there, and tells of none that was ended."""
    domain = await with_company(near, idp, ada)
    await change_ways(near, ada, f"{idp.url}/oauth2/end_session", signs=False, ends_there=True)
    await member(near, ada, f"eva@{domain}")
    outsider, out = await another(browser).as_(cyd), "You are signed out"
    for opens, sees, hides in ((outsider, 'href="/inbox"', out), (browser, out, 'href="/inbox"')):
        await come(browser, idp, f"eva@{domain}", sid="s1")
        away = (await browser.post("/sign-out")).headers["refresh"].partition("url=")[2]
        state = parse_qs(urlsplit(away).query)["state"][0]
        page = await opens.get(f"{place(near, ada.account_id, 'signed-out')}?state={state}")
        assert page.status_code == 200 and sees in page.text and hides not in page.text
        assert ("sent you back" in page.text) == (opens is outsider)
    assert await is_in(outsider) and not await is_in(browser)


async def test_an_answer_to_one_account_is_none_to_another(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await with_company(near, idp, cyd)
    await change_ways(near, ada, f"{idp.url}/oauth2/end_session?there=1", signs=False, ends_there=True)
    await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}")
    away = (await browser.post("/sign-out")).headers["refresh"].partition("url=")[2]
    asked = parse_qs(urlsplit(away).query)
    assert asked["there"] == ["1"] and "logout_hint" not in asked  # this provider named no session
    theirs = urlsplit(place(near, cyd.account_id, "signed-out")).path
    assert (await browser.get(f"{theirs}?state={asked['state'][0]}")).status_code == 403
    [row] = [one for one in await read_ledger(near, ada) if one.instruction.startswith("signing out")]
    assert row.outcome == "begun" and row.fields == []


NO_ADDRESSES = (
    None, 7, "", "javascript:alert(1)", "https:", "https:///out", "https://idp.example:none/", "https://idp.example:0/",
    "https://idp.example:99999/", "https://idp.example/a b", "https://idp.example/a\r\nx: y", "https://idp.example/\x7f",
    "https://idp.example/ö", "https://idp.example/☃", "https://idp.example/#there", "https://idp.example/#",
    "https://idp.example\\@other.example/", "https://[idp/", f"https://idp.example/{'x' * 2000}",
)  # fmt: skip


def telling(idp: Idp, **changed: Any) -> Any:
    """A discovery that says this of the provider."""
    usual = {
        "issuer": idp.url,
        "authorization_endpoint": f"{idp.url}/oauth2/authorize",
        "token_endpoint": f"{idp.url}/oauth2/token",
        "jwks_uri": f"{idp.url}/jwks",
        "end_session_endpoint": f"{idp.url}/oauth2/end_session",
    }

    async def tells(*_words: Any, **_more: Any) -> dict[str, Any]:
        return usual | changed

    return tells


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_that_tells_no_address_is_not_connected(
    near: Installation, idp: Idp, ada: Staff, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for address in NO_ADDRESSES:
        monkeypatch.setattr("chatinbox.accounts.sso.oidc._ask", telling(idp, **{name: address}))
        with pytest.raises(Refused) as refused:
            await discover(near, ada, idp.url, "us", "secret")
        assert refused.value.sentence == f"The provider there says no usable {name}.", address


@pytest.mark.parametrize("logout_url", ["https://idp.example:none/", "https://idp.example/☃"])
async def test_who_cannot_be_sent_to_the_provider_is_signed_out_here_all_the_same(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, logout_url: str
) -> None:
    """By an address that was taken before addresses were looked at as they are now."""
    domain = await with_company(near, idp, ada)
    await change_ways(near, ada, logout_url, signs=False, ends_there=True)
    await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sid="s1")
    outsider = await another(browser).as_(cyd)
    with capture_logs() as logs:
        answer = await browser.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["clear-site-data"] == '"cache", "storage"' and "refresh" not in answer.headers
    assert "max-age=0" in answer.headers["set-cookie"].lower() and "session" not in browser.cookies
    assert "sso_sign_out_failed" in [line["event"] for line in logs]
    assert not await is_in(browser) and await is_in(outsider)


async def test_the_page_tells_what_to_register_and_a_provider_that_signs_nobody_out_is_not_switched_on(
    near: Installation,
    idp: Idp,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [place(near, ada.account_id, what) for what in ("backchannel-logout", "signed-out")]
    owner, form = await another(browser).as_(ada), {"do": "ends-there", "ends_there": "on"}
    page = await owner.get("/settings/single-sign-on")
    assert all(f"<code>{one}</code>" in page.text for one in addresses)
    assert (await owner.post("/settings/single-sign-on", data=form)).status_code == 404
    await with_company(near, idp, ada)
    page = await owner.get("/settings/single-sign-on")
    assert all(f"<code>{one}</code>" in page.text for one in addresses)

    for told, sentence in (
        *(({"end_session_endpoint": one}, "does not say where it signs people out") for one in NO_ADDRESSES),
        ({"issuer": "https://other.example"}, "calls itself by another address"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr("chatinbox.accounts.sso.oidc._ask", telling(idp, **told))
            page = await owner.post("/settings/single-sign-on", data=form)
        assert page.status_code == 422 and sentence in page.text, told
    for who in (bea, cyd):
        refused = await (await another(browser).as_(who)).post("/settings/single-sign-on", data=form)
        assert refused.status_code in (403, 404)
    connection = await read_connection(near, ada.account_id)
    assert connection and not connection.provider.ends_there and not connection.provider.logout_url


async def test_what_is_kept_of_a_session_is_its_id_there_sealed(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}", sub="id-of-eva", sid="session-of-eva")
    ask = ("select words_sealed, index_blind from sso_session", [])
    [rows] = await near.db.run(ada.account_id, ask)
    assert len(rows) == 1 and all(b"of-eva" not in one for one in rows[0])
    assert (await near.db.run(cyd.account_id, ask)) == [[]]


async def test_a_sign_out_that_failed_on_our_side_counts_when_the_provider_says_it_again(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = await with_company(near, idp, ada)
    await member(near, ada, f"eva@{domain}")
    outsider = await another(browser).as_(cyd)

    async def fault(*_words: Any) -> None:
        raise ConnectionError

    for ends, words in (("end", {"sid": "s1"}), ("end_by_company", {"sub": "eva"})):
        await come(browser, idp, f"eva@{domain}", sid="s1")
        said = token(idp, **words)
        with monkeypatch.context() as patched:
            patched.setattr(sessions, ends, fault)
            assert (await says(browser, ada, said)).status_code == 500 and await is_in(browser)
        assert (await says(browser, ada, said)).status_code == 200 and not await is_in(browser), ends
        assert (await says(browser, ada, said)).status_code == 400  # it was done
    assert await is_in(outsider)


async def test_no_session_is_left_that_the_provider_could_not_end_when_what_it_calls_it_cannot_be_kept(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    outsider = await another(browser).as_(cyd)
    run = type(near.db).run

    async def fault(db: Any, account_id: Any, *batch: Any) -> Any:
        if any("insert into sso_session" in text for text, _ in batch):
            batch = (*batch, ("select 1 / 0", ()))
        return await run(db, account_id, *batch)

    with monkeypatch.context() as patched:
        patched.setattr(type(near.db), "run", fault)
        assert (await come(browser, idp, f"eva@{domain}", sid="s1")).status_code == 500
    assert await sessions.list_sessions(near, eva.person_id) == [] and not await is_in(browser)
    await come(browser, idp, f"eva@{domain}", sid="s1")
    assert len(await sessions.list_sessions(near, eva.person_id)) == 1 and await is_in(browser)
    assert (await says(browser, ada, token(idp, sid="s1"))).status_code == 200 and not await is_in(browser)
    assert await is_in(outsider)


async def test_each_time_keys_are_asked_for_in_vain_the_next_is_twice_as_far_and_a_day_has_one_row(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_company(near, idp, ada)
    fake, asked, read_keys = RSAKey.generate_key(2048), [0.0], oidc_logout.read_keys
    clock_there = SimpleNamespace(moment=100_000.0)
    monkeypatch.setattr(oidc_logout, "time", SimpleNamespace(monotonic=lambda: clock_there.moment))

    async def counted(*words: Any, **more: Any) -> Any:
        asked.append(clock_there.moment)
        return await read_keys(*words, **more)

    monkeypatch.setattr(oidc_logout, "read_keys", counted)

    async def nonsense() -> int:
        before = len(asked)
        assert (await says(browser, ada, token(idp, fake, sid="s1"))).status_code == 400
        return len(asked) - before

    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    for pause in pauses:
        clock_there.moment += pause - 1
        assert await nonsense() == 0, pause
        clock_there.moment += 1
        assert await nonsense() == 1 and await nonsense() == 0, pause
    # One that holds has fresh keys asked for, and the pause is short again.
    clock_there.moment += 60
    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    assert asked[-1] == clock_there.moment
    clock_there.moment += 5
    assert await nonsense() == 1

    async def rows(by: Staff) -> list[str]:
        return [
            one.outcome for one in await read_ledger(near, by) if one.instruction == "keys of the provider"
        ]

    assert len(asked) > len(pauses) and await rows(ada) == ["taken"] and await rows(cyd) == []
    with clock.travel(timedelta(days=1)):
        clock_there.moment += 3600
        assert await nonsense() == 1
    assert await rows(ada) == ["taken", "taken"] and await rows(cyd) == []


async def test_tokens_from_one_place_have_keys_asked_for_so_often_only_and_are_answered_alike(
    near: Installation,
    idp: Idp,
    ada: Staff,
    cyd: Staff,
    browser: Browser,
    near_app: App,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await with_company(near, idp, ada)
    await with_company(near, idp, cyd)
    monkeypatch.setattr(company_out, "asking", Throttle(1, 600))
    monkeypatch.setattr(oidc_logout, "_SOONEST", 0.0)
    fake, asked, read_keys = RSAKey.generate_key(2048), [], oidc_logout.read_keys

    async def counted(inst: Any, account_id: Any, *words: Any, **more: Any) -> Any:
        asked.append(account_id)
        return await read_keys(inst, account_id, *words, **more)

    monkeypatch.setattr(oidc_logout, "read_keys", counted)
    for whose in (ada, cyd):
        assert (await says(browser, whose, token(idp, sid="s9"))).status_code == 200
    assert asked == [ada.account_id, cyd.account_id]
    answers = [same(await says(browser, whose, token(idp, fake, sid="s1"))) for whose in (ada, ada, cyd)]
    assert asked[2:] == [ada.account_id]
    assert answers[0] == answers[1] == answers[2] and answers[0][0] == 400
    # What holds is heard from there all the same, and elsewhere counts for itself.
    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    elsewhere = httpx.ASGITransport(near_app, client=("203.0.113.9", 4000))
    door = place(near, cyd.account_id, "backchannel-logout")
    async with httpx.AsyncClient(transport=elsewhere, base_url=near.settings.public_url) as there:
        assert (await there.post(door, data={"logout_token": token(idp, fake, sid="s1")})).status_code == 400
    assert asked[3:] == [cyd.account_id]
