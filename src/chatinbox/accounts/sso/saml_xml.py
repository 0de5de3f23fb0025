"""SAML's XML as it may be read: no document type, no entities, no comments, and of it only what the pinned certificate
signed: the element that the verifier gives back, never one looked for again in what arrived (signature wrapping).
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from lxml import etree
from signxml import (  # type: ignore[attr-defined]
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureMethod,
    XMLVerifier,
)

from chatinbox.accounts.sso.connection import Provider
from chatinbox.accounts.sso.oidc import SKEW_SECONDS
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused

MOST_BYTES = 300_000
A, P = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{urn:oasis:names:tc:SAML:2.0:protocol}"
M, D = "{urn:oasis:names:tc:SAML:2.0:metadata}", "{http://www.w3.org/2000/09/xmldsig#}"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
FORMAT_1, FORMAT_2 = (
    "urn:oasis:names:tc:SAML:1.1:nameid-format:",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:",
)
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_SIGNATURES = frozenset(
    method
    for method in SignatureMethod
    if method.name.startswith(("RSA_SHA", "ECDSA_SHA", "SHA"))
    and "SHA1" not in method.name
    and "224" not in method.name
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def failed(code: str, sentence: str = "") -> Refused:
    """One that cannot be trusted; `code` says why in the log."""
    usual = "Your company's sign-in answered in a way we cannot trust, so nobody was signed in. Begin again."
    return Refused(403, sentence or usual, code)


def read(posted: str) -> etree._Element:
    """What was posted, in base 64."""
    if len(posted) > MOST_BYTES:
        raise failed("saml_large")
    try:
        raw = base64.b64decode("".join(posted.split()), validate=True)
    except (ValueError, binascii.Error):
        raise failed("saml_unreadable") from None
    return parse(raw)


def parse(raw: bytes) -> etree._Element:
    """The root element of what arrived; raises for everything that nobody needs in a word of SAML."""
    if b"<!" in raw.replace(b"<!--", b"") or b"\0" in raw:
        raise failed("saml_doctype")
    try:
        root = etree.fromstring(raw, _parser())
    except (ValueError, etree.XMLSyntaxError):
        raise failed("saml_unreadable") from None
    if root.getroottree().docinfo.doctype:
        raise failed("saml_doctype")
    # A comment inside a name splits it for a careless reader; nobody needs one here.
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise failed("saml_shape")
    return root


def verified(provider: Provider, root: etree._Element, location: str = "./") -> etree._Element:
    """The element that the pinned certificate signed, where its signature has to stand. Raises for any other."""
    try:
        config = SignatureConfiguration(
            location=location, signature_methods=_SIGNATURES, digest_algorithms=_DIGESTS
        )
        found = XMLVerifier().verify(
            etree.tostring(root),
            x509_cert=provider.certificate,
            expect_config=config,
            id_attribute="ID",
            parser=_parser(),
        )
    except Exception:  # whatever the verifier says, it is no
        raise failed("saml_signature") from None
    signed = None if isinstance(found, list) else found.signed_xml
    if signed is None:
        raise failed("saml_shape")
    return signed


def check_time(element: etree._Element) -> datetime:
    """That its times hold now; until when it is good."""
    moment, skew = now(), timedelta(seconds=SKEW_SECONDS)
    try:
        begins, ends = (
            datetime.fromisoformat(told).astimezone(UTC) if (told := element.get(name)) else None
            for name in ("NotBefore", "NotOnOrAfter")
        )
    except (ValueError, OverflowError):
        raise failed("sso_times") from None
    if (begins and moment < begins - skew) or (ends and moment >= ends + skew):
        sentence = "Your company's sign-in gave an answer that is no longer, or not yet, good. Begin again; should it stay so, its clock is wrong."
        raise failed("sso_times", sentence)
    return ends or moment + timedelta(hours=1)


def text(element: etree._Element | None) -> str:
    """All the words in an element."""
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=False, remove_pis=False,
    )  # fmt: skip
