"""Our own key of a SAML connection, sealed under the account's key: it opens what was encrypted for us, and signs what we ask.

One an account, made when somebody first asks for our metadata, because a provider is told it before it is connected.
"""

import asyncio
import base64
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.sso.connection import tell_path
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

BITS = 3072
GOOD_FOR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class OurKey:
    """The private key, and the certificate that a provider is given: base 64 of its DER form."""

    private: rsa.RSAPrivateKey
    certificate: str


async def read_key(inst: Installation, account_id: UUID) -> OurKey | None:
    """The account's key, or None while nobody asked for it."""
    [rows] = await inst.db.run(
        account_id, ("select id, key_sealed, certificate from sso_key where account_id = %s", [account_id])
    )
    if not rows:
        return None
    row_id, sealed, certificate = rows[0]
    raw = (await inst.vault.account_key(account_id)).open(sealed, account_id, "sso_key", "key", row_id)
    private = load_der_private_key(raw, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return OurKey(private, base64.b64encode(certificate).decode())


async def our_key(inst: Installation, account_id: UUID) -> OurKey:
    """The account's key; made when there is none. Of two who ask at once, both get the one that was first."""
    found = await read_key(inst, account_id)
    if found is None:
        await _keep(inst, account_id, "on conflict do nothing")
        found = await read_key(inst, account_id)
        assert found
    return found


async def renew(inst: Installation, by: Staff) -> None:
    """Makes another key in place of the old one, which opens and signs nothing from now on."""
    by.need("integrations")
    again = (
        "on conflict (account_id) do update set id = excluded.id, key_sealed = excluded.key_sealed,"
        " certificate = excluded.certificate, created_at = excluded.created_at"
    )
    await _keep(inst, by.account_id, again, by)


async def _keep(inst: Installation, account_id: UUID, conflict: str, by: Staff | None = None) -> None:
    raw, certificate = await asyncio.to_thread(_make)
    key, row_id = await inst.vault.account_key(account_id), new_id()
    await inst.db.run(
        account_id,
        (
            "insert into sso_key (account_id, id, key_sealed, certificate, created_at) values (%s, %s, %s, %s, %s)"
            f" {conflict}",
            [account_id, row_id, key.seal(raw, account_id, "sso_key", "key", row_id), certificate, now()],
        ),
        *([noted(key, by, "sso.our_key", None, None, row_id)] if by else []),
    )
    await tell_path(inst, account_id)


def _make() -> tuple[bytes, bytes]:
    """A key and a certificate that nobody but itself vouches for; a provider pins it (saml-metadata §2.4.1.1)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ChatInbox")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + GOOD_FOR)
        .sign(private, SHA256())
    )
    raw = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return raw, certificate.public_bytes(Encoding.DER)
