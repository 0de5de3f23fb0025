"""Signing in with SAML: a real identity provider (pysaml2, signing with xmlsec1) answers, and then somebody meddles."""

import asyncio
import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from lxml import etree
from structlog.testing import capture_logs

from chatinbox.accounts import sessions
from chatinbox.accounts.sso import domains
from chatinbox.accounts.sso.connection import connect, place
from chatinbox.accounts.sso.saml import checked_provider
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.tests.refused import told
from chatinbox.web.tests.test_sso import letter_link, member, refused

pytestmark = pytest.mark.skipif(
    shutil.which("xmlsec1") is None, reason="XMLSEC1 IS MISSING: install Debian's package xmlsec1"
)
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
NewBrowser = Callable[[], Browser]


class Idp:
    """The identity provider: pysaml2's server, with a key of its own."""

    def __init__(self, folder: Path, name: str = "idp") -> None:
        self.entity_id, self.folder = f"https://{name}.example/saml", folder
        self.sso_url, self.slo_url = "https://idp.example/sso", "https://idp.example/slo"
        self.key, self.cert = folder / f"{name}.key", folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
             "-keyout", self.key, "-out", self.cert], check=True, capture_output=True,
        )  # fmt: skip

    def server(self, metadata: str, **more: Any) -> Any:
        from saml2.config import IdPConfig
        from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT
        from saml2.server import Server

        sp = self.folder / f"{new_id().hex}.xml"
        sp.write_text(metadata)
        config = IdPConfig().load(
            {
                "entityid": self.entity_id,
                "xmlsec_binary": shutil.which("xmlsec1"),
                "key_file": str(self.key),
                "cert_file": str(self.cert),
                "metadata": {"local": [str(sp)]},
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [(self.sso_url, REDIRECT)],
                            "single_logout_service": [(self.slo_url, REDIRECT)],
                        },
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": 5},
                                "name_form": NAME_FORMAT_URI,
                                "nameid_format": NAMEID_FORMAT_PERSISTENT,
                            }
                        },
                        **more,
                    }
                },
            }
        )
        return Server(config=config)

    def answer(self, metadata: str, url: str, email: str, subject: str, **more: Any) -> tuple[bytes, str]:
        """The signed response to the question in a redirect, and its relay state."""
        from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID

        query = parse_qs(urlsplit(url).query)
        server = self.server(metadata)
        asked = server.parse_authn_request(query["SAMLRequest"][0], REDIRECT)
        args = server.response_args(asked.message)
        args |= {
            "sign_assertion": True,
            "sign_response": False,
            "sign_alg": SHA256,
            "digest_alg": DIGEST,
        } | more
        made = server.create_authn_response(
            {"mail": [email], "displayName": ["Eva Corp"]},
            name_id=NameID(format=more.pop("format", NAMEID_FORMAT_PERSISTENT), text=subject),
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
            **{name: value for name, value in args.items() if name != "format"},
        )
        return str(made).encode(), query["RelayState"][0]


REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


class Company:
    """An account whose people come by a SAML provider."""

    def __init__(self, inst: Installation, idp: Idp, owner: Staff, new_browser: NewBrowser) -> None:
        self.inst, self.idp, self.owner, self.new_browser = inst, idp, owner, new_browser
        self.domain = f"corp-{new_id().hex[-10:]}.example"

    async def set_up(self) -> "Company":
        provider = checked_provider(
            self.inst, self.idp.entity_id, "https://idp.example/sso", self.idp.cert.read_text()
        )
        await connect(self.inst, self.owner, "saml", provider)
        await domains.claim(self.inst, self.owner, self.domain)
        link = await letter_link(self.inst, self.owner, rf"{self.domain} is yours and[\s\S]+/sso/domain/\S+")
        await domains.confirm(self.inst, link.rpartition("/")[2])
        browser = await self.new_browser().as_(self.owner)
        self.metadata = (await browser.get(place(self.inst, self.owner.account_id, "metadata"))).text
        self.acs = urlsplit(place(self.inst, self.owner.account_id, "saml")).path
        return self

    async def begin(self, browser: Browser) -> str:
        page = await browser.post("/sign-in/company", data={"email": f"anybody@{self.domain}"})
        return page.headers["refresh"].partition("url=")[2]

    async def answer(self, browser: Browser, who: str = "eva", **more: Any) -> tuple[bytes, str]:
        url, idp = await self.begin(browser), more.pop("idp", self.idp)
        return await asyncio.to_thread(
            lambda: idp.answer(self.metadata, url, f"{who}@{self.domain}", f"id-{who}", **more)
        )

    async def post(self, browser: Browser, raw: bytes, relay: str, path: str | None = None) -> httpx.Response:
        """What the provider's page makes the browser post, from another site, so without our cookie."""
        other = self.new_browser()
        return await other.post(
            path or self.acs,
            data={"SAMLResponse": base64.b64encode(raw).decode(), "RelayState": relay},
            headers={"origin": "https://idp.example", "sec-fetch-site": "cross-site"},
        )

    async def come(self, browser: Browser, **more: Any) -> httpx.Response:
        posted = await self.post(browser, *await self.answer(browser, **more))
        return await browser.get(posted.headers["location"]) if posted.status_code == 303 else posted


