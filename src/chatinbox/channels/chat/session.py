"""A visitor's session: a bearer token that opens one conversation, on the site it was given on. The directory holds a keyed hash
of both only.

The frame is ours wherever it stands, so a request of its own says nothing of the site. The browser tells the frame who framed it,
and the frame passes it on (`SITE`): the token that lies in one site's storage opens nothing on another.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from starlette.datastructures import Headers

from chatinbox.channels.chat.answer import no_session
from chatinbox.channels.chat.channel import Channel
from chatinbox.core.clock import now
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation

LIFE = timedelta(days=365)
KEEP_SECONDS = 5.0
SITE = "x-chat-site"
_SITE = re.compile(r"null|[a-z][a-z0-9+.-]{0,30}://[\x21-\x7e]{1,260}")
_BOUND = "s"  # begins a token that is bound to a site; of an earlier version some are not
_OPENING = re.compile(r"[A-Za-z0-9_-]{43,64}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a token proves: one customer in one conversation, through one channel."""

    account_id: UUID
    channel_id: UUID
    customer_id: UUID
    conversation_id: UUID
    mark: bytes


_known: OrderedDict[tuple[int, bytes], tuple[float, Visitor]] = OrderedDict()


def read_site(given: str | None) -> str:
    """The site that a request's frame stands on, as the browser names it (an origin, RFC 6454 §6.2); empty where none is said."""
    site = (given or "").lower()
    if site and not _SITE.fullmatch(site):
        raise bad_request("The site of this chat cannot be read.", "malformed")
    return site


def _mark(inst: Installation, token: str, site: str) -> bytes:
    return inst.vault.blind_installation("visitor", f"{token}\0{site}" if token.startswith(_BOUND) else token)


def token_for(inst: Installation, channel: Channel, opening: str) -> str:
    """The token that belongs to an opening: the browser's random bits, keyed. The same opening gives the same token,
    so a first message whose answer was lost can be asked for again."""
    raw = hmac.digest(inst.vault.secret("chat visitor"), f"{channel.key}\0{opening}".encode(), "sha256")
    return _BOUND + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_opening(given: str | None) -> str:
    """The browser's opening, or one of ours when it gave none."""
    if given is None:
        return secrets.token_urlsafe(38)
    if not _OPENING.fullmatch(given):
        raise bad_request("The opening of this chat cannot be read.", "malformed")
    return given


async def find_visitor(inst: Installation, channel: Channel, token: str, site: str) -> Visitor | None:
    """The visitor a token proves on this channel and site, or None."""
    mark = _mark(inst, token, site)
    kept = _known.get((id(inst), mark))
    if kept and kept[0] > time.monotonic():
        visitor = kept[1]
    else:
        rows = await inst.db.directory("select * from directory.find_visitor_session(%s, %s)", [mark, now()])
        if not rows:
            return None
        account_id, channel_id, customer_id, conversation_id = rows[0]
        visitor = Visitor(account_id, channel_id, customer_id, conversation_id, mark)
        _remember(inst, visitor)
    return visitor if visitor.channel_id == channel.id else None


async def prove(inst: Installation, channel: Channel, headers: Headers) -> Visitor:
    """The visitor of a request; raises the one answer to tokens that prove nothing."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(token) <= 100 or not token.isascii():
        raise no_session()
    visitor = await find_visitor(inst, channel, token, read_site(headers.get(SITE)))
    if visitor is None:
        raise no_session()
    return visitor


async def begin(
    inst: Installation, channel: Channel, token: str, site: str, customer_id: UUID, conversation_id: UUID
) -> Visitor:
    """Gives a token its conversation on a site, after the first message is stored."""
    mark, at = _mark(inst, token, site), now()
    visitor = Visitor(channel.account_id, channel.id, customer_id, conversation_id, mark)
    await inst.db.directory(
        "select directory.add_visitor_session(%s, %s, %s, %s, %s, %s, %s)",
        [mark, channel.account_id, channel.id, customer_id, conversation_id, at, at + LIFE],
    )
    _remember(inst, visitor)
    return visitor


def _remember(inst: Installation, visitor: Visitor) -> None:
    _known[id(inst), visitor.mark] = (time.monotonic() + KEEP_SECONDS, visitor)
    if len(_known) > 20_000:
        _known.popitem(last=False)
