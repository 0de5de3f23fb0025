"""The headers of a letter (RFC 5322, RFC 2047, RFC 2231), as written by every program there ever was."""

import re
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from chatinbox.channels.email.charsets import decode_bytes
from chatinbox.channels.email.letter import Address, Parsed
from chatinbox.core.visible import one_line

MOST_HEADERS = 1_000
MOST_ADDRESSES = 200
LONGEST = 50_000


def read_headers(message: Message, parsed: Parsed) -> None:
    """Fills in who, to whom, about what, and which letter it answers."""
    raw = _unfolded(message)
    parsed.headers = {name: [decode_words(value[:4_000]) for value in values] for name, values in raw.items()}
    parsed.subject = " ".join(decode_words(raw.get("subject", [""])[0]).split())[:1000]
    senders = _addresses(raw, "from") or _addresses(raw, "sender") or _addresses(raw, "return-path")
    parsed.sender = senders[0] if senders else None
    parsed.reply_to = _addresses(raw, "reply-to")
    parsed.to = _addresses(raw, "to")
    parsed.cc = _addresses(raw, "cc")
    parsed.date = _date(raw.get("date", [""])[0])
    ids = message_ids(" ".join(raw.get("message-id", [])))
    parsed.message_id = ids[0] if ids else None
    answered = message_ids(" ".join(raw.get("in-reply-to", []) + raw.get("references", [])))
    parsed.references = list(dict.fromkeys(answered))[:100]


def authors(message: Message) -> list[Address]:
    """Everybody who stands in From."""
    return _addresses(_unfolded(message), "from")


def _unfolded(message: Message) -> dict[str, list[str]]:
    raw: dict[str, list[str]] = {}
    for name, value in islice(message.raw_items(), MOST_HEADERS):
        text = re.sub(r"\r?\n[ \t]*", " ", plain(str(value)[:LONGEST]))
        raw.setdefault(name.lower(), []).append(text)
    return raw


def raw_header(message: Message, name: str) -> str:
    """The first header of a name, with undeclared 8-bit bytes read as what they most likely are."""
    value = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    return re.sub(r"\r?\n[ \t]*", " ", plain(value[:LONGEST]))


def plain(value: str) -> str:
    """Raw header text; undeclared 8-bit bytes arrive as surrogates and become what they most likely are."""
    if value.isascii():
        return value
    try:
        return decode_bytes(value.encode("ascii", "surrogateescape"), None)
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8", "replace")


def decode_words(value: str) -> str:
    """Encoded words (RFC 2047) as text; what is broken stays as it is."""
    if "=?" not in value:
        return value.replace("\0", "")
    try:
        parts = decode_header(re.sub(r"(\?=)\s+(=\?)", r"\1 \2", value))
    except Exception:
        return value.replace("\0", "")
    told = [decode_bytes(word, charset) if isinstance(word, bytes) else word for word, charset in parts]
    return "".join(told).replace("\0", "")


def _addresses(raw: dict[str, list[str]], name: str) -> list[Address]:
    found = []
    for value in raw.get(name, [])[:5]:
        for shown, address in _pairs(value)[:MOST_ADDRESSES]:
            address = decode_words(address).strip().strip("<>'\"").replace(" ", "")
            if (
                re.fullmatch(r"[^\x00-\x20\x7f<>@]+(?:@[^\x00-\x20\x7f<>@]+)+", address)
                and len(address) <= 254
            ):
                found.append(Address(one_line(decode_words(shown)).strip("'\" ")[:200], address))
    return found[:MOST_ADDRESSES]


def _pairs(value: str) -> list[tuple[str, str]]:
    """Names and addresses; what the strict parser gives up on is read by its addresses alone."""
    value = re.sub(r"<{2,}", "<", re.sub(r">{2,}", ">", value))
    try:
        pairs = [pair for pair in getaddresses([value]) if "@" in pair[1]]
    except Exception:
        pairs = []
    if pairs:
        return pairs
    named = re.findall(r"([^<>,;]{0,200})<\s*([^<>\s]{1,254}@[^<>\s]{1,254})\s*>", value)
    bare = re.findall(r"[^\s<>\"(),:;]{1,254}@[^\s<>\"(),:;]{1,254}", decode_words(value))
    return [(name, address) for name, address in named] or [("", address) for address in bare]


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def message_ids(text: str) -> list[str]:
    """The ids of a Message-ID, In-Reply-To or References field, without brackets (RFC 5322 §3.6.4)."""
    found = re.findall(r"<\s*([^<>\s]{1,990})\s*>", text)
    return found or [word.strip("<>") for word in text.split() if "@" in word and len(word) < 990]
