"""What each side is told of the other (saml-metadata §2.4): ours is handed to a provider, its is pasted in by an owner."""

from uuid import UUID
from xml.sax.saxutils import quoteattr

import msgspec

from chatinbox.accounts.sso.connection import Connection, Provider, place
from chatinbox.accounts.sso.our_key import OurKey
from chatinbox.accounts.sso.saml import checked_provider
from chatinbox.accounts.sso.saml_encrypted import GCM
from chatinbox.accounts.sso.saml_xml import FORMAT_1, FORMAT_2, POST, REDIRECT, D, M, parse, text
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

_WHOLE = "Paste all of it, from “<” to “>”; it says “IDPSSODescriptor” somewhere."


def ours(inst: Installation, account_id: UUID, key: OurKey, connection: Connection | None) -> str:
    """What an administrator hands to the provider. That we sign our questions is said where we do."""
    signs = "true" if connection and connection.provider.signs else "false"
    ciphers = "".join(f'\n      <md:EncryptionMethod Algorithm="{one}"/>' for one in reversed(GCM))
    return (
        '<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f' xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID={quoteattr(place(inst, account_id, "metadata"))}>\n'
        f'  <md:SPSSODescriptor AuthnRequestsSigned="{signs}" WantAssertionsSigned="true"'
        ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\n'
        f"{_descriptor(key, 'signing')}{_descriptor(key, 'encryption', ciphers)}"
        f"{_logout(inst, account_id, REDIRECT)}{_logout(inst, account_id, POST)}"
        f"    <md:NameIDFormat>{FORMAT_2}persistent</md:NameIDFormat>\n"
        f"    <md:NameIDFormat>{FORMAT_1}emailAddress</md:NameIDFormat>\n"
        f'    <md:AssertionConsumerService Binding="{POST}" index="0" isDefault="true"'
        f" Location={quoteattr(place(inst, account_id, 'saml'))}/>\n"
        "  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n"
    )


def _logout(inst: Installation, account_id: UUID, binding: str) -> str:
    where = quoteattr(place(inst, account_id, "logout"))
    return f'    <md:SingleLogoutService Binding="{binding}" Location={where}/>\n'


def _descriptor(key: OurKey, use: str, more: str = "") -> str:
    return (
        f'    <md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{key.certificate}'
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{more}</md:KeyDescriptor>\n"
    )


def theirs(inst: Installation, pasted: str) -> Provider:
    """The provider that a pasted metadata describes. Raises a sentence where it says too little, or is none."""
    try:
        root = parse(pasted.strip().encode())
    except Refused:
        raise Refused(422, f"This metadata cannot be read. {_WHOLE}", "their_metadata") from None
    idp = root.find(f"{M}IDPSSODescriptor")
    if root.tag != f"{M}EntityDescriptor" or idp is None:
        raise Refused(422, f"This is not the metadata of one provider. {_WHOLE}", "their_metadata")
    places = {
        name: next(
            (one.get("Location", "") for one in idp.findall(f"{M}{name}") if one.get("Binding") == REDIRECT),
            "",
        )
        for name in ("SingleSignOnService", "SingleLogoutService")
    }
    certificates = [
        text(one)
        for descriptor in idp.findall(f"{M}KeyDescriptor")
        if descriptor.get("use") != "encryption"
        for one in descriptor.iter(f"{D}X509Certificate")
    ]
    if not certificates:
        raise Refused(422, "This metadata holds no certificate to know its signatures by.", "their_metadata")
    provider = checked_provider(
        inst, root.get("entityID", ""), places["SingleSignOnService"], certificates[0],
        places["SingleLogoutService"],
    )  # fmt: skip
    wanted = idp.get("WantAuthnRequestsSigned", "").strip() in ("true", "1")
    return msgspec.structs.replace(provider, signs=wanted)
