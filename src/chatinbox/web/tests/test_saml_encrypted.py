"""Encrypted assertions: a real identity provider (pysaml2) signs, xmlsec1 encrypts for our certificate, then somebody meddles."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from lxml import etree

from chatinbox.accounts import sessions
from chatinbox.accounts.sso import our_key
from chatinbox.accounts.sso.connection import place
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.tests import test_saml
from chatinbox.web.tests.test_saml import (
    DIGEST,
    SAML,
    SHA256,
    Company,
    Idp,
    NewBrowser,
    company,
    idp,
    theirs,
)
from chatinbox.web.tests.test_sso import member, refused

__all__ = ["company", "idp", "theirs"]
pytestmark = test_saml.pytestmark
E1, E11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
OAEP = f"{E1}rsa-oaep-mgf1p"


def certificate_in(metadata: str, use: str = "encryption") -> str:
    """The certificate that our metadata gives for a use, as a provider reads it."""
    found = re.search(rf'use="{use}".*?<ds:X509Certificate>([^<]+)<', metadata, flags=re.S)
    assert found
    return found[1]


def encrypted(
    idp: Idp, metadata: str, raw: bytes, cipher: str = f"{E11}aes256-gcm", wrap: str = OAEP
) -> bytes:
    """The response with its assertion encrypted for whoever's metadata this is."""
    from saml2.samlp import response_from_string
    from saml2.sigver import pre_encryption_part

    pem = idp.folder / "theirs.pem"
    pem.write_text(f"-----BEGIN CERTIFICATE-----\n{certificate_in(metadata)}\n-----END CERTIFICATE-----\n")
    bits = "".join(letter for letter in cipher.partition("#")[2] if letter.isdigit())
    kind = "des-192" if "tripledes" in cipher else f"aes-{bits}"
    template = pre_encryption_part(msg_enc=cipher, key_enc=wrap)
    made = idp.server(metadata).sec.encrypt_assertion(
        response_from_string(raw.decode()), str(pem), template, kind
    )
    assert isinstance(made, str) and "EncryptedAssertion" in made
    return made.encode()


async def come(company: Company, browser: Browser, cipher: str = "", **more: Any) -> httpx.Response:
    """Signs in with an assertion that was signed, then encrypted."""
    raw, relay = await company.answer(browser, **more)
    sealed = await asyncio.to_thread(
        encrypted, company.idp, company.metadata, raw, *([cipher] if cipher else [])
    )
    assert b"eva@" not in sealed
    posted = await company.post(browser, sealed, relay)
    return await browser.get(posted.headers["location"]) if posted.status_code == 303 else posted


@pytest.mark.parametrize("cipher", ["aes128-gcm", "aes192-gcm", "aes256-gcm"])
async def test_a_colleague_signs_in_by_an_assertion_that_was_encrypted_for_us(
    inst: Installation, company: Company, ada: Staff, client: Browser, cipher: str
) -> None:
    eva = await member(inst, ada, f"eva@{company.domain}")
    answer = await come(company, client, f"{E11}{cipher}")
    assert answer.headers["location"] == "/inbox", answer.text
    session = await sessions.session_for(inst, client.cookies["session"])
    assert session and session.staff.staff_user_id == eva.staff_user_id


async def whole(company: Company, browser: Browser, cipher: str) -> tuple[bytes, str]:
    """An answer signed around what is encrypted; the assertion inside is not signed."""
    raw, relay = await company.answer(browser, sign_assertion=False)

    def made() -> bytes:
        from saml2.sigver import pre_signature_part

        root = etree.fromstring(encrypted(company.idp, company.metadata, raw, cipher))
        name = str(root.get("ID"))
        lines = company.idp.cert.read_text().strip().splitlines()[1:-1]
        form = pre_signature_part(name, "".join(lines), 1, sign_alg=SHA256, digest_alg=DIGEST)
        root.insert(1, etree.fromstring(str(form)))
        sec = company.idp.server(company.metadata).sec
        signed = sec.sign_statement(
            etree.tostring(root).decode(), "urn:oasis:names:tc:SAML:2.0:protocol:Response", node_id=name
        )
        return str(signed).encode()

    return await asyncio.to_thread(made), relay


