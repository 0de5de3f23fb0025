"""The parts of a letter (RFC 2045–2049): which are its words, which are files, and in which order.

Several bodies one after the other (as phones write them, around pictures) are put together in their order.
"""

import mimetypes
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import collapse_rfc2231_value

from chatinbox.channels.email.charsets import decode_bytes
from chatinbox.channels.email.headers import decode_words, raw_header
from chatinbox.channels.email.letter import Parsed, Part
from chatinbox.channels.email.tnef import unpack_tnef
from chatinbox.core.cleaning import to_html
from chatinbox.core.visible import visible

MOST_PARTS = 400
MOST_DEPTH = 30
LARGEST_TEXT = 400_000
LARGEST_HTML = 1_000_000


@dataclass(slots=True)
class _Found:
    """What a branch of the tree holds: bodies in order (text, HTML, or both of one), and files."""

    bodies: list[tuple[str | None, str | None]] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    spare: list[tuple[int, str, str]] = field(
        default_factory=list
    )  # named text, should there be no other words

    def add(self, other: "_Found") -> None:
        self.spare += [(at + len(self.files), kind, text) for at, kind, text in other.spare]
        self.bodies += other.bodies
        self.files += other.files


def read_bodies(message: Message, parsed: Parsed) -> None:
    """Fills in words and files."""
    left = [MOST_PARTS]
    found = _branch(message, 0, left)
    if left[0] < 0:
        parsed.defect = "TooManyParts"
    if not found.bodies and found.spare:
        at, kind, spare = found.spare[0]
        found.bodies = [(spare, None) if kind == "text/plain" else (None, spare)]
        del found.files[at]
    parsed.parts = found.files
    text, html = _together(found.bodies)
    whole = (
        ("message.txt", "text/plain", text, LARGEST_TEXT),
        ("message.html", "text/html", html, LARGEST_HTML),
    )
    for name, kind, words, most in whole:
        if words and len(words) > most:
            parsed.parts.append(Part(name, kind, words.encode("utf-8", "replace"), None, False))
    parsed.text = text[:LARGEST_TEXT] if text is not None else None
    parsed.html = html


def _together(bodies: list[tuple[str | None, str | None]]) -> tuple[str | None, str | None]:
    if not bodies:
        return None, None
    texts = [text for text, _ in bodies if text is not None]
    text = "\n\n".join(one.strip("\n") if len(bodies) > 1 else one for one in texts) if texts else None
    if all(html is None for _, html in bodies):
        return text, None
    html = "\n".join(html if html is not None else to_html(text or "") for text, html in bodies)
    return (text if len(texts) == len(bodies) else None), html


def _branch(part: Message, depth: int, left: list[int]) -> _Found:
    """One part with all that is in it. A part that cannot be read is kept as the bytes it came in."""
    left[0] -= 1
    if left[0] < 0 or depth > MOST_DEPTH:
        left[0] = min(left[0], -1)
        return _Found()
    kind = part.get_content_type()
    payload = part.get_payload()
    if kind.startswith("message/") or kind == "text/rfc822-headers":
        return _Found(files=[_inside(part, kind)])
    if isinstance(payload, list):
        found = [_branch(child, depth + 1, left) for child in payload if isinstance(child, Message)]
        return {"alternative": _best, "related": _related}.get(kind.partition("/")[2], _in_order)(found)
    if kind.startswith("multipart/"):
        return _unmarked(part, depth, left)
    return _leaf(part, kind)


def _in_order(found: list[_Found]) -> _Found:
    whole = _Found()
    for one in found:
        whole.add(one)
    return whole


def _best(found: list[_Found]) -> _Found:
    """Alternatives: the last HTML and the first text are two forms of the same words."""
    whole = _in_order(found)
    whole.bodies = [_together(one.bodies) for one in found if one.bodies]
    texts = [text for text, html in whole.bodies if text is not None and html is None]
    htmls = [html for _, html in whole.bodies if html is not None]
    both = (texts[0] if texts else None, htmls[-1] if htmls else None)
    whole.bodies = [both] if any(one is not None for one in both) else []
    whole.files = [file for file in whole.files if file.type not in ("text/x-amp-html", "text/watch-html")]
    return whole


def _related(found: list[_Found]) -> _Found:
    """The first part shows the others in place."""
    whole = _in_order(found)
    whole.files = [
        Part(file.name, file.type, file.content, file.content_id, True) if file.content_id else file
        for file in whole.files
    ]
    return whole


def _unmarked(part: Message, depth: int, left: list[int]) -> _Found:
    """A multipart whose boundary is missing or wrong: the boundary is looked for in what came."""
    content = content_of(part)
    mark = re.search(rb"(?m)^--([^\r\n]{1,200}?)[ \t]*\r?\n(?=[!-9;-~]+:)", content)
    if mark:
        boundary = mark[1].replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        head = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
        again = message_from_bytes(head + content, policy=compat32)
        if isinstance(again.get_payload(), list):
            return _branch(again, depth + 1, left)
    text = decode_bytes(content, None)
    return _Found(bodies=[(text, None)] if text.strip() else [])


def is_words(part: Message) -> bool:
    """Whether a part holds words of the letter, and is no file."""
    try:
        name, disposition = name_of(part), (part.get_content_disposition() or "").lower()
    except Exception:
        name, disposition = "", ""
    return part.get_content_type() in ("text/plain", "text/html") and disposition != "attachment" and not name


