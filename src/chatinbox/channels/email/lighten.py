"""Lightening: a letter before it is stored loses what nobody needs for an answer, and what its channel does not take.

Traces of machines in its heads (also of letters within), what devices wrote into pictures, the middle of numbers, and files
where none are taken. A letter in which only heads change stays as it was, byte for byte, below them. A letter that cannot
be taken apart is masked as it lies there.
"""

import base64
import binascii
import io
import re
from collections import Counter
from collections.abc import Callable, Collection
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from email.policy import compat32

from chatinbox.channels.email.bodies import MOST_DEPTH, MOST_PARTS, content_of, is_words, name_of
from chatinbox.channels.email.charsets import decode_bytes
from chatinbox.channels.email.headers import decode_words, plain
from chatinbox.channels.email.parse import tree
from chatinbox.channels.email.words import DATA_PICTURE
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.let_in import lighter_file
from chatinbox.core.letter_head import is_kept, without_traces
from chatinbox.core.masking import MASK, Masking
from chatinbox.core.metadata import without_metadata

# Fields in which only programs read: ids, signatures, verdicts, dates.
_FOR_PROGRAMS = re.compile(
    r"(?i)(?:resent-)?(?:message-id|in-reply-to|references|date)|list-|content-id|content-transfer-|dkim-|arc-|received|"
    r"authentication-results|mime-version|return-path"
)
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_ADDRESS = re.compile(r"([^\s<>\",;:()]+@[^\s<>\",;:()]+)")
# What stands between parts is drawn by a program, often as digits, of which one in fifty looks like a card's.
_BOUNDARY = re.compile(r"(?i)(\bboundary\s*=\s*(?:\"[^\"]*\"|[^\s;\"]+))")
_MOST_MASKED = 2_000_000
_UNREAD = b"\r\n(What followed could not be read, and no files are taken here.)\r\n"


def lighten(raw: bytes, takes: Collection[str]) -> tuple[bytes, dict[str, int]]:
    """The letter to be stored, and by kind how much was kept out of it. Never raises for what is in a letter."""
    light = raw if "traces" in takes else without_traces(raw)
    lightening = _Lightening(takes)
    try:
        message = tree(light)
        lightening.has_words = any(is_words(part) for part in message.walk())
        if lightening.letter(message, 0):
            light = _written(message)
    except Exception:  # the letter is beyond reading; who reads it later finds out the same and holds it
        light = lightening.unread(light)
    return light, lightening.withheld()


def _written(message: Message) -> bytes:
    out = io.BytesIO()
    policy = compat32.clone(linesep="\r\n", max_line_length=0)
    BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=policy).flatten(message)
    return out.getvalue()


