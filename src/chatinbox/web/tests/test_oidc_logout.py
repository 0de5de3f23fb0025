"""Signing out at both ends by OpenID Connect: at a real provider on loopback, whose key signs the logout tokens."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs

from chatinbox.accounts import sessions
from chatinbox.accounts.sso.connection import place
from chatinbox.accounts.sso.oidc_logout import EVENT
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.installation import Installation
from chatinbox.web.tests import test_session_ends
from chatinbox.web.tests.oidc import Idp, idp, same, says, token, with_eva
from chatinbox.web.tests.refused import told
from chatinbox.web.tests.test_session_ends import AT_MOST, Open, url
from chatinbox.web.tests.test_sso import (
    another,
    browser,
    come,
    is_in,
    member,
    near,
    near_app,
    patient,
    with_company,
)

__all__ = ["browser", "idp", "near", "near_app", "patient", "url"]


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
    eva = await with_eva(near, idp, ada)
    await come(browser, idp, eva, sid="s1")
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
        assert told(logs)[1:] == ("/sso/{path}/backchannel-logout", 400), how
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


async def test_what_is_kept_of_a_session_is_its_id_there_sealed(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    eva = await with_eva(near, idp, ada)
    await come(browser, idp, eva, sub="id-of-eva", sid="session-of-eva")
    ask = ("select words_sealed, index_blind from sso_session", [])
    [rows] = await near.db.run(ada.account_id, ask)
    assert len(rows) == 1 and all(b"of-eva" not in one for one in rows[0])
    assert (await near.db.run(cyd.account_id, ask)) == [[]]


async def test_a_sign_out_that_failed_on_our_side_counts_when_the_provider_says_it_again(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    eva = await with_eva(near, idp, ada)
    outsider = await another(browser).as_(cyd)

    async def fault(*_words: Any) -> None:
        raise ConnectionError

    for ends, words in (("end", {"sid": "s1"}), ("end_by_company", {"sub": "eva"})):
        await come(browser, idp, eva, sid="s1")
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
