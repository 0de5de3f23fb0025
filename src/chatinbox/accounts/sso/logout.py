"""Signing out at both ends (saml-profiles §4.4): a provider ends somebody's sessions here, and hears of it when they sign out.

A provider ends only what it vouched for: sessions of its own account that began by its sign-in.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

import msgspec
from lxml import etree

from chatinbox.accounts import sessions
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso import pending
from chatinbox.accounts.sso.arrive import AtProvider, known_person
from chatinbox.accounts.sso.connection import Connection, place, read_connection
from chatinbox.accounts.sso.our_key import our_key
from chatinbox.accounts.sso.said import use_up
from chatinbox.accounts.sso.saml_redirect import Word, by_redirect, from_redirect
from chatinbox.accounts.sso.saml_xml import SUCCESS, A, P, check_time, failed, read, text, verified
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

FRESH = timedelta(minutes=5)
NOBODY = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
_REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"


class Asked(msgspec.Struct):
    """What we asked a provider, until it answers."""

    connection_id: UUID
    request_id: str


async def find_account(inst: Installation, path: str) -> UUID | None:
    """The account whose provider was told this path."""
    try:
        rows = await inst.db.directory(
            "select account_id from directory.find_sso_path(%s)", [bytes.fromhex(path)]
        )
    except ValueError:
        return None
    return rows[0][0] if rows else None


async def remember(inst: Installation, session: Session, at_provider: AtProvider) -> None:
    """Keeps by which name the provider knows whom a session is of: it has to be told to the letter when it ends."""
    account_id, staff = session.staff.account_id, session.staff
    connection = await read_connection(inst, account_id)
    if connection is None:
        return
    key = await inst.vault.person_key(staff.person_id)
    row_id = session.session_id
    sealed = key.seal(msgspec.json.encode(at_provider), account_id, "sso_session", "words", row_id)
    await inst.db.run(
        account_id,
        (
            "insert into sso_session (account_id, id, connection_id, staff_user_id, index_blind, words_sealed, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [account_id, row_id, connection.id, staff.staff_user_id,
             await _index(inst, connection, at_provider.index), sealed, now()],
        ),
    )  # fmt: skip


async def forget(inst: Installation, account_id: UUID) -> None:
    """Removes what is kept of sessions that have run out for certain."""
    before = now() - sessions.LONGEST
    await inst.db.run(
        account_id,
        ("delete from sso_session where account_id = %s and created_at < %s", [account_id, before]),
    )


async def _index(inst: Installation, connection: Connection, index: str) -> bytes:
    return await inst.vault.blind(connection.account_id, f"sso-index {connection.id}", index)


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
    account_id = connection.account_id
    until = _need_ours(inst, connection, said)
    await use_up(inst, connection, said.get("ID") or "", until)
    named = said.find(f"{A}NameID")
    if named is None:  # by an encrypted one or another kind, nobody is known here
        return _REQUESTER
    known = await known_person(inst, connection, text(named))
    if known is None:
        return NOBODY
    staff_user_id, person_id = known
    indexes = [text(one) for one in said.findall(f"{P}SessionIndex")]
    if not indexes:
        await sessions.end_by_company(inst, person_id, account_id)
        return SUCCESS
    blinds = [await _index(inst, connection, one) for one in indexes]
    [rows] = await inst.db.run(
        account_id,
        (
            "delete from sso_session where account_id = %s and connection_id = %s and staff_user_id = %s"
            " and index_blind = any(%s) returning id",
            [account_id, connection.id, staff_user_id, blinds],
        ),
    )
    for (session_id,) in rows:
        await sessions.end(inst, person_id, session_id)
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


async def ask(inst: Installation, session: Session) -> str | None:
    """The address at the provider that signs somebody out there too, where the account wants that and they came by it."""
    account_id, person_id = session.staff.account_id, session.staff.person_id
    connection = await read_connection(inst, account_id) if session.stays_here else None
    if connection is None or connection.kind != "saml" or not connection.provider.ends_there:
        return None
    [rows] = await inst.db.run(
        account_id,
        (
            "delete from sso_session where account_id = %s and id = %s and connection_id = %s returning words_sealed",
            [account_id, session.session_id, connection.id],
        ),
    )
    if not rows:
        return None
    key, url = await inst.vault.person_key(person_id), connection.provider.logout_url
    raw = key.open(rows[0][0], account_id, "sso_session", "words", session.session_id)
    asked = Asked(connection.id, f"_{new_id().hex}")
    relay = await pending.make(inst, "logout", account_id, asked)
    xml = (
        f"<p:LogoutRequest {_head(asked.request_id[1:], url)}>{_from_us(inst, connection)}"
        f"{_named(msgspec.json.decode(raw, type=AtProvider))}</p:LogoutRequest>"
    )
    return by_redirect(url, "SAMLRequest", xml, relay, await our_key(inst, account_id))


async def hear_answer(inst: Installation, connection: Connection, said: etree._Element, relay: str) -> bool:
    """Whether the provider says that it signed them out too. Raises for what answers no question of ours."""
    account_id, asked = await pending.use(inst, "logout", relay, Asked)
    _need_ours(inst, connection, said)
    if account_id != connection.account_id or asked.connection_id != connection.id:
        raise failed("sso_mixed_up")
    if said.get("InResponseTo") != asked.request_id:
        raise failed("saml_recipient")
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