@pytest.mark.parametrize("cipher", [f"{E11}aes256-gcm", f"{E1}aes256-cbc", f"{E1}aes128-cbc"])
async def test_what_is_signed_around_may_be_encrypted_inside(
    inst: Installation, company: Company, ada: Staff, client: Browser, cipher: str
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    raw, relay = await whole(company, client, cipher)
    assert b"EncryptedAssertion" in raw and b"eva@" not in raw
    posted = await company.post(client, raw, relay)
    assert posted.status_code == 303, posted.text
    assert (await client.get(posted.headers["location"])).headers["location"] == "/inbox"


async def test_what_is_signed_around_and_changed_inside_is_refused(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    raw, relay = await whole(company, client, f"{E1}aes256-cbc")
    root = etree.fromstring(raw)
    value = list(root.iter(f"{{{E1}}}CipherValue"))[-1]
    told = (value.text or "").strip()
    value.text = ("A" if told[0] != "A" else "B") + told[1:]
    refused(await company.post(client, etree.tostring(root), relay), 403, "cannot trust")


async def test_an_unsigned_assertion_is_no_better_for_being_encrypted(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    refused(await come(company, client, sign_assertion=False), 403, "cannot trust")


async def test_ciphers_that_can_be_altered_unseen_or_are_weak_are_refused_with_a_word_for_who_runs_it(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    refused(await come(company, client, f"{E1}aes256-cbc"), 403, "only where the whole response is signed")
    refused(await come(company, client, f"{E1}tripledes-cbc"), 403, "no longer safe")
    raw, relay = await company.answer(client)
    old = await asyncio.to_thread(
        encrypted, company.idp, company.metadata, raw, f"{E11}aes256-gcm", f"{E1}rsa-1_5"
    )
    refused(await company.post(client, old, relay), 403, "cannot trust")


async def test_what_was_encrypted_for_another_key_or_for_a_key_of_before_opens_nothing(
    inst: Installation,
    idp: Idp,
    company: Company,
    theirs: Company,
    ada: Staff,
    client: Browser,
    new_browser: NewBrowser,
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    assert certificate_in(theirs.metadata) != certificate_in(company.metadata)
    raw, relay = await company.answer(client)
    foreign = await asyncio.to_thread(encrypted, idp, theirs.metadata, raw)
    refused(await company.post(client, foreign, relay), 403, "cannot trust")
    await our_key.renew(inst, ada)
    refused(await come(company, client), 403, "cannot trust")  # made for the key of before
    company.metadata = (
        await (await new_browser().as_(ada)).get(place(inst, ada.account_id, "metadata"))
    ).text
    assert (await come(company, client)).headers["location"] == "/inbox"


async def test_anothers_assertion_is_no_better_for_being_encrypted_for_us(
    inst: Installation, idp: Idp, company: Company, theirs: Company, ada: Staff, client: Browser
) -> None:
    """Anybody has our certificate: an assertion that was meant for somebody else, or said before, is encrypted for us."""
    await member(inst, ada, f"eva@{company.domain}")
    foreign, _ = await theirs.answer(client)
    said, _ = await company.answer(client)
    for raw in (foreign, said):
        sealed = await asyncio.to_thread(encrypted, idp, company.metadata, raw)
        _, relay = await company.answer(client)
        refused(await company.post(client, sealed, relay), 403, "cannot trust")


async def test_one_assertion_beside_another_or_inside_another_is_refused(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"boss@{company.domain}")
    raw, relay = await company.answer(client)
    sealed = etree.fromstring(await asyncio.to_thread(encrypted, company.idp, company.metadata, raw))
    plain = etree.fromstring(raw).find(f"{SAML}Assertion")
    assert plain is not None
    sealed.append(plain)
    refused(await company.post(client, etree.tostring(sealed), relay), 403, "cannot trust")
    raw, relay = await company.answer(client)
    nested = test_saml.wrapped(raw, "in the signature")
    sealed_nested = await asyncio.to_thread(encrypted, company.idp, company.metadata, nested)
    refused(await company.post(client, sealed_nested, relay), 403, "cannot trust")


async def test_ada_and_cyd_have_keys_of_their_own_that_stay_and_whose_secret_half_nobody_is_shown(
    inst: Installation, company: Company, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    mine, again = await asyncio.gather(*(our_key.our_key(inst, ada.account_id) for _ in range(2)))
    assert mine.certificate == again.certificate == certificate_in(company.metadata)
    both = await asyncio.gather(*(our_key.our_key(inst, cyd.account_id) for _ in range(2)))
    assert both[0].certificate == both[1].certificate != mine.certificate
    [rows] = await inst.db.run(cyd.account_id, ("select account_id from sso_key", []))
    assert rows == [(cyd.account_id,)]
    with pytest.raises(Refused) as refusal:
        await our_key.renew(inst, bea)
    assert refusal.value.code == "not_permitted"
