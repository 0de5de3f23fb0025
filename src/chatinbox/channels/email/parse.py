"""A letter, read: raw bytes (RFC 5322, RFC 2045–2049) into what a conversation needs. Never raises for what is in them.

What cannot be decoded as declared is decoded as well as possible; what is beyond reading is said in `defect`.
"""

import contextlib
import re
import time
from email.message import Message
from email.parser import BytesFeedParser, BytesHeaderParser
from email.policy import compat32

from chatinbox.channels.email.bodies import read_bodies
from chatinbox.channels.email.charsets import decode_bytes
from chatinbox.channels.email.headers import message_ids, read_headers
from chatinbox.channels.email.letter import Address, Parsed, Part

__all__ = ["Address", "Parsed", "Part", "message_ids", "parse"]

LONGEST_SECONDS = 4.0
_PIECE = 65_536
# A line ends as email.parser has it end, with a bare CR too. The first letter before the look behind it: five times as fast.
_CONTENT_HEADER = re.compile(
    rb"(?i)c(?<![^\r\n]c)ontent-(?:type|disposition)[ \t]*:(?:[^\r\n]++|(?:\r\n|\r|\n)[ \t])*+"
)
_LONGEST_CONTENT_HEADER = 20_000  # their parameters cost the square of their number


class TooTangled(Exception):
    """A letter that costs more time to take apart than any honest one."""


def parse(raw: bytes) -> Parsed:
    """Reads a letter."""
    parsed = Parsed()
    try:
        message = tree(raw)
        read_headers(message, parsed)
        read_bodies(message, parsed)
        if not (parsed.text or parsed.html or parsed.parts):
            parsed.text = _left_over(raw)
    except Exception as error:
        parsed.defect = type(error).__name__
        if parsed.sender is None:
            _read_head(raw, parsed)
    return parsed


def tree(raw: bytes) -> Message:
    """The letter's parts. Raises TooTangled."""
    if any(len(header[0]) > _LONGEST_CONTENT_HEADER for header in _CONTENT_HEADER.finditer(raw)):
        raise TooTangled
    parser = BytesFeedParser(policy=compat32)
    began = time.thread_time()
    for at in range(0, len(raw), _PIECE):
        parser.feed(raw[at : at + _PIECE])
        if time.thread_time() - began > LONGEST_SECONDS:
            raise TooTangled
    return parser.close()


def _left_over(raw: bytes) -> str | None:
    """Words below the headers that belong to no part, because the marks between parts are broken."""
    _, _, below = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = decode_bytes(below[:_PIECE], None).split("\n")
    words = [line for line in lines if not re.match(r"--\S|Content-[\w-]+:|\s+\w+=", line)]
    return "\n".join(words).strip() or None


def _read_head(raw: bytes, parsed: Parsed) -> None:
    """Who sent it and what about, for the list of held letters, when the rest is beyond reading."""
    with contextlib.suppress(Exception):  # then it is held without a name
        read_headers(BytesHeaderParser(policy=compat32).parsebytes(raw[:_PIECE]), parsed)
