"""Signing out at both ends: a real identity provider (pysaml2) ends sessions here, and hears of it when somebody signs out."""

import asyncio
import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from chatinbox.accounts import sessions
from chatinbox.accounts.sso import provider_session, sign_out
from chatinbox.accounts.sso.connection import change_ways, place
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.installation import Installation
from chatinbox.privacy.left.read import Left, read_ledger
from chatinbox.web.tests import test_saml, test_session_ends
from chatinbox.web.tests.refused import told
from chatinbox.web.tests.test_saml import (
    REDIRECT,
    SHA256,
    Company,
    Idp,
    NewBrowser,
    company,
    idp,
    theirs,
)
from chatinbox.web.tests.test_session_ends import AT_MOST, Open, url
from chatinbox.web.tests.test_sso import is_in, member

__all__ = ["company", "idp", "theirs", "url"]
pytestmark = test_saml.pytestmark


async def come(company: Company, browser: Browser, who: str = "eva") -> str:
    """Signs in at the provider; the provider's id for its session."""
    raw, relay = await company.answer(browser, who=who)
    posted = await company.post(browser, raw, relay)
    assert (await browser.get(posted.headers["location"])).headers["location"] == "/inbox"
    found = re.search(rb'SessionIndex="([^"]+)"', raw)
    assert found
    return found[1].decode()


async def says(
    company: Company, who: str = "eva", index: str = "", by: Idp | None = None, sign: bool = True, **more: str
) -> str:
    """The path and query that a browser brings when the provider signs somebody out."""
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID

    where = more.get("destination", place(company.inst, company.owner.account_id, "logout"))

    def made() -> str:
        server = (by or company.idp).server(company.metadata)
        _, request = server.create_logout_request(
            where, company.idp.entity_id, name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=f"id-{who}"),
            session_indexes=[index] if index else None, sign=False,
        )  # fmt: skip
        told = server.apply_binding(
            REDIRECT, str(request), where, "their words", sign=sign, sigalg=more.get("sigalg", SHA256)
        )
        return str(dict(told["headers"])["Location"])

    parts = urlsplit(await asyncio.to_thread(made))
    return f"{urlsplit(place(company.inst, company.owner.account_id, 'logout')).path}?{parts.query}"


async def test_the_provider_ends_the_session_that_came_from_its_own_and_no_other_and_is_answered(
    inst: Installation,
    idp: Idp,
    company: Company,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    new_browser: NewBrowser,
) -> None:
    await change_ways(inst, ada, idp.slo_url, signs=False, ends_there=False)
    eva = await member(inst, ada, f"eva@{company.domain}")
    await member(inst, ada, f"bob@{company.domain}")
    one, two, hers, other, outsider = (new_browser() for _ in range(5))
    index, _ = await come(company, one), await come(company, two)
    await come(company, other, "bob")
    await hers.as_(eva)  # by her password
    await outsider.as_(cyd)
    answer = await new_browser().get(await says(company, index=index))
    assert answer.status_code == 303 and answer.headers["location"].startswith(f"{idp.slo_url}?")
    told = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert told["RelayState"] == "their words"

    def read() -> Any:
        # pysaml2 checks the signature of an address when it is asked to, with the certificate of our metadata
        from saml2.sigver import verify_redirect_signature

        server = idp.server(company.metadata)
        [certificate] = {
            one for _, one in server.metadata.certs(place(inst, ada.account_id, "metadata"), "any", "signing")
        }
        return verify_redirect_signature(told, server.sec.sec_backend, cert=certificate)

    assert await asyncio.to_thread(read)
    assert "status:Success" in inflated(told["SAMLResponse"])
    assert [await is_in(browser) for browser in (one, two, hers, other, outsider)] == [
        False,
        True,
        True,
        True,
        True,
    ]
    # Without a session named, all that the provider vouched for ends, and what a password opened stays.
    await new_browser().get(await says(company))
    assert [await is_in(browser) for browser in (two, hers, other, outsider)] == [False, True, True, True]


def inflated(word: str) -> str:
    import zlib

    return zlib.decompress(base64.b64decode(word), -15).decode()


