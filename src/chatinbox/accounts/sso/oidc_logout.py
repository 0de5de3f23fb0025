"""Signing out at both ends by OpenID Connect: RP-Initiated Logout 1.0 and Back-Channel Logout 1.0.

The provider tells our server, not the browser, that somebody signed out. Front-Channel Logout is not there: it needs our
cookie inside a frame of the provider's page, which browsers keep back.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from joserfc.jwk import KeySet

from chatinbox.accounts.sso.arrive import AtProvider, known_person
from chatinbox.accounts.sso.connection import Connection, Provider, place
from chatinbox.accounts.sso.oidc import LONGEST_AGE, read_keys, verified
from chatinbox.accounts.sso.provider_session import end
from chatinbox.accounts.sso.said import once
from chatinbox.accounts.sso.saml_xml import failed
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

EVENT = "http://schemas.openid.net/event/backchannel-logout"
MOST_BYTES = 50_000
_TYPES = ("", "jwt", "logout+jwt", "application/logout+jwt")
# Seconds: how long keys are good for this, and how soon and how late they are asked for again for want of the right one.
_FRESH, _SOONEST, _LATEST = 60.0, 5.0, 3600.0
MayAsk: TypeAlias = Callable[[], None]


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


async def hear(inst: Installation, connection: Connection, token: str, may_ask: MayAsk) -> None:
    """Ends what a logout token says. Raises for one that does not hold; whom it is of, it does not tell. `may_ask` raises where
    whoever brings it has had the provider asked for new keys too often.
    """
    ended = await _believed(inst, connection, token, may_ask)
    async with once(inst, connection, ended.said, ended.until):
        known = await known_person(inst, connection, ended.subject) if ended.subject else None
        if known or not ended.subject:
            await end(inst, connection, [ended.session] if ended.session else [], known)


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
    """A connection's keys, when they were last asked for, and how often since a token held that was in vain."""

    def __init__(self) -> None:
        self.lock, self.asked_at, self.in_vain = asyncio.Lock(), float("-inf"), 0
        self.keys: KeySet | None = None

    @property
    def age(self) -> float:
        """Seconds since they were asked for."""
        return time.monotonic() - self.asked_at

    @property
    def pause(self) -> float:
        """Seconds until they are asked for again because of a signature that none of them made."""
        return min(_SOONEST * (1 << min(self.in_vain, 20)), _LATEST)


_known: dict[UUID, _Known] = {}


async def _believed(inst: Installation, connection: Connection, token: str, may_ask: MayAsk) -> Ended:
    """Anybody can come to this door, so only a token that holds has the provider asked for its keys every minute. For one whose
    signature is of none of them there may be new ones; it is asked then too, and each time in vain the pause is twice as long.
    """
    if len(_known) > 5000:
        _known.clear()
    known = _known.setdefault(connection.id, _Known())
    try:
        keys = known.keys or await _fresh(inst, connection, known)
        ended = read_logout_token(connection.provider, token, keys)
        if known.age >= _FRESH:
            ended = read_logout_token(connection.provider, token, await _fresh(inst, connection, known))
    except Refused as refused:
        if refused.code != "sso_signature":
            raise
        ended = read_logout_token(connection.provider, token, await _newer(inst, connection, known, may_ask))
    known.in_vain = 0
    return ended


async def _fresh(inst: Installation, connection: Connection, known: _Known) -> KeySet:
    async with known.lock:
        if known.age >= _FRESH:
            await _ask(inst, connection, known)
        if known.keys is None:
            raise failed("sso_keys")
        return known.keys


async def _newer(inst: Installation, connection: Connection, known: _Known, may_ask: MayAsk) -> KeySet:
    async with known.lock:
        if known.age >= known.pause:
            may_ask()
            known.in_vain += 1
            await _ask(inst, connection, known)
        assert known.keys  # by them a signature was looked at just now
        return known.keys


async def _ask(inst: Installation, connection: Connection, known: _Known) -> None:
    known.asked_at = time.monotonic()
    known.keys = await read_keys(
        inst, connection.account_id, connection.provider, "sso_keys", once_a_day=True
    )
