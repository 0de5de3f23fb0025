"""Signing out at both ends by SAML (saml-profiles §4.4): a provider ends somebody's sessions here, and hears of it when they
sign out.
"""

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from chatinbox.accounts.sso.arrive import AtProvider, known_person
from chatinbox.accounts.sso.connection import Connection, place
from chatinbox.accounts.sso.our_key import our_key
from chatinbox.accounts.sso.provider_session import end
from chatinbox.accounts.sso.said import once
from chatinbox.accounts.sso.saml_redirect import Word, by_redirect, from_redirect
from chatinbox.accounts.sso.saml_xml import SUCCESS, A, P, check_time, failed, read, text, verified
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

FRESH = timedelta(minutes=5)
NOBODY = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
_REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"


# --- the provider asks ------------------------------------------------------------------------------------------------


def signed_word(connection: Connection, word: Word, query: str, posted: str) -> tuple[etree._Element, str]:
    """What the provider said, in an address or in a form, once it is known that it did; and its relay state."""
    name = f"{P}{'LogoutRequest' if word == 'SAMLRequest' else 'LogoutResponse'}"
    if posted:
        root, relay = verified(connection.provider, read(posted)), ""
    else:
        root, relay = from_redirect(connection.provider, query, word)
    if root.tag != name:
        raise failed("saml_shape")
    return root, relay


async def hear(inst: Installation, connection: Connection, said: etree._Element) -> str:
    """Ends what the provider says has ended; the status to answer with. Raises for what is not for us, old, or said before."""
    until = _need_ours(inst, connection, said)
    async with once(inst, connection, said.get("ID") or "", until):
        return await _end(inst, connection, said)


async def _end(inst: Installation, connection: Connection, said: etree._Element) -> str:
    named = said.find(f"{A}NameID")
    if named is None:  # by an encrypted one or another kind, nobody is known here
        return _REQUESTER
    known = await known_person(inst, connection, text(named))
    if known is None:
        return NOBODY
    await end(inst, connection, [text(one) for one in said.findall(f"{P}SessionIndex")], known)
    return SUCCESS


def _need_ours(inst: Installation, connection: Connection, said: etree._Element) -> datetime:
    """Raises for what another said, meant for another, or said long ago; until when it could be said again."""
    if text(said.find(f"{A}Issuer")) != connection.provider.issuer:
        raise failed("sso_issuer")
    if said.get("Destination") != place(inst, connection.account_id, "logout"):
        raise failed("saml_recipient")
    try:
        at = datetime.fromisoformat(said.get("IssueInstant", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise failed("sso_times") from None
    if not now() - FRESH <= at <= now() + FRESH:
        raise failed("sso_times")
    check_time(said)
    return at + 2 * FRESH


async def answer_to(
    inst: Installation, connection: Connection, said: etree._Element, relay: str, status: str
) -> str | None:
    """The address at the provider that brings it our answer, or None where nobody said where it hears them."""
    url = connection.provider.logout_url
    if not url:
        return None
    xml = (
        f"<p:LogoutResponse {_head(new_id().hex, url)} InResponseTo={quoteattr(said.get('ID') or '')}>"
        f"{_from_us(inst, connection)}<p:Status><p:StatusCode Value={quoteattr(status)}/></p:Status></p:LogoutResponse>"
    )
    key = await our_key(inst, connection.account_id)
    return by_redirect(url, "SAMLResponse", xml, relay[:1000], key)


# --- we ask -----------------------------------------------------------------------------------------------------------


async def question(
    inst: Installation, connection: Connection, kept: AtProvider, request_id: str, relay: str
) -> str:
    """The address at the provider that signs somebody out there, by the name that it knows them by."""
    url = connection.provider.logout_url
    xml = (
        f"<p:LogoutRequest {_head(request_id[1:], url)}>{_from_us(inst, connection)}"
        f"{_named(kept)}</p:LogoutRequest>"
    )
    return by_redirect(url, "SAMLRequest", xml, relay, await our_key(inst, connection.account_id))


def need_answer(inst: Installation, connection: Connection, said: etree._Element, request_id: str) -> None:
    """Raises for an answer that is not from our provider, not for us, or to another question."""
    _need_ours(inst, connection, said)
    if said.get("InResponseTo") != request_id:
        raise failed("saml_recipient")


def is_success(said: etree._Element) -> bool:
    """Whether the provider says that it signed them out too."""
    status = said.find(f"{P}Status/{P}StatusCode")
    return status is not None and status.get("Value") == SUCCESS


def _head(name: str, url: str) -> str:
    moment = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'xmlns:p="{P[1:-1]}" xmlns="{A[1:-1]}" ID="_{name}" Version="2.0" IssueInstant="{moment}" Destination={quoteattr(url)}'


def _from_us(inst: Installation, connection: Connection) -> str:
    return f"<Issuer>{escape(place(inst, connection.account_id, 'metadata'))}</Issuer>"


def _named(at_provider: AtProvider) -> str:
    told = {
        "Format": at_provider.format,
        "NameQualifier": at_provider.qualifier,
        "SPNameQualifier": at_provider.our_qualifier,
    }
    more = "".join(f" {name}={quoteattr(value)}" for name, value in told.items() if value)
    index = f"<p:SessionIndex>{escape(at_provider.index)}</p:SessionIndex>" if at_provider.index else ""
    return f"<NameID{more}>{escape(at_provider.name)}</NameID>{index}"