def _leaf(part: Message, kind: str) -> _Found:
    try:
        name, disposition = name_of(part), (part.get_content_disposition() or "").lower()
    except Exception:
        name, disposition = "", ""
    content = content_of(part)
    if kind in ("application/ms-tnef", "application/vnd.ms-tnef") or name.lower() == "winmail.dat":
        return _winmail(content, name, kind)
    is_words = kind in ("text/plain", "text/html") and disposition != "attachment"
    if is_words and not name:
        text = _text(part, kind, content)
        return _Found(bodies=[(text, None) if kind == "text/plain" else (None, text)])
    if not content and not name:
        return _Found()
    content_id = str(part.get("content-id") or "").strip().strip("<>").strip() or None
    kind = kind if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,60}", kind) else "application/octet-stream"
    file = Part(
        name or _usual_name(kind), kind, content, content_id, bool(content_id) and disposition != "attachment"
    )
    spare = [(0, kind, _text(part, kind, content))] if is_words and len(content) < LARGEST_TEXT else []
    return _Found(files=[file], spare=spare)


def _usual_name(kind: str) -> str:
    if kind == "text/calendar":
        return "invitation.ics"
    return ("picture" if kind.startswith("image/") else "file") + (mimetypes.guess_extension(kind) or "")


def _inside(part: Message, kind: str) -> Part:
    """A letter in a letter, or a report about one: kept whole as a file."""
    payload, name = part.get_payload(), name_of(part)
    inner = payload[0] if isinstance(payload, list) and payload else None
    if kind == "message/rfc822" and isinstance(inner, Message):
        subject = re.sub(r"[/\\]", " ", _plain(decode_words(raw_header(inner, "subject"))))
        return Part(name or f"{subject[:80] or 'letter'}.eml", kind, _bytes_of(inner), None, False)
    if isinstance(payload, list):
        content = b"\n".join(_bytes_of(one) for one in payload if isinstance(one, Message))
    else:
        content = content_of(part)
    return Part(
        name or ("report.txt" if "delivery" in kind or "headers" in kind else "letter.eml"),
        kind,
        content,
        None,
        False,
    )


def _bytes_of(message: Message) -> bytes:
    try:
        return message.as_bytes(policy=compat32)
    except Exception:
        return str(message).encode("utf-8", "replace")


def _winmail(content: bytes, name: str, kind: str) -> _Found:
    unpacked = unpack_tnef(content)
    if unpacked is None:
        return _Found(files=[Part(name or "winmail.dat", kind, content, None, False)])
    text, html, files = unpacked
    parts = [
        Part(
            _plain(file) or "file",
            mimetypes.guess_type(file)[0] or "application/octet-stream",
            inside,
            None,
            False,
        )
        for file, inside in files
    ]
    return _Found(bodies=[(text, html)] if text or html else [], files=parts)


def content_of(part: Message) -> bytes:
    """The bytes of a part, decoded; as they lie there when they cannot be."""
    try:
        payload = part.get_payload(decode=True)
    except Exception:
        payload = None
    if isinstance(payload, bytes):
        return payload
    raw = part.get_payload()
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _text(part: Message, kind: str, content: bytes) -> str:
    try:
        declared = part.get_content_charset()
        flowed = str(part.get_param("format") or "").lower() == "flowed" and kind == "text/plain"
        joined = str(part.get_param("delsp") or "").lower() == "yes"
    except Exception:
        declared, flowed, joined = None, False, False
    if declared is None and kind == "text/html":
        sniffed = re.search(rb"(?i)<meta[^<>]{0,200}charset=[\"']?([\w-]{2,40})", content[:4096])
        declared = sniffed[1].decode("ascii", "replace") if sniffed else None
    text = decode_bytes(content, declared).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _unflow(text, joined) if flowed else text


def _unflow(text: str, joined: bool) -> str:
    """Lines that a program broke, put together again (RFC 3676 §4)."""
    told: list[str] = []
    depth_before, flows = -1, False
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words[1:] if words.startswith(" ") else words
        if flows and depth == depth_before and words != "-- ":
            told[-1] = (told[-1][:-1] if joined else told[-1]) + words
        else:
            told.append((">" * depth + " " if depth else "") + words)
        depth_before, flows = depth, words.endswith(" ") and words != "-- "
    return "\n".join(told)


def name_of(part: Message) -> str:
    """What a part calls its file, or nothing."""
    try:
        told = _parameter(part, "content-disposition", "filename") or _parameter(part, "content-type", "name")
    except Exception:
        told = ""
    return _plain(decode_words(told).replace("\\", "/").rsplit("/", 1)[-1])


def _parameter(part: Message, header: str, name: str) -> str:
    found = part.get_param(name, None, header)
    if isinstance(found, str) and "\ufffd" in found:  # undeclared 8-bit: read again from the bytes
        again = Message()
        again[header] = raw_header(part, header)
        found = again.get_param(name, None, header)
    return collapse_rfc2231_value(found) if found else ""


def _plain(text: str) -> str:
    """What of a name can be seen, in the order it was written (`gpj.exe`)."""
    return visible(text).strip()[:255]