@pytest.fixture
async def company(inst: Installation, idp: Idp, ada: Staff, new_browser: NewBrowser) -> Company:
    return await Company(inst, idp, ada, new_browser).set_up()


@pytest.fixture
async def theirs(inst: Installation, idp: Idp, cyd: Staff, new_browser: NewBrowser) -> Company:
    """Cyd's, whose people come by the same provider."""
    return await Company(inst, idp, cyd, new_browser).set_up()


@pytest.mark.parametrize("whole", [False, True])
async def test_a_colleague_signs_in_by_a_signed_assertion_or_a_signed_response(
    inst: Installation, company: Company, ada: Staff, client: Browser, whole: bool
) -> None:
    eva = await member(inst, ada, f"eva@{company.domain}")
    answer = await company.come(client, sign_response=whole, sign_assertion=not whole)
    assert answer.headers["location"] == "/inbox"
    session = await sessions.session_for(inst, client.cookies["session"])
    assert session and session.staff.staff_user_id == eva.staff_user_id


async def test_another_browser_cannot_take_the_session_and_it_is_there_once(
    inst: Installation, company: Company, ada: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    posted = await company.post(client, *await company.answer(client))
    refused(await new_browser().get(posted.headers["location"]), 403, "did not begin in this browser")
    with capture_logs() as logs:
        refused(await client.get(posted.headers["location"]), 410, "used already")
    assert told(logs) == ("sso_again", "/sso/{path}/done", 410) and "eva" not in str(logs)


async def test_an_answer_is_taken_once_even_to_a_new_question(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    raw, relay = await company.answer(client)
    assert (await company.post(client, raw, relay)).status_code == 303
    refused(await company.post(client, raw, relay), 410, "used already")
    _, fresh = await company.answer(client)
    with capture_logs() as logs:
        refused(await company.post(client, raw, fresh), 403, "cannot trust")  # it answers another question
    reason, route, _ = told(logs)
    assert reason.startswith("saml_") and route == "/sso/{path}/saml" and company.domain not in str(logs)


async def test_nobody_comes_in_unasked(company: Company, client: Browser) -> None:
    raw, _ = await company.answer(client)
    for relay in ("", "x", new_id().hex):
        refused(await company.post(client, raw, relay), 410, "Begin again")


def wrapped(raw: bytes, how: str) -> bytes:
    """The classic attacks: a forged assertion beside, around or before the signed one."""
    root = etree.fromstring(raw)
    signed = root.find(f"{SAML}Assertion")
    assert signed is not None
    forged = etree.fromstring(
        etree.tostring(signed).replace(b"id-eva", b"id-boss").replace(b"eva@", b"boss@")
    )
    for signature in forged.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        forged.remove(signature)
    forged.set("ID", "_forged")
    if how == "before":
        root.insert(0, forged)
    elif how == "after":
        root.append(forged)
    elif how == "around":
        root.replace(signed, forged)
        forged.append(signed)
    elif how == "in the signature":
        root.replace(signed, forged)
        signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        assert signature is not None
        forged.insert(1, signature)
        holder = etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object")
        holder.append(signed)
    elif how == "same id":
        forged.set("ID", signed.get("ID") or "")
        root.insert(0, forged)
    elif how == "in extensions":
        holder = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
        root.replace(signed, forged)
        holder.append(signed)
        root.insert(0, holder)
    return etree.tostring(root)


@pytest.mark.parametrize("how", ["before", "after", "around", "in the signature", "same id", "in extensions"])
async def test_signature_wrapping_signs_nobody_in(
    inst: Installation, company: Company, ada: Staff, client: Browser, how: str
) -> None:
    await member(inst, ada, f"boss@{company.domain}")
    raw, relay = await company.answer(client)
    refused(await company.post(client, wrapped(raw, how), relay), 403, "cannot trust")


MEDDLED: dict[str, Callable[[bytes], bytes]] = {
    "another address": lambda raw: raw.replace(b"eva@", b"boss@"),
    "another id": lambda raw: raw.replace(b"id-eva", b"id-boss"),
    "no signature": lambda raw: re.sub(rb"<(\w+):Signature.*?</\1:Signature>", b"", raw, flags=re.S),
    "a comment in a name": lambda raw: raw.replace(b"id-eva", b"id-<!-- -->eva"),
    "a document type": lambda raw: (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + raw.partition(b"?>")[2]
    ),
    "a thousand laughs": lambda raw: (
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + raw.partition(b"?>")[2]
    ),
    "wide letters": lambda raw: raw.partition(b"?>")[2].decode().encode("utf-16"),
    "cut short": lambda raw: raw[: len(raw) // 2],
    "nothing": lambda raw: b"",
    "no xml": lambda raw: b"hello",
    "deep": lambda raw: b"<a>" * 20_000,
    "an hmac": lambda raw: raw.replace(
        SHA256.encode(), b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    ),
    "a refusal": lambda raw: raw.replace(b"status:Success", b"status:Requester"),
}


@pytest.mark.parametrize("how", MEDDLED)
async def test_a_meddled_answer_gets_a_sentence_a_line_without_names_and_changes_nothing(
    inst: Installation, company: Company, ada: Staff, client: Browser, how: str
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    raw, relay = await company.answer(client)
    changed = MEDDLED[how](raw)
    assert changed != raw
    with capture_logs() as logs:
        answer = await company.post(client, changed, relay)
    assert answer.status_code == 403 and "session" not in answer.headers.get("set-cookie", "")
    assert "Traceback" not in answer.text and "Begin again" in answer.text
    reason, route, _ = told(logs)
    assert reason.startswith(("saml_", "sso_")) and route == "/sso/{path}/saml"
    assert company.domain not in str(logs) and "eva" not in str(logs)
    [[(count,)]] = await inst.db.run(
        ada.account_id, ("select count(*) from sso_identity where account_id = %s", [ada.account_id])
    )
    assert count == 0


async def test_a_huge_answer_is_not_read(company: Company, client: Browser) -> None:
    _, relay = await company.answer(client)
    refused(await company.post(client, b"<a/>" * 200_000, relay), 413, "too large")
    refused(await company.post(client, b"<a/>" * 60_000, relay), 403, "cannot trust")


async def test_another_providers_key_and_weak_digests_are_refused(
    inst: Installation, company: Company, ada: Staff, client: Browser, tmp_path: Path
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    fake = Idp(tmp_path, "fake")
    fake.entity_id = company.idp.entity_id
    refused(await company.come(client, idp=fake), 403, "cannot trust")
    weak = {
        "sign_alg": "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "digest_alg": "http://www.w3.org/2000/09/xmldsig#sha1",
    }
    refused(await company.come(client, **weak), 403, "cannot trust")


async def test_an_answer_for_another_audience_another_place_or_another_time_is_refused(
    inst: Installation, company: Company, ada: Staff, client: Browser
) -> None:
    await member(inst, ada, f"eva@{company.domain}")
    refused(await company.come(client, sp_entity_id="https://them.example"), 403, "cannot trust")
    refused(await company.come(client, destination="https://them.example/acs"), 403, "cannot trust")
    refused(await company.come(client, in_response_to="_another"), 403, "cannot trust")
    raw, relay = await company.answer(client)
    with clock.travel(timedelta(minutes=8)):
        refused(await company.post(client, raw, relay), 403, "no longer, or not yet, good")
    raw, relay = await company.answer(client)
    with clock.travel(timedelta(minutes=-3)):
        refused(await company.post(client, raw, relay), 403, "no longer, or not yet, good")
    raw, relay = await company.answer(client)
    with clock.travel(timedelta(seconds=-40)):
        assert (await company.post(client, raw, relay)).status_code == 303


async def test_an_id_that_is_new_each_time_is_refused(company: Company, client: Browser) -> None:
    from saml2.saml import NAMEID_FORMAT_TRANSIENT

    refused(await company.come(client, format=NAMEID_FORMAT_TRANSIENT), 403, "persistent name id")


async def test_an_answer_for_ada_is_nothing_at_cyds_door_and_cyd_sees_no_metadata_of_hers(
    inst: Installation,
    company: Company,
    theirs: Company,
    cyd: Staff,
    client: Browser,
    new_browser: NewBrowser,
) -> None:
    raw, relay = await company.answer(client)
    refused(await company.post(client, raw, relay, theirs.acs), 403, "did not begin")
    raw, _ = await company.answer(client)
    _, relay = await theirs.answer(client)
    refused(await company.post(client, raw, relay, theirs.acs), 403, "cannot trust")
    browser = await new_browser().as_(cyd)
    foreign = await browser.get(place(inst, company.owner.account_id, "metadata"))
    made_up = await browser.get("/sso/made-up/metadata")
    assert (
        (foreign.status_code, foreign.content)
        == (made_up.status_code, made_up.content)
        == (404, made_up.content)
    )


@pytest.mark.parametrize("field", ["entity_id", "sign_in_url", "certificate"])
async def test_the_page_says_what_is_wrong_with_a_provider(
    client: Browser, idp: Idp, ada: Staff, field: str
) -> None:
    form = {
        "do": "saml",
        "entity_id": "x",
        "sign_in_url": "https://idp.example/",
        "certificate": idp.cert.read_text(),
    }
    await client.as_(ada)
    answer = await client.post("/settings/single-sign-on", data=form | {field: ""})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert "is connected" in (await client.post("/settings/single-sign-on", data=form)).text


def test_an_expired_certificate_is_told(inst: Installation, tmp_path: Path) -> None:
    old = Idp(tmp_path, "old")
    with clock.travel(timedelta(days=31)), pytest.raises(Refused, match="certificate"):
        checked_provider(inst, "x", "https://idp.example", old.cert.read_text())
