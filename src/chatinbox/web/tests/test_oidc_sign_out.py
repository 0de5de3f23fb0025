"""Who signs out here is signed out at the provider too, by OpenID Connect, and hears of it once they are back."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from chatinbox.accounts.sso.connection import change_ways, place, read_connection
from chatinbox.accounts.sso.oidc import discover
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.left.read import read_ledger
from chatinbox.web.tests.oidc import Idp, idp, with_eva
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

__all__ = ["browser", "idp", "near", "near_app", "patient"]


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
    eva = await with_eva(near, idp, ada)
    await change_ways(near, ada, f"{idp.url}/oauth2/end_session", signs=False, ends_there=True)
    outsider, out = await another(browser).as_(cyd), "You are signed out"
    for opens, sees, hides in ((outsider, 'href="/inbox"', out), (browser, out, 'href="/inbox"')):
        await come(browser, idp, eva, sid="s1")
        away = (await browser.post("/sign-out")).headers["refresh"].partition("url=")[2]
        state = parse_qs(urlsplit(away).query)["state"][0]
        page = await opens.get(f"{place(near, ada.account_id, 'signed-out')}?state={state}")
        assert page.status_code == 200 and sees in page.text and hides not in page.text
        assert ("sent you back" in page.text) == (opens is outsider)
    assert await is_in(outsider) and not await is_in(browser)


async def test_an_answer_to_one_account_is_none_to_another(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    eva = await with_eva(near, idp, ada)
    await with_company(near, idp, cyd)
    await change_ways(near, ada, f"{idp.url}/oauth2/end_session?there=1", signs=False, ends_there=True)
    await come(browser, idp, eva)
    away = (await browser.post("/sign-out")).headers["refresh"].partition("url=")[2]
    asked = parse_qs(urlsplit(away).query)
    assert asked["there"] == ["1"] and "logout_hint" not in asked  # this provider named no session
    theirs = urlsplit(place(near, cyd.account_id, "signed-out")).path
    assert (await browser.get(f"{theirs}?state={asked['state'][0]}")).status_code == 403
    [row] = [one for one in await read_ledger(near, ada) if one.instruction.startswith("signing out")]
    assert row.outcome == "begun" and row.fields == ["nothing about anybody"]


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
    eva = await with_eva(near, idp, ada)
    await change_ways(near, ada, logout_url, signs=False, ends_there=True)
    await come(browser, idp, eva, sid="s1")
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
