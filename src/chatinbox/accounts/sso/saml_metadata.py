"""What each side is told of the other (saml-metadata §2.4): ours is handed to a provider, its is pasted in by an owner."""

from uuid import UUID
from xml.sax.saxutils import quoteattr

from chatinbox.accounts.sso.connection import place
from chatinbox.accounts.sso.our_key import OurKey
from chatinbox.accounts.sso.saml_encrypted import GCM
from chatinbox.accounts.sso.saml_xml import FORMAT_1, FORMAT_2, POST
from chatinbox.core.installation import Installation


def ours(inst: Installation, account_id: UUID, key: OurKey) -> str:
    """What an administrator hands to the provider."""
    ciphers = "".join(f'\n      <md:EncryptionMethod Algorithm="{one}"/>' for one in reversed(GCM))
    return (
        '<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f' xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID={quoteattr(place(inst, account_id, "metadata"))}>\n'
        '  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true"'
        ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\n'
        f"{_descriptor(key, 'signing')}{_descriptor(key, 'encryption', ciphers)}"
        f"    <md:NameIDFormat>{FORMAT_2}persistent</md:NameIDFormat>\n"
        f"    <md:NameIDFormat>{FORMAT_1}emailAddress</md:NameIDFormat>\n"
        f'    <md:AssertionConsumerService Binding="{POST}" index="0" isDefault="true"'
        f" Location={quoteattr(place(inst, account_id, 'saml'))}/>\n"
        "  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n"
    )


def _descriptor(key: OurKey, use: str, more: str = "") -> str:
    return (
        f'    <md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{key.certificate}'
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{more}</md:KeyDescriptor>\n"
    )
