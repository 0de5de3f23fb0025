"""SAML 2.0, our side (saml-core, saml-bindings, saml-profiles §4.1): asked by redirect, answered by POST.

Only what the pinned certificate signed is read: the element that the verifier gives back, never one looked for again in
what arrived (signature wrapping). No document type, no entities. Only answers to a question of ours, each once.
"""

import base64
import binascii
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import (  # type: ignore[attr-defined]
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureMethod,
    XMLVerifier,
)

from chatinbox.accounts.sso.arrive import Arrival
from chatinbox.accounts.sso.connection import Connection, Provider, place
from chatinbox.accounts.sso.oidc import SKEW_SECONDS, Begun
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

MOST_BYTES = 300_000
_A, _P = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{urn:oasis:names:tc:SAML:2.0:protocol}"
_D = "{http://www.w3.org/2000/09/xmldsig#}"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_FORMAT_1, _FORMAT_2 = (
    "urn:oasis:names:tc:SAML:1.1:nameid-format:",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:",
)
_EMAIL = (
    "email", "mail", "emailaddress", "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)  # fmt: skip
_NAME = (
    "name", "displayname", "cn", "urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "http://schemas.microsoft.com/identity/claims/displayname",
)  # fmt: skip
_SIGNATURES = frozenset(
    method
    for method in SignatureMethod
    if method.name.startswith(("RSA_SHA", "ECDSA_SHA", "SHA"))
    and "SHA1" not in method.name
    and "224" not in method.name
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def _failed(code: str, sentence: str = "") -> Refused:
    usual = "Your company's sign-in answered in a way we cannot trust, so nobody was signed in. Begin again."
    return Refused(403, sentence or usual, code)


def checked_provider(inst: Installation, issuer: str, sign_in_url: str, certificate: str) -> Provider:
    """What an owner said of the provider; raises a sentence by field."""
    issuer, sign_in_url = issuer.strip(), sign_in_url.strip()
    if not 1 <= len(issuer) <= 1024:
        raise Refused(422, "Write the provider's entity id.", "entity_id")
    schemes = ("https", "http") if inst.settings.inside_targets else ("https",)
    if (
        len(sign_in_url) > 2000
        or urlsplit(sign_in_url).scheme not in schemes
        or not urlsplit(sign_in_url).hostname
    ):
        raise Refused(422, "Write the whole address of its sign-in; it begins with https://.", "sign_in_url")
    bare = "".join(line for line in certificate.strip().splitlines() if not line.startswith("-----"))
    try:
        read = x509.load_der_x509_certificate(base64.b64decode("".join(bare.split()), validate=True))
    except (ValueError, binascii.Error):
        raise Refused(
            422,
            "This certificate cannot be read. Copy all of it, with its first and last line.",
            "certificate",
        ) from None
    if read.not_valid_after_utc < now():
        raise Refused(422, "This certificate has expired. Ask for the provider's new one.", "certificate")
    pem = base64.b64encode(read.public_bytes(Encoding.DER)).decode()
    return Provider(issuer=issuer, sign_in_url=sign_in_url, certificate=pem)


def metadata(inst: Installation, account_id: UUID) -> str:
    """What an administrator hands to the provider (saml-metadata §2.4.4)."""
    return (
        '<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f" entityID={quoteattr(place(inst, account_id, 'metadata'))}>\n"
        '  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true"'
        ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\n'
        f"    <md:NameIDFormat>{_FORMAT_2}persistent</md:NameIDFormat>\n"
        f"    <md:NameIDFormat>{_FORMAT_1}emailAddress</md:NameIDFormat>\n"
        f'    <md:AssertionConsumerService Binding="{_POST}" index="0" isDefault="true"'
        f" Location={quoteattr(place(inst, account_id, 'saml'))}/>\n"
        "  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n"
    )


def begin(inst: Installation, connection: Connection, state: str, begun: Begun) -> str:
    """The address at the provider to which somebody is sent, with our question in it."""
    account_id = connection.account_id
    question = (
        f'<p:AuthnRequest xmlns:p="{_P[1:-1]}" ID="_{begun.nonce}" Version="2.0"'
        f' IssueInstant="{now().strftime("%Y-%m-%dT%H:%M:%SZ")}" ProtocolBinding="{_POST}"'
        f" Destination={quoteattr(connection.provider.sign_in_url)}"
        f" AssertionConsumerServiceURL={quoteattr(place(inst, account_id, 'saml'))}>"
        f'<Issuer xmlns="{_A[1:-1]}">{escape(place(inst, account_id, "metadata"))}</Issuer></p:AuthnRequest>'
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(question.encode()) + packer.flush()).decode()
    joined = "&" if "?" in connection.provider.sign_in_url else "?"
    query = urlencode({"SAMLRequest": packed, "RelayState": state})
    return f"{connection.provider.sign_in_url}{joined}{query}"


async def finish(inst: Installation, connection: Connection, begun: Begun, answer: str) -> Arrival:
    """Who came back; the assertion is used up. Raises one sentence for whatever is not right."""
    account_id = connection.account_id
    acs, us = place(inst, account_id, "saml"), place(inst, account_id, "metadata")
    assertion = signed_part(connection.provider, answer)
    until = check(assertion, connection.provider.issuer, us, acs, f"_{begun.nonce}")
    await _use_up(inst, account_id, connection.id, assertion.get("ID") or "", until)
    return who(assertion)


async def _use_up(
    inst: Installation, account_id: UUID, connection_id: UUID, said: str, until: datetime
) -> None:
    blind = await inst.vault.blind(account_id, f"sso-said {connection_id}", said)
    [_, rows] = await inst.db.run(
        account_id,
        ("delete from sso_said where account_id = %s and expires_at < %s", [account_id, now()]),
        (
            "insert into sso_said (account_id, id, said_blind, expires_at) values (%s, %s, %s, %s)"
            " on conflict do nothing returning id",
            [account_id, new_id(), blind, until + timedelta(seconds=2 * SKEW_SECONDS)],
        ),
    )
    if not rows or not said:
        raise _failed("sso_replayed")


def signed_part(provider: Provider, answer: str) -> etree._Element:
    """The one assertion of an answer that the pinned certificate signed, as the verifier gives it back."""
    root = _read(answer)
    if root.tag != f"{_P}Response":
        raise _failed("saml_shape")
    if root.find(f"{_A}EncryptedAssertion") is not None:
        sentence = "Your company's sign-in sends encrypted assertions, which we do not read. Ask who runs it to switch that off; the way is encrypted already."
        raise _failed("saml_encrypted", sentence)
    status = root.find(f"{_P}Status/{_P}StatusCode")
    if status is None or status.get("Value") != _SUCCESS:
        raise _failed("saml_status", "Your company's sign-in said no. Ask who runs it, or begin again.")
    if len(list(root.iter(f"{_A}Assertion"))) != 1:
        raise _failed("saml_shape")
    location = "./" if root.find(f"{_D}Signature") is not None else f"./{_A}Assertion/"
    try:
        config = SignatureConfiguration(
            location=location, signature_methods=_SIGNATURES, digest_algorithms=_DIGESTS
        )
        verified = XMLVerifier().verify(
            etree.tostring(root),
            x509_cert=provider.certificate,
            expect_config=config,
            id_attribute="ID",
            parser=_parser(),
        )
    except Exception:  # whatever the verifier says, it is no
        raise _failed("saml_signature") from None
    signed = None if isinstance(verified, list) else verified.signed_xml
    if signed is not None and signed.tag == f"{_P}Response":
        inner = signed.findall(f"{_A}Assertion")
        signed = inner[0] if len(inner) == 1 else None
    if signed is None or signed.tag != f"{_A}Assertion":
        raise _failed("saml_shape")
    return signed


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=False, remove_pis=False,
    )  # fmt: skip


def _read(answer: str) -> etree._Element:
    if len(answer) > MOST_BYTES:
        raise _failed("saml_large")
    try:
        raw = base64.b64decode("".join(answer.split()), validate=True)
        if b"<!" in raw.replace(b"<!--", b"") or b"\0" in raw:
            raise _failed("saml_doctype")
        root = etree.fromstring(raw, _parser())
    except (ValueError, binascii.Error, etree.XMLSyntaxError):
        raise _failed("saml_unreadable") from None
    if root.getroottree().docinfo.doctype:
        raise _failed("saml_doctype")
    # A comment inside a name splits it for a careless reader; nobody needs one here.
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise _failed("saml_shape")
    return root


def check(assertion: etree._Element, issuer: str, us: str, acs: str, question: str) -> datetime:
    """Whether an assertion is for us, now, and answers this question; until when (saml-profiles §4.1.4.3)."""
    if _text(assertion.find(f"{_A}Issuer")) != issuer:
        raise _failed("sso_issuer")
    conditions = assertion.find(f"{_A}Conditions")
    if conditions is None:
        raise _failed("sso_audience")
    restrictions = conditions.findall(f"{_A}AudienceRestriction")
    if not restrictions or not all(
        us in [_text(a) for a in r.findall(f"{_A}Audience")] for r in restrictions
    ):
        raise _failed("sso_audience")
    _check_time(conditions)
    for confirmation in assertion.findall(f"{_A}Subject/{_A}SubjectConfirmation"):
        data = confirmation.find(f"{_A}SubjectConfirmationData")
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotOnOrAfter") is None:
            continue
        if data.get("Recipient") == acs and data.get("InResponseTo") == question:
            return _check_time(data)
    raise _failed("saml_recipient")


def _check_time(element: etree._Element) -> datetime:
    moment, skew = now(), timedelta(seconds=SKEW_SECONDS)
    try:
        begins, ends = (
            datetime.fromisoformat(told).astimezone(UTC) if (told := element.get(name)) else None
            for name in ("NotBefore", "NotOnOrAfter")
        )
    except (ValueError, OverflowError):
        raise _failed("sso_times") from None
    if (begins and moment < begins - skew) or (ends and moment >= ends + skew):
        sentence = "Your company's sign-in gave an answer that is no longer, or not yet, good. Begin again; should it stay so, its clock is wrong."
        raise _failed("sso_times", sentence)
    return ends or moment + timedelta(hours=1)


def who(assertion: etree._Element) -> Arrival:
    """Whom an assertion speaks of. Raises when the id would be another the next time."""
    named = assertion.find(f"{_A}Subject/{_A}NameID")
    subject = _text(named)
    form = "" if named is None else named.get("Format", "")
    if not subject or form == f"{_FORMAT_2}transient":
        sentence = "Your company's sign-in gives a new id each time. Ask who runs it to send a persistent name id, or the e-mail address."
        raise _failed("sso_subject", sentence)
    told: dict[str, str] = {}
    for attribute in assertion.findall(f"{_A}AttributeStatement/{_A}Attribute"):
        value = _text(attribute.find(f"{_A}AttributeValue"))
        for name in (attribute.get("Name", ""), attribute.get("FriendlyName", "")):
            told.setdefault(name.lower(), value)
    email = next((told[name] for name in _EMAIL if told.get(name)), "")
    if not email and form == f"{_FORMAT_1}emailAddress":
        email = subject
    return Arrival(subject, email, next((told[name] for name in _NAME if told.get(name)), ""))


def _text(element: etree._Element | None) -> str:
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()
