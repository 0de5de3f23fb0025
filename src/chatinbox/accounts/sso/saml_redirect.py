"""SAML's words in an address (saml-bindings §3.4): packed, and signed beside the words instead of inside them.

The signature is of the very characters that travel, so it is checked on the query as it came, never on one written anew.
"""

import base64
import binascii
import zlib
from typing import Literal, TypeAlias
from urllib.parse import unquote_plus, urlencode

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from lxml import etree

from chatinbox.accounts.sso.connection import Provider
from chatinbox.accounts.sso.our_key import OurKey
from chatinbox.accounts.sso.saml_xml import MOST_BYTES, failed, parse

Word: TypeAlias = Literal["SAMLRequest", "SAMLResponse"]
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_RSA: dict[str, HashAlgorithm] = {
    f"{_MORE}rsa-sha256": SHA256(),
    f"{_MORE}rsa-sha384": SHA384(),
    f"{_MORE}rsa-sha512": SHA512(),
}
_EC: dict[str, HashAlgorithm] = {
    f"{_MORE}ecdsa-sha256": SHA256(),
    f"{_MORE}ecdsa-sha384": SHA384(),
    f"{_MORE}ecdsa-sha512": SHA512(),
}


def by_redirect(url: str, word: Word, xml: str, relay: str, key: OurKey | None) -> str:
    """The address with these words in it, signed when there is a key."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(xml.encode()) + packer.flush()).decode()
    query = urlencode({word: packed} | ({"RelayState": relay} if relay else {}))
    if key:
        query += "&" + urlencode({"SigAlg": f"{_MORE}rsa-sha256"})
        made = key.private.sign(query.encode(), padding.PKCS1v15(), SHA256())
        query += "&" + urlencode({"Signature": base64.b64encode(made).decode()})
    return f"{url}{'&' if '?' in url else '?'}{query}"


def from_redirect(provider: Provider, query: str, word: Word) -> tuple[etree._Element, str]:
    """The words in a query and its relay state, when the pinned certificate signed them. Raises otherwise."""
    parts = [part.partition("=") for part in query.split("&")]
    came = {name: value for name, _, value in parts}
    if (
        len(came) != len(parts) or word not in came
    ):  # which of two the signature meant, nobody should have to say
        raise failed("saml_shape")
    signed = "&".join(f"{name}={came[name]}" for name in (word, "RelayState", "SigAlg") if name in came)
    try:
        signature = base64.b64decode(unquote_plus(came.get("Signature", "")), validate=True)
        _verify(provider, unquote_plus(came.get("SigAlg", "")), signature, signed.encode())
        unpacker = zlib.decompressobj(-15)
        raw = unpacker.decompress(base64.b64decode(unquote_plus(came[word]), validate=True), MOST_BYTES)
    except InvalidSignature:
        raise failed("saml_signature") from None
    except (ValueError, binascii.Error, zlib.error):
        raise failed("saml_unreadable") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise failed("saml_large")
    return parse(raw), unquote_plus(came.get("RelayState", ""))


def _verify(provider: Provider, algorithm: str, signature: bytes, signed: bytes) -> None:
    public = x509.load_der_x509_certificate(base64.b64decode(provider.certificate)).public_key()
    if isinstance(public, rsa.RSAPublicKey) and algorithm in _RSA:
        public.verify(signature, signed, padding.PKCS1v15(), _RSA[algorithm])
    elif isinstance(public, ec.EllipticCurvePublicKey) and algorithm in _EC:
        public.verify(signature, signed, ec.ECDSA(_EC[algorithm]))
    else:
        raise InvalidSignature
