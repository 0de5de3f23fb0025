"""Assertions that were encrypted for us (saml-core §2.3.4, XML Encryption 1.1): opened, and then as good as any other.

Opening proves nothing: everybody has our certificate. What comes out must be signed, inside or around. Of the ciphers only
those count whose key nobody finds by asking us often enough: RSA-OAEP for the key, and AES-GCM; AES-CBC can be altered
unseen (Jager and Somorovsky, 2011), so it is opened where the answer around it is signed, and nowhere else.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from chatinbox.accounts.sso.our_key import OurKey
from chatinbox.accounts.sso.saml_xml import A, D, failed, parse
from chatinbox.core.errors import Refused

_E, _E1, _E11 = (
    "{http://www.w3.org/2001/04/xmlenc#}",
    "http://www.w3.org/2001/04/xmlenc#",
    "http://www.w3.org/2009/xmlenc11#",
)
_MGF = "{http://www.w3.org/2009/xmlenc11#}MGF"
GCM = {f"{_E11}aes128-gcm": 16, f"{_E11}aes192-gcm": 24, f"{_E11}aes256-gcm": 32}
CBC = {f"{_E1}aes128-cbc": 16, f"{_E1}aes192-cbc": 24, f"{_E1}aes256-cbc": 32}
_OAEP = (f"{_E1}rsa-oaep-mgf1p", f"{_E11}rsa-oaep")
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1,  # in OAEP nothing rests on its weakness; most send it
    f"{_E1}sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    f"{_E1}sha512": hashes.SHA512,
    f"{_E11}mgf1sha1": hashes.SHA1,
    f"{_E11}mgf1sha256": hashes.SHA256,
    f"{_E11}mgf1sha384": hashes.SHA384,
    f"{_E11}mgf1sha512": hashes.SHA512,
}


def _closed() -> Refused:
    """The one answer for all that does not open: which step failed would help whoever tries many."""
    return failed("saml_encrypted")


def opened(
    encrypted: etree._Element, key: OurKey | None, prefixes: dict[str | None, str], signed_around: bool
) -> etree._Element:
    """The assertion inside an EncryptedAssertion, as a document of its own; `prefixes` were known where it stood."""
    data, wrapped = encrypted.findall(f"{_E}EncryptedData"), list(encrypted.iter(f"{_E}EncryptedKey"))
    if len(data) != 1 or len(wrapped) != 1 or key is None:
        raise _closed()
    method = _algorithm(data[0])
    if method in CBC and not signed_around:
        sentence = "Your company's sign-in encrypts in a way (AES-CBC) that we open only where the whole response is signed. Ask who runs it to sign the response too, or to use AES-GCM."
        raise failed("saml_cipher", sentence)
    if method not in GCM and method not in CBC:
        sentence = "Your company's sign-in encrypts in a way that is no longer safe. Ask who runs it to use AES-GCM with RSA-OAEP."
        raise failed("saml_cipher", sentence)
    try:
        plain = _decrypted(method, _unwrapped(wrapped[0], key), _bytes(data[0]))
    except (ValueError, binascii.Error, InvalidTag):
        raise _closed() from None
    return _as_document(prefixes, plain)


def _algorithm(element: etree._Element) -> str:
    method = element.find(f"{_E}EncryptionMethod")
    return "" if method is None else method.get("Algorithm", "")


def _bytes(element: etree._Element) -> bytes:
    value = element.find(f"{_E}CipherData/{_E}CipherValue")
    if value is None:
        raise ValueError
    return base64.b64decode("".join((value.text or "").split()), validate=True)


def _unwrapped(element: etree._Element, key: OurKey) -> bytes:
    """The key of the assertion, from RSA-OAEP (RFC 8017 §7.1). The older padding is open to Bleichenbacher's questions."""
    if _algorithm(element) not in _OAEP:
        raise ValueError
    method = element.find(f"{_E}EncryptionMethod")
    assert method is not None
    digest, mask = method.find(f"{D}DigestMethod"), method.find(_MGF)
    hashed = hashes.SHA1 if digest is None else _HASHES.get(digest.get("Algorithm", ""))
    masked = hashes.SHA1 if mask is None else _HASHES.get(mask.get("Algorithm", ""))
    if hashed is None or masked is None or method.find(f"{_E}OAEPparams") is not None:
        raise ValueError
    return key.private.decrypt(_bytes(element), padding.OAEP(padding.MGF1(masked()), hashed(), None))


def _decrypted(method: str, secret: bytes, sealed: bytes) -> bytes:
    if len(secret) != (GCM | CBC)[method]:
        raise ValueError
    if method in GCM:
        return AESGCM(secret).decrypt(sealed[:12], sealed[12:], None)
    opener = Cipher(algorithms.AES(secret), modes.CBC(sealed[:16])).decryptor()
    plain = opener.update(sealed[16:]) + opener.finalize()
    return plain[: -plain[-1]] if plain and 1 <= plain[-1] <= 16 else b""


def _as_document(prefixes: dict[str | None, str], plain: bytes) -> etree._Element:
    """What was inside. No signature covers a prefix that nothing outside uses; so one that means the same as another is
    left out, and none can be made to mean what SAML's own mean.
    """
    meant = list(prefixes.values())
    known = {name: uri for name, uri in prefixes.items() if name and meant.count(uri) == 1}
    holder = etree.Element("holder", nsmap=known)
    begin = etree.tostring(holder).removesuffix(b"/>") + b">"
    try:
        inside = parse(begin + plain + b"</holder>")
    except Refused:
        raise _closed() from None
    if len(inside) != 1 or inside.text or inside[0].tail or inside[0].tag != f"{A}Assertion":
        raise _closed()
    alone = parse(etree.tostring(inside[0]))
    # One, as outside: a signed one inside a forged one would be found by its signature.
    if len(list(alone.iter(f"{A}Assertion", f"{A}EncryptedAssertion"))) != 1:
        raise _closed()
    return alone
