"""Signing out here, told to the provider: where the account wants that, the browser carries it there (SAML, OpenID Connect).

What it carries is a disclosure like any other, so its row is in the ledger before the browser is sent.
"""

from uuid import UUID

import msgspec
from lxml import etree

from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso import logout, oidc_logout, pending, provider_session
from chatinbox.accounts.sso.connection import Connection, errand, read_connection
from chatinbox.accounts.sso.saml_xml import failed
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

WORD = "signing out at the company's sign-in, carried by the browser"


class Asked(msgspec.Struct):
    """What we asked a provider, until it answers; `left` is the ledger's row of it."""

    connection_id: UUID
    request_id: str
    left: UUID | None = None


async def ask(inst: Installation, session: Session) -> str | None:
    """The address at the provider that signs somebody out there too, where the account wants that and they came by it."""
    connection = await read_connection(inst, session.staff.account_id) if session.stays_here else None
    kept = await provider_session.take(inst, session, connection) if connection else None
    if connection is None or kept is None or not connection.provider.ends_there:
        return None
    fields = ("session at the provider",) if kept.index else ()
    if connection.kind == "saml":
        fields = ("name at the provider", *fields)
    left = await inst.egress.by_browser(
        errand(connection.account_id, WORD, *fields, of=session.staff.person_id),
        connection.provider.logout_url,
    )
    asked = Asked(connection.id, f"_{new_id().hex}", left)
    state = await pending.make(inst, "logout", connection.account_id, asked)
    if connection.kind == "saml":
        return await logout.question(inst, connection, kept, asked.request_id, state)
    return oidc_logout.question(inst, connection, kept, state)


async def came_back(
    inst: Installation, connection: Connection, state: str, said: etree._Element | None = None
) -> bool:
    """Whether the provider says that it signed them out too: SAML by its words, OpenID Connect by sending them back.
    Raises for what answers no question of ours to this provider, and for a question that was answered before.
    """
    account_id, asked = await pending.use(inst, "logout", state, Asked)
    if account_id != connection.account_id or asked.connection_id != connection.id:
        raise failed("sso_mixed_up")
    if said is not None:
        logout.need_answer(inst, connection, said, asked.request_id)
    if asked.left:
        await inst.egress.arrived(account_id, asked.left)
    return said is None or logout.is_success(said)
