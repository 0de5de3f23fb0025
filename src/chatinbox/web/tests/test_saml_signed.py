"""Questions to the provider that we sign: a real identity provider (pysaml2) that wants that checks them."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatinbox.accounts.sso import domains
from chatinbox.accounts.sso.connection import change_ways, connect, place, read_connection
from chatinbox.accounts.sso.saml_metadata import theirs
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.tests import test_saml
from chatinbox.web.tests.test_saml import REDIRECT, Company, Idp, NewBrowser, company, idp
from chatinbox.web.tests.test_sso import member

__all__ = ["company", "idp"]
pytestmark = test_saml.pytestmark


def metadata_of(idp: Idp, company: Company, **more: Any) -> str:
    """What the provider says of itself."""
    from saml2.metadata import entity_descriptor

    return str(entity_descriptor(idp.server(company.metadata, **more).config))


async def asks(company: Company, browser: Browser) -> dict[str, str]:
    """The question that somebody is sent away with."""
    query = parse_qs(urlsplit(await company.begin(browser)).query)
    return {name: values[0] for name, values in query.items()}


def takes(idp: Idp, metadata: str, asked: dict[str, str]) -> bool:
    """Whether a provider that wants signed questions takes this one."""
    server = idp.server(metadata, want_authn_requests_signed=True)
    more = {
        "relay_state": asked["RelayState"],
        "sigalg": asked.get("SigAlg"),
        "signature": asked.get("Signature"),
    }
    try:
        return server.parse_authn_request(asked["SAMLRequest"], REDIRECT, **more) is not None
    except Exception:
        return False


async def read_ours(company: Company, new_browser: NewBrowser) -> str:
    browser = await new_browser().as_(company.owner)
    return (await browser.get(place(company.inst, company.owner.account_id, "metadata"))).text


async def test_a_provider_whose_metadata_wants_signed_questions_gets_them_and_lets_people_in(
    inst: Installation, idp: Idp, company: Company, ada: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    assert not await asyncio.to_thread(takes, idp, company.metadata, await asks(company, client))
    pasted = await asyncio.to_thread(metadata_of, idp, company, want_authn_requests_signed=True)
    browser = await new_browser().as_(ada)
    form = {"do": "saml-metadata", "their_metadata": pasted}
    assert "is connected" in (await browser.post("/settings/single-sign-on", data=form)).text
    connection = await read_connection(inst, ada.account_id)
    assert connection and connection.provider.signs
    assert connection.provider.issuer == idp.entity_id and connection.provider.logout_url == idp.slo_url
    company.metadata = await read_ours(company, new_browser)
    assert 'AuthnRequestsSigned="true"' in company.metadata
    asked = await asks(company, client)
    assert await asyncio.to_thread(takes, idp, company.metadata, asked)
    for name, other in (
        ("RelayState", "another"),
        ("SAMLRequest", (await asks(company, client))["SAMLRequest"]),
    ):
        assert not await asyncio.to_thread(takes, idp, company.metadata, asked | {name: other})
    await member(inst, ada, f"eva@{company.domain}")
    assert (await company.come(client)).headers["location"] == "/inbox"


async def test_one_accounts_signature_is_not_anothers(
    inst: Installation, idp: Idp, company: Company, cyd: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    theirs_ = await Company(inst, idp, cyd, new_browser).set_up()
    for one in (company, theirs_):
        await change_ways(inst, one.owner, "", signs=True, ends_there=False)
    mine, foreign = await asks(company, client), await asks(theirs_, client)
    assert await asyncio.to_thread(takes, idp, company.metadata, mine)
    swapped = mine | {"Signature": foreign["Signature"]}
    assert not await asyncio.to_thread(takes, idp, company.metadata, swapped)


async def test_signing_is_switched_on_and_off_by_who_may_and_only_for_saml(
    inst: Installation, company: Company, ada: Staff, bea: Staff, cyd: Staff, client: Browser
) -> None:
    await client.as_(ada)
    form = {"do": "ways", "signs": "on", "logout_url": "https://idp.example/slo", "ends_there": "on"}
    assert "This is how we speak" in (await client.post("/settings/single-sign-on", data=form)).text
    assert "Signature" in await asks(company, client)
    assert (
        await client.post("/settings/single-sign-on", data=form | {"logout_url": "javascript:x"})
    ).status_code == 422
    assert (await client.post("/settings/single-sign-on", data=form | {"logout_url": ""})).status_code == 422
    assert "This is how" in (await client.post("/settings/single-sign-on", data={"do": "ways"})).text
    assert "Signature" not in await asks(company, client)
    with pytest.raises(Refused) as kept_out:
        await change_ways(inst, bea, "", signs=True, ends_there=False)
    with pytest.raises(Refused) as nothing:
        await change_ways(inst, cyd, "", signs=True, ends_there=False)
    assert (kept_out.value.code, nothing.value.status) == ("not_permitted", 404)


@pytest.mark.parametrize(
    "pasted",
    [
        "", "hello", "<a/>", '<!DOCTYPE x [<!ENTITY e "x">]><EntityDescriptor>&e;</EntityDescriptor>',
        '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><IDPSSODescriptor/></EntityDescriptor>',
    ],
)  # fmt: skip
async def test_a_metadata_that_says_too_little_connects_nobody_and_says_why(
    inst: Installation, cyd: Staff, client: Browser, pasted: str
) -> None:
    await client.as_(cyd)
    form = {"do": "saml-metadata", "their_metadata": pasted}
    answer = await client.post("/settings/single-sign-on", data=form)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert await read_connection(inst, cyd.account_id) is None


async def test_a_certificate_for_encryption_alone_signs_nothing(
    inst: Installation, idp: Idp, company: Company, ada: Staff
) -> None:
    pasted = await asyncio.to_thread(metadata_of, idp, company)
    assert 'use="signing"' in pasted
    with pytest.raises(Refused, match="their_metadata"):
        theirs(inst, pasted.replace('use="signing"', 'use="encryption"'))
    await connect(inst, ada, "saml", theirs(inst, pasted))
    assert await domains.is_ours(inst, ada.account_id, f"x@{company.domain}")