async def test_the_stream_of_a_session_ends_with_it_within_five_seconds(
    inst: Installation, company: Company, ada: Staff, cyd: Staff, client: Browser, url: str
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    index = await come(company, client)
    hers = Open(url, client.cookies["session"])
    his, _ = await test_session_ends.opened(inst, url, cyd)
    await asyncio.wait_for(hers.began.wait(), 10)
    path = await says(company, index=index)
    assert (await hers.browser.get(path)).status_code == 200  # nobody said where the provider hears answers
    assert await hers.dies_within(AT_MOST) <= AT_MOST
    assert not his.task.done()
    for one in (hers, his):
        await one.close()


async def test_what_the_provider_posts_counts_when_it_is_signed_inside(
    inst: Installation, company: Company, ada: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    await come(company, client)
    where = place(inst, ada.account_id, "logout")

    def made(sign: bool) -> bytes:
        from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID

        name_id = NameID(format=NAMEID_FORMAT_PERSISTENT, text="id-eva")
        _, request = company.idp.server(company.metadata).create_logout_request(
            where, company.idp.entity_id, name_id=name_id, sign=sign,
            sign_alg=SHA256, digest_alg=test_saml.DIGEST,
        )  # fmt: skip
        return str(request).encode()

    async def post(raw: bytes) -> httpx.Response:
        form = {"SAMLRequest": base64.b64encode(raw).decode()}
        headers = {"origin": "https://idp.example", "sec-fetch-site": "cross-site"}
        return await new_browser().post(urlsplit(where).path, data=form, headers=headers)

    assert (await post(await asyncio.to_thread(made, False))).status_code == 403
    raw = await asyncio.to_thread(made, True)
    assert (await post(raw.replace(b"id-eva", b"id-bob"))).status_code == 403 and await is_in(client)
    assert (await post(raw)).status_code == 200 and not await is_in(client)


async def test_unsigned_foreign_replayed_and_old_words_end_nothing(
    inst: Installation,
    idp: Idp,
    company: Company,
    theirs: Company,
    ada: Staff,
    client: Browser,
    new_browser: NewBrowser,
    tmp_path: Any,
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    await come(company, client)
    fake = Idp(tmp_path, "fake")
    fake.entity_id = idp.entity_id
    right = await says(company)
    path, _, query = right.partition("?")
    for_them = await says(theirs)
    words = {
        "unsigned": await says(company, sign=False),
        "another key": await says(company, by=fake),
        "a weak digest": await says(company, sigalg="http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        "another relay state": right.replace("their", "other"),
        "no signature": re.sub(r"&Signature=[^&]+", "", right),
        "twice the same word": f"{right}&SAMLRequest=x",
        "nothing": f"{path}?",
        "for Cyd, at our door": f"{path}?{for_them.partition('?')[2]}",
        "ours, at Cyd's door": f"{for_them.partition('?')[0]}?{query}",
        "at a door of nobody": f"/sso/{'0' * 32}/logout?{query}",
        "at no door": f"/sso/made-up/logout?{query}",
        "as an answer": right.replace("SAMLRequest", "SAMLResponse"),
    }
    pages = {}
    for how, word in words.items():
        with capture_logs() as logs:
            answer = await new_browser().get(word)
        assert answer.status_code == 403 and "nobody was signed out" in answer.text, how
        assert told(logs)[1] == "/sso/{path}/logout"
        assert "eva" not in str(logs)
        pages[how] = re.sub(r'nonce="[^"]*"', "", answer.text)
    assert pages["at a door of nobody"] == pages["at no door"] == pages["ours, at Cyd's door"]
    for moved in (timedelta(minutes=7), timedelta(minutes=-7)):
        with clock.travel(moved):
            assert (await new_browser().get(right)).status_code == 403
    assert await is_in(client)
    assert (await new_browser().get(right)).status_code == 200 and not await is_in(client)
    await come(company, client)
    assert (await new_browser().get(right)).status_code == 403 and await is_in(client)  # said once already


async def test_a_name_nobody_here_has_ends_nothing_and_the_provider_is_told(
    inst: Installation, idp: Idp, company: Company, ada: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    await change_ways(inst, ada, idp.slo_url, signs=False, ends_there=False)
    await member(inst, ada, f"eva@{company.domain}")
    await come(company, client)
    answer = await new_browser().get(await says(company, who="nobody"))
    told = parse_qs(urlsplit(answer.headers["location"]).query)["SAMLResponse"][0]
    assert "UnknownPrincipal" in inflated(told) and await is_in(client)


async def signed_out(inst: Installation, by: Staff) -> list[Left]:
    return [one for one in await read_ledger(inst, by) if one.instruction == sign_out.WORD]


async def test_who_signs_out_here_is_signed_out_there_where_the_account_wants_that(
    inst: Installation,
    idp: Idp,
    company: Company,
    ada: Staff,
    cyd: Staff,
    client: Browser,
    new_browser: NewBrowser,
) -> None:
    eva = await member(inst, ada, f"eva@{company.domain}")
    await come(company, client)
    assert (await client.post("/sign-out")).headers["location"] == "/sign-in"  # it is not asked for
    await change_ways(inst, ada, idp.slo_url, signs=False, ends_there=True)
    index = await come(company, client)
    page = await client.post("/sign-out")
    away = page.headers["refresh"].partition("url=")[2]
    assert page.status_code == 200 and away.startswith(f"{idp.slo_url}?") and not await is_in(client)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}

    def hears(**changed: str) -> Any:
        told, server = asked | changed, idp.server(company.metadata)
        parsed = server.parse_logout_request(
            told["SAMLRequest"], REDIRECT, relay_state=told["RelayState"], sigalg=told["SigAlg"],
            signature=told["Signature"],
        )  # fmt: skip
        return server, parsed.message

    server, request = await asyncio.to_thread(hears)
    # What the browser carries there is a disclosure: it stands in the ledger before, and as taken once it was answered.
    [left] = await signed_out(inst, ada)
    assert (left.recipient, left.basis, left.outcome) == ("https://idp.example:443", "integration", "begun")
    assert left.fields == ["name at the provider", "session at the provider"]
    assert request.name_id.text == "id-eva" and [one.text for one in request.session_index] == [index]

    def answered(relay: str) -> str:
        response = server.create_logout_response(request, bindings=[REDIRECT], sign=False)
        where = place(inst, ada.account_id, "logout")
        response.destination = where
        told = server.apply_binding(
            REDIRECT, str(response), where, relay, response=True, sign=True, sigalg=SHA256
        )
        return str(dict(told["headers"])["Location"]).replace(inst.settings.public_url, "")

    back = await asyncio.to_thread(answered, asked["RelayState"])
    assert "sign-in knows it" in (await client.get(back)).text
    assert [one.outcome for one in await signed_out(inst, ada)] == ["taken"] and await signed_out(
        inst, cyd
    ) == []
    assert (await client.get(back)).status_code == 410  # an answer counts once
    assert (await client.get(await asyncio.to_thread(answered, "made-up"))).status_code == 410
    # Whoever came by a password is not sent away.
    hers = await new_browser().as_(eva)
    assert (await hers.post("/sign-out")).headers["location"] == "/sign-in"
    [[(count,)]] = await inst.db.run(ada.account_id, ("select count(*) from sso_session", []))
    assert count == 0  # nothing is kept of a session that was signed out, sent away or not


async def test_what_is_kept_of_a_session_is_sealed_and_goes_after_a_month(
    inst: Installation, company: Company, ada: Staff, cyd: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    await come(company, client)
    ask = ("select words_sealed, index_blind from sso_session", [])
    [rows] = await inst.db.run(ada.account_id, ask)
    assert len(rows) == 1 and b"id-eva" not in rows[0][0]
    [theirs] = await inst.db.run(cyd.account_id, ask)
    assert theirs == []
    await provider_session.forget(inst, ada.account_id)
    assert await inst.db.run(ada.account_id, ask) == [rows]
    with clock.travel(timedelta(days=31)):
        await provider_session.forget(inst, ada.account_id)
    assert await inst.db.run(ada.account_id, ask) == [[]]


async def test_a_sign_out_that_failed_on_our_side_counts_when_the_provider_says_it_again(
    inst: Installation,
    company: Company,
    ada: Staff,
    cyd: Staff,
    client: Browser,
    new_browser: NewBrowser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    outsider = await new_browser().as_(cyd)

    async def fault(*_words: Any) -> None:
        raise ConnectionError

    for ends in ("end", "end_by_company"):
        index = await come(company, client)
        said = await says(company, index=index if ends == "end" else "")
        with monkeypatch.context() as patched:
            patched.setattr(sessions, ends, fault)
            assert (await new_browser().get(said)).status_code == 500 and await is_in(client)
        assert (await new_browser().get(said)).status_code == 200 and not await is_in(client), ends
        assert (await new_browser().get(said)).status_code == 403  # it was done
    assert await is_in(outsider)
