"""Signing out at both ends by OpenID Connect: RP-Initiated Logout 1.0 and Back-Channel Logout 1.0.

The provider tells our server, not the browser, that somebody signed out. Front-Channel Logout is not there: it needs our
cookie inside a frame of the provider's page, which browsers keep back.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from joserfc.jwk import KeySet

from chatinbox.accounts import sessions
from chatinbox.accounts.sso.arrive import AtProvider, known_person
from chatinbox.accounts.sso.connection import Connection, Provider, place
from chatinbox.accounts.sso.oidc import LONGEST_AGE, read_keys, verified
from chatinbox.accounts.sso.provider_session import end_named
from chatinbox.accounts.sso.said import need_new, use_up
from chatinbox.accounts.sso.saml_xml import failed
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

EVENT = "http://schemas.openid.net/event/backchannel-logout"
MOST_BYTES = 50_000
_TYPES = ("", "jwt", "logout+jwt", "application/logout+jwt")
_FRESH, _SOONEST = (
    60.0,
    5.0,
)  # seconds: how long keys are good for this, and how soon they are asked for again


def question(inst: Installation, connection: Connection, kept: AtProvider, state: str) -> str:
    """The address at the provider that signs somebody out there (RP-Initiated Logout 1.0 §2).

    No `id_token_hint`: the id token holds a name and an address, so it would have to be kept for as long as a session can
    last, and would then stand in the browser's history and in the provider's logs. The session's own id, which the
    specification allows as `logout_hint`, says as much and names nobody. What it costs: without the token a provider asks
    whether one wants to sign out.
    """
    query = {
        "client_id": connection.provider.client_id,
        "post_logout_redirect_uri": place(inst, connection.account_id, "signed-out"),
        "state": state,
    }
    query |= {"logout_hint": kept.index} if kept.index else {}
    url = connection.provider.logout_url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


class Ended(msgspec.Struct, frozen=True):
    """What a provider says has ended: a session of its own, all of somebody's, or both; and until when it could say so again."""

    subject: str
    session: str
    said: str
    until: datetime


async def hear(inst: Installation, connection: Connection, token: str) -> None:
    """Ends what a logout token says. Raises for one that does not hold; whom it is of, it does not tell.

    It is used up when it is done: after a fault on our side the provider can say it again.
    """
    ended = await _believed(inst, connection, token)
    await need_new(inst, connection, ended.said)
    await _end(inst, connection, ended)
    await use_up(inst, connection, ended.said, ended.until)


async def _end(inst: Installation, connection: Connection, ended: Ended) -> None:
    known = await known_person(inst, connection, ended.subject) if ended.subject else None
    if ended.subject and known is None:
        return
    if ended.session:
        await end_named(inst, connection, [ended.session], known and known[0])
    elif known:
        await sessions.end_by_company(inst, known[1], connection.account_id)


def read_logout_token(provider: Provider, token: str, keys: KeySet) -> Ended:
    """What a logout token says, once all of it holds (Back-Channel Logout 1.0 §2.6)."""
    if len(token) > MOST_BYTES:
        raise failed("sso_signature")
    header, claims = verified(provider, token, keys)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise failed("sso_shape")
    if "nonce" in claims or str(header.get("typ", "")).lower() not in _TYPES:
        raise failed("sso_shape")  # an id token, or another that was meant for something else
    subject, session, said = (_text(claims, name) for name in ("sub", "sid", "jti"))
    if not said or not (subject or session):
        raise failed("sso_shape")
    until = min(float(claims["exp"]), float(claims["iat"]) + LONGEST_AGE)
    return Ended(subject, session, said, datetime.fromtimestamp(until, UTC))


def _text(claims: dict[str, Any], name: str) -> str:
    """A claim's words, or none where it is not there. Raises for what is there and cannot be an id."""
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > 255 or (name in claims and not value.strip()):
        raise failed("sso_shape")
    return value.strip()


class _Known:
    """A connection's keys, and when they were last asked for."""

    def __init__(self) -> None:
        self.lock, self.asked_at = asyncio.Lock(), float("-inf")
        self.keys: KeySet | None = None


_known: dict[UUID, _Known] = {}


async def _believed(inst: Installation, connection: Connection, token: str) -> Ended:
    """Anybody can come to this door, so the provider is asked for its keys once a minute, however many tokens come; sooner
    where a signature is of none of them, for it may have new ones.
    """
    try:
        return read_logout_token(connection.provider, token, await _keys(inst, connection, _FRESH))
    except Refused as refused:
        if refused.code != "sso_signature":
            raise
    return read_logout_token(connection.provider, token, await _keys(inst, connection, _SOONEST))


async def _keys(inst: Installation, connection: Connection, fresh: float) -> KeySet:
    if len(_known) > 5000:
        _known.clear()
    known = _known.setdefault(connection.id, _Known())
    async with known.lock:
        if time.monotonic() - known.asked_at >= fresh:
            known.asked_at = time.monotonic()
            known.keys = await read_keys(inst, connection.account_id, connection.provider, "sso_keys")
        if known.keys is None:
            raise failed("sso_keys")
        return known.keys