class _Lightening:
    """One letter on its way to be stored."""

    def __init__(self, takes: Collection[str]) -> None:
        self._takes = takes
        self._masking = Masking("numbers" not in takes)
        self._counts: Counter[str] = Counter()
        self._left = MOST_PARTS
        self.has_words = True

    def withheld(self) -> dict[str, int]:
        """By kind, how much."""
        return {kind: count for kind, count in self._counts.items() if count} | dict.fromkeys(
            self._masking.found, 1
        )

    def unread(self, raw: bytes) -> bytes:
        """Masked as it lies there; its head alone where no files are taken, because a file may be all the rest."""
        if "files" not in self._takes:
            head = re.split(rb"(?:\r\n|\r(?!\n)|\n){2}", raw, maxsplit=1)[0]
            raw = head + b"\r\n" + _UNREAD
        words = self._masking.text(raw[:_MOST_MASKED].decode("latin-1"))
        return words.replace(MASK, "*").encode("latin-1") + raw[_MOST_MASKED:]

    def letter(self, message: Message, depth: int) -> bool:
        """A letter, or one within another: whether anything in it changed."""
        changed = False
        if depth and "traces" not in self._takes:
            changed = self._drop(message, lambda name: is_kept(name.encode("ascii", "replace")))
        return self._part(message, depth) or changed

    def _part(self, part: Message, depth: int) -> bool:
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH:
            return False
        changed = self._fields(part)
        changed = self._around(part) or changed
        payload = part.get_payload()
        if not isinstance(payload, list):
            return self._leaf(part) or changed
        if "files" not in self._takes:
            kept = [one for one in payload if not (isinstance(one, Message) and self._is_file(one))]
            if len(kept) != len(payload):
                self._counts["file"] += len(payload) - len(kept)
                part.set_payload(kept or "")
                changed = True
        inside = part.get_content_type().startswith("message/")
        for child in part.get_payload() if isinstance(part.get_payload(), list) else ():
            if isinstance(child, Message):
                step = self.letter if inside else self._child
                changed = step(child, depth + 1) or changed
        return changed

    def _around(self, part: Message) -> bool:
        """What stands before the first part and behind the last: no program shows it, and it is kept."""
        was = part.preamble, part.epilogue
        part.preamble, part.epilogue = (one and self._masking.text(one).replace(MASK, "*") for one in was)
        return (part.preamble, part.epilogue) != was

    def _child(self, part: Message, depth: int) -> bool:
        changed = False
        if "traces" not in self._takes:
            changed = self._drop(
                part, lambda name: name.lower().startswith(("content-", "mime-", "x-attachment-id"))
            )
        return self._part(part, depth) or changed

    def _drop(self, part: Message, keeps: Callable[[str], bool]) -> bool:
        names = {name for name in part.keys() if not keeps(name)}  # noqa: SIM118 — a letter's fields, not a dict
        for name in names:
            del part[name]
        return bool(names)

    def _is_file(self, part: Message) -> bool:
        if part.get_content_type().startswith("multipart/") or is_words(part):
            return False
        # Where nothing else is there to read, words that carry a name are the letter.
        shown = part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"
        return self.has_words or not shown

    def _fields(self, part: Message) -> bool:
        """Masks what people read in a part's fields."""
        changed = False
        for number, (name, value) in enumerate(list(part.raw_items())):
            told = str(value)
            if _FOR_PROGRAMS.match(name) or not re.search(r"\d|=\?|[A-Za-z0-9_-]{20}", told):
                continue
            masked = self._field(name.lower(), told)
            if masked != told:
                part._headers[number] = (name, masked)  # type: ignore[attr-defined]
                changed = True
        return changed

    def _field(self, name: str, value: str) -> str:
        if name == "subject":
            words = decode_words(re.sub(r"\r?\n[ \t]*", " ", plain(value)))
            masked = self._masking.text(words)
            return value if masked == words else Header(masked, "utf-8").encode(maxlinelen=0)
        if name == "content-type" and len(around := _BOUNDARY.split(value, maxsplit=1)) == 3:
            before, boundary, behind = around
            return self._field("content-", before) + boundary + self._field("content-", behind)
        if name.startswith("content-"):  # a name may be written as in a web address (RFC 2231)
            value = re.sub(r"[^\s;\"]{12,}", lambda one: self._as_query(one[0]), value)
        value = _ENCODED_WORD.sub(self._encoded_word, value)
        parts = _ADDRESS.split(value)  # an address stays whole: answers go there
        told = [part if at % 2 else self._masking.text(part) for at, part in enumerate(parts)]
        return "".join(told).replace(MASK, "*")

    def _as_query(self, value: str) -> str:
        begun = "https://x?"
        return self._masking.text(begun + value).replace(MASK, "*")[len(begun) :]

    def _encoded_word(self, found: re.Match[str]) -> str:
        words = decode_words(found[0])
        masked = self._masking.text(words)
        return found[0] if masked == words else Header(masked, "utf-8").encode(maxlinelen=0)

    def _leaf(self, part: Message) -> bool:
        kind, content = part.get_content_type(), content_of(part)
        if is_words(part):
            return self._words(part, kind, content)
        if kind.startswith("multipart/"):
            words = decode_bytes(content, None)
            return self._put(
                part, content, self._masking.text(words).encode("utf-8", "replace"), words.encode()
            )
        if kind == "text/rfc822-headers" and "traces" not in self._takes:
            return self._put(part, content, without_traces(content))
        if "files" not in self._takes and self._is_file(part):  # the letter is nothing but a file
            self._counts["file"] += 1
            del part["content-type"], part["content-disposition"]
            return self._put(part, content, b"")
        file = NewFile(name_of(part), kind, content)
        lighter = lighter_file(self._masking, file, self._takes).content
        self._counts["picture"] += lighter != content and not kind.startswith(("text/", "message/"))
        return self._put(part, content, lighter)

    def _words(self, part: Message, kind: str, content: bytes) -> bool:
        declared = part.get_content_charset()
        words = decode_bytes(content, declared)
        if kind == "text/html":
            pictures = words if "traces" in self._takes else DATA_PICTURE.sub(self._picture, words)
            told = self._masking.html(pictures)
        else:
            # Lines that a program broke are one line (RFC 3676 §4); the break stays where it was.
            flowed = re.sub(r" \r?\n(?!>)", lambda one: "\u200b" * (len(one[0]) - 1) + " ", words)
            masked = self._masking.text(flowed)
            told = words
            if masked != flowed:
                told = "".join(is_ if is_ == MASK else was for was, is_ in zip(words, masked, strict=True))
        if told == words:
            return False
        part.set_param("charset", "utf-8")
        return self._put(part, content, told.encode("utf-8", "replace"))

    def _picture(self, found: re.Match[str]) -> str:
        try:
            content = base64.b64decode("".join(found[2].split()))
        except (binascii.Error, ValueError):
            return found[0]
        light = without_metadata(content)
        if light == content:
            return found[0]
        self._counts["picture"] += 1
        return f"data:{found[1]};base64,{base64.b64encode(light).decode()}"

    @staticmethod
    def _put(part: Message, was: bytes, now: bytes, same: bytes | None = None) -> bool:
        if now in (was, same):
            return False
        del part["content-transfer-encoding"]
        part["Content-Transfer-Encoding"] = "base64"
        part.set_payload(base64.encodebytes(now).decode())
        return True
