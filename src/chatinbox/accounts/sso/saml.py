"""SAML 2.0, our side (saml-core, saml-bindings, saml-profiles §4.1): asked by redirect, answered by POST.

Only what the pinned certificate signed is read (`saml_xml`), and only answers to a question of ours, each once.
"""

import base64
import binascii
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from chatinbox.accounts.sso.address import need_address
from chatinbox.accounts.sso.arrive import Arrival, AtProvider
from chatinbox.accounts.sso.connection import Connection, Provider, place
from chatinbox.accounts.sso.oidc import Begun
from chatinbox.accounts.sso.our_key import OurKey, our_key, read_key
from chatinbox.accounts.sso.said import use_up
from chatinbox.accounts.sso.saml_encrypted import opened
from chatinbox.accounts.sso.saml_redirect import by_redirect
from chatinbox.accounts.sso.saml_xml import (
    FORMAT_1,
    FORMAT_2,
    POST,
    SUCCESS,
    A,
    D,
    P,
    check_time,
    failed,
    read,
    text,
    verified,
)
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_EMAIL = (
    "email", "mail", "emailaddress", "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)  # fmt: skip
_NAME = (
    "name", "displayname", "cn", "urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "http://schemas.microsoft.com/identity/claims/displayname",
)  # fmt: skip


def checked_provider(
    inst: Installation, issuer: str, sign_in_url: str, certificate: str, logout_url: str = ""
) -> Provider:
    """What an owner said of the provider; raises a sentence by field."""
    issuer, sign_in_url = issuer.strip(), sign_in_url.strip()
    if not 1 <= len(issuer) <= 1024:
        raise Refused(422, "Write the provider's entity id.", "entity_id")
    need_address(inst, sign_in_url, "sign_in_url", "sign-in")
    logout_url = checked_logout(inst, logout_url)
    bare = "".join(line for line in certificate.strip().splitlines() if not line.startswith("-----"))
    try:
        told = x509.load_der_x509_certificate(base64.b64decode("".join(bare.split()), validate=True))
    except (ValueError, binascii.Error):
        raise Refused(
            422,
            "This certificate cannot be read. Copy all of it, with its first and last line.",
            "certificate",
        ) from None
    if told.not_valid_after_utc < now():
        raise Refused(422, "This certificate has expired. Ask for the provider's new one.", "certificate")
    pem = base64.b64encode(told.public_bytes(Encoding.DER)).decode()
    return Provider(issuer=issuer, sign_in_url=sign_in_url, certificate=pem, logout_url=logout_url)


def checked_logout(inst: Installation, url: str) -> str:
    """Where the provider signs people out, or nothing. Raises a sentence for what is no address."""
    if url.strip():
        need_address(inst, url.strip(), "logout_url", "sign-out")
    return url.strip()


async def begin(inst: Installation, connection: Connection, state: str, begun: Begun) -> str:
    """The address at the provider to which somebody is sent, with our question in it, signed where it wants that."""
    account_id = connection.account_id
    question = (
        f'<p:AuthnRequest xmlns:p="{P[1:-1]}" ID="_{begun.nonce}" Version="2.0"'
        f' IssueInstant="{now().strftime("%Y-%m-%dT%H:%M:%SZ")}" ProtocolBinding="{POST}"'
        f" Destination={quoteattr(connection.provider.sign_in_url)}"
        f" AssertionConsumerServiceURL={quoteattr(place(inst, account_id, 'saml'))}>"
        f'<Issuer xmlns="{A[1:-1]}">{escape(place(inst, account_id, "metadata"))}</Issuer></p:AuthnRequest>'
    )
    key = await our_key(inst, account_id) if connection.provider.signs else None
    return by_redirect(connection.provider.sign_in_url, "SAMLRequest", question, state, key)


async def finish(inst: Installation, connection: Connection, begun: Begun, answer: str) -> Arrival:
    """Who came back; the assertion is used up. Raises one sentence for whatever is not right."""
    account_id = connection.account_id
    acs, us = place(inst, account_id, "saml"), place(inst, account_id, "metadata")
    assertion = signed_part(connection.provider, answer, await read_key(inst, account_id))
    until = check(assertion, connection.provider.issuer, us, acs, f"_{begun.nonce}")
    await use_up(inst, connection, assertion.get("ID") or "", until)
    return who(assertion)


def signed_part(provider: Provider, answer: str, key: OurKey | None = None) -> etree._Element:
    """The one assertion of an answer that the pinned certificate signed, as the verifier gives it back. What `key` opens
    must be signed all the same: by itself, or with the answer around it.
    """
    root = read(answer)
    if root.tag != f"{P}Response":
        raise failed("saml_shape")
    status = root.find(f"{P}Status/{P}StatusCode")
    if status is None or status.get("Value") != SUCCESS:
        raise failed("saml_status", "Your company's sign-in said no. Ask who runs it, or begin again.")
    encrypted = len(list(root.iter(f"{A}EncryptedAssertion")))
    if len(list(root.iter(f"{A}Assertion"))) + encrypted != 1:
        raise failed("saml_shape")
    name = f"{A}EncryptedAssertion" if encrypted else f"{A}Assertion"
    inside = root.find(name)
    if inside is None:
        raise failed("saml_shape")
    if root.find(f"{D}Signature") is not None:
        whole = verified(provider, root)
        inner = whole.findall(name) if whole.tag == f"{P}Response" else []
        if len(inner) != 1:
            raise failed("saml_shape")
        return opened(inner[0], key, inside.nsmap, signed_around=True) if encrypted else inner[0]
    if not encrypted:
        return _assertion(verified(provider, root, f"./{A}Assertion/"))
    return _assertion(verified(provider, opened(inside, key, inside.nsmap, signed_around=False)))


def _assertion(signed: etree._Element) -> etree._Element:
    if signed.tag != f"{A}Assertion":
        raise failed("saml_shape")
    return signed


def check(assertion: etree._Element, issuer: str, us: str, acs: str, question: str) -> datetime:
    """Whether an assertion is for us, now, and answers this question; until when (saml-profiles §4.1.4.3)."""
    if text(assertion.find(f"{A}Issuer")) != issuer:
        raise failed("sso_issuer")
    conditions = assertion.find(f"{A}Conditions")
    if conditions is None:
        raise failed("sso_audience")
    restrictions = conditions.findall(f"{A}AudienceRestriction")
    if not restrictions or not all(us in [text(a) for a in r.findall(f"{A}Audience")] for r in restrictions):
        raise failed("sso_audience")
    check_time(conditions)
    for confirmation in assertion.findall(f"{A}Subject/{A}SubjectConfirmation"):
        data = confirmation.find(f"{A}SubjectConfirmationData")
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotOnOrAfter") is None:
            continue
        if data.get("Recipient") == acs and data.get("InResponseTo") == question:
            return check_time(data)
    raise failed("saml_recipient")


def who(assertion: etree._Element) -> Arrival:
    """Whom an assertion speaks of. Raises when the id would be another the next time."""
    named = assertion.find(f"{A}Subject/{A}NameID")
    subject = text(named)
    form = "" if named is None else named.get("Format", "")
    if not subject or form == f"{FORMAT_2}transient":
        sentence = "Your company's sign-in gives a new id each time. Ask who runs it to send a persistent name id, or the e-mail address."
        raise failed("sso_subject", sentence)
    told: dict[str, str] = {}
    for attribute in assertion.findall(f"{A}AttributeStatement/{A}Attribute"):
        value = text(attribute.find(f"{A}AttributeValue"))
        for name in (attribute.get("Name", ""), attribute.get("FriendlyName", "")):
            told.setdefault(name.lower(), value)
    email = next((told[name] for name in _EMAIL if told.get(name)), "")
    if not email and form == f"{FORMAT_1}emailAddress":
        email = subject
    return Arrival(
        subject, email, next((told[name] for name in _NAME if told.get(name)), ""), _at_provider(assertion)
    )


def _at_provider(assertion: etree._Element) -> AtProvider:
    named, session = assertion.find(f"{A}Subject/{A}NameID"), assertion.find(f"{A}AuthnStatement")
    assert named is not None
    return AtProvider(
        text(named),
        named.get("Format", ""),
        named.get("NameQualifier", ""),
        named.get("SPNameQualifier", ""),
        "" if session is None else session.get("SessionIndex", ""),
    )
