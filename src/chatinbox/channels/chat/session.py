"""A visitor's session: a bearer token that opens one conversation, on the site it was given on. The directory holds a keyed hash
of both only.

The frame is ours wherever it stands, so a request of its own says nothing of the site. The browser tells the frame who framed it,
and the frame passes it on (`SITE`): the token that lies in one site's storage opens nothing on another.

A token says its day, and whoever comes with one of an earlier day gets the next. The next names the mark of the one before and
ends it when it is used first, so that an answer that was lost loses nobody, and what was copied is soon worth nothing.
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
_SAID = re.compile(r"s(\d{1,7})\.[A-Za-z0-9_-]{43}(?:\.([A-Za-z0-9_-]{22}))?")
_OPENING = re.compile(r"[A-Za-z0-9_-]{43,64}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a token proves: one customer in one conversation, through one channel."""

    account_id: UUID
    channel_id: UUID
    customer_id: UUID
    conversation_id: UUID
    mark: bytes


_ended: OrderedDict[tuple[int, bytes], None] = OrderedDict()
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
    return _token(inst, f"{channel.key}\0{opening}")


def next_token(inst: Installation, token: str, visitor: Visitor) -> str | None:
    """The token that follows one of an earlier day; None where it is of today. The same all day, so two tabs get the same."""
    said = _SAID.fullmatch(token)
    if said and int(said[1]) >= _today():
        return None
    return f"{_token(inst, f'after {_today()} {token}')}.{_text(visitor.mark)}"


def _token(inst: Installation, of: str) -> str:
    return (
        f"{_BOUND}{_today()}.{_text(hmac.digest(inst.vault.secret('chat visitor'), of.encode(), 'sha256'))}"
    )


def _today() -> int:
    return int(now().timestamp()) // 86_400


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def _end_before(inst: Installation, token: str) -> None:
    """A token that is used ends the one it followed."""
    said = _SAID.fullmatch(token)
    if said is None or said[2] is None:
        return
    before = base64.urlsafe_b64decode(said[2] + "==")
    if (id(inst), before) not in _ended:
        await inst.db.directory("select directory.end_visitor_session(%s)", [before])
        _known.pop((id(inst), before), None)
        _ended[id(inst), before] = None
        if len(_ended) > 20_000:
            _ended.popitem(last=False)


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
    if visitor.channel_id != channel.id:
        return None
    await _end_before(inst, token)
    return visitor


async def prove(inst: Installation, channel: Channel, headers: Headers) -> Visitor:
    """The visitor of a request; raises the one answer to tokens that prove nothing."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(token) <= 100 or not token.isascii():
        raise no_session()
    visitor = await find_visitor(inst, channel, token, read_site(headers.get(SITE)))
    if visitor is None:
        raise no_session()
    return visitor


async def turn(inst: Installation, channel: Channel, headers: Headers, visitor: Visitor) -> str | None:
    """The token with which a visitor goes on, where theirs is of an earlier day. Theirs is good until that is used."""
    following = next_token(inst, headers["authorization"].partition(" ")[2], visitor)
    if following:
        site = read_site(headers.get(SITE))
        mark, at = _mark(inst, following, site), now()
        await inst.db.directory(
            "select directory.add_visitor_session(%s, %s, %s, %s, %s, %s, %s)",
            [
                mark,
                channel.account_id,
                channel.id,
                visitor.customer_id,
                visitor.conversation_id,
                at,
                at + LIFE,
            ],
        )
    return following


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
