"""DKIM (RFC 6376, RFC 8301, RFC 8463): whether a domain signed a letter as it arrived, and the same for what leaves.

Stricter than the standard in one thing: a signature that leaves a part of the body out (`l=`) vouches for nothing, because
anybody can write something behind it.
"""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chatinbox.core.clock import now
from chatinbox.core.egress.names import Inquiry, NotAnswered

Word: TypeAlias = Literal["pass", "fail", "unknown"]
Key: TypeAlias = RSAPublicKey | Ed25519PublicKey

MOST_SIGNATURES = 5
MOST_FIELDS = 1_000
SMALLEST_RSA = 1_024
LARGE = 200_000
LONGEST_TAGS = 50_000
SIGNED_FIELDS = (
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version",
    "content-type", "content-transfer-encoding", "auto-submitted",
)  # fmt: skip
# Every program that reads letters ends a head, and a line of it, at the same place, where all of it is such lines.
_LINE = re.compile(rb"[!-9;-~]+:[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+")
# What a letter has once at most (RFC 5322 §3.6, RFC 2045 §3): of two, a signature covers the lower, and people are shown the upper.
_ONCE = frozenset({
    b"from", b"sender", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to",
    b"references", b"mime-version", b"content-type", b"content-transfer-encoding",
})  # fmt: skip
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a head: its name in lower case, and all of it without the line break at its end."""

    name: bytes
    whole: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon."""
        return self.whole.partition(b":")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as signatures see it. `is_plain`: whoever shows it sees the same head and body, and one of each field."""

    fields: Sequence[Field]
    body: bytes
    is_plain: bool = True

    def named(self, name: bytes) -> list[Field]:
        """The fields of a name, the topmost first."""
        return [one for one in self.fields if one.name == name]


@dataclass(frozen=True, slots=True)
class Signed:
    """What was found out about one signature."""

    domain: str
    word: Word


def split(raw: bytes) -> Letter:
    """Takes a letter apart. Lines end with CRLF (RFC 6376 §5.3); what ends otherwise is read so."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head, _, body = (b"", b"", raw[2:]) if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")
    fields = []
    lines = re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n"), maxsplit=MOST_FIELDS)
    is_plain = len(lines) <= MOST_FIELDS and all(_LINE.fullmatch(one) for one in lines)
    for whole in lines[:MOST_FIELDS]:
        name, colon, _ = whole.partition(b":")
        if colon:
            fields.append(Field(name.strip(b" \t").lower(), whole.removesuffix(b"\r\n")))
    once = [one.name for one in fields if one.name in _ONCE]
    return Letter(fields, body, is_plain and len(once) == len(set(once)))


def read_tags(value: bytes | str) -> dict[str, str]:
    """A list of tags (RFC 6376 §3.2); nothing when it is none, or longer than any is."""
    if len(value) > LONGEST_TAGS:
        return {}
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    tags: dict[str, str] = {}
    for one in text.split(";"):
        name, equals, told = one.partition("=")
        name = name.strip()
        if not equals and not name:
            continue
        if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in tags:
            return {}
        tags[name] = told.strip()
    return tags


async def verify(letter: Letter, inquiry: Inquiry, concerns: Callable[[str], bool]) -> list[Signed]:
    """What becomes of each signature of a domain that is of concern, up to five."""
    found = [(field, read_tags(field.value)) for field in letter.named(b"dkim-signature")]
    asked = [(field, tags) for field, tags in found if concerns(tags.get("d", "").lower())]
    return [
        Signed(tags["d"].lower(), await _signature(letter, field, tags, inquiry))
        for field, tags in asked[:MOST_SIGNATURES]
    ]


async def _signature(letter: Letter, field: Field, tags: dict[str, str], inquiry: Inquiry) -> Word:
    domain, covered = tags.get("d", "").lower(), names_of(tags)
    identity = tags.get("i", "").rpartition("@")[2].lower() or domain
    if tags.get("v") != "1" or b"from" not in covered or b"from" not in {one.name for one in letter.fields}:
        return "fail"
    if not (identity == domain or identity.endswith(f".{domain}")):
        return "fail"
    if "l" in tags or _is_over(tags) or "dns/txt" not in tags.get("q", "dns/txt").split(":"):
        return "fail"
    return await check(letter, field, tags, inquiry, strict_identity=identity != domain)


def names_of(tags: dict[str, str]) -> list[bytes]:
    """The fields that a signature covers, in its order."""
    return [one.strip().lower().encode() for one in tags.get("h", "").split(":")]


def _is_over(tags: dict[str, str]) -> bool:
    over = tags.get("x")
    return over is not None and not (over.isdigit() and int(over[:12]) > now().timestamp())


async def check(
    letter: Letter, field: Field, tags: dict[str, str], inquiry: Inquiry, strict_identity: bool = False
) -> Word:
    """One signature over fields and body: a DKIM-Signature, or an ARC-Message-Signature."""
    header, _, body = tags.get("c", "simple/simple").partition("/")
    if {header, body or "simple"} - {"simple", "relaxed"}:
        return "fail"
    large = len(letter.body) > LARGE
    digest = await asyncio.to_thread(_digest, body, letter) if large else _digest(body, letter)
    if _bytes(tags.get("bh", "")) != digest:
        return "fail"
    told = [field_as(header, one) + b"\r\n" for one in covered(letter, names_of(tags))]
    signed = b"".join(told) + field_as(header, without_signature(field))
    return await check_signed(signed, tags, inquiry, strict_identity)


def _digest(how: str, letter: Letter) -> bytes:
    return hashlib.sha256(body_as(how or "simple", letter.body)).digest()


async def check_signed(
    signed: bytes, tags: dict[str, str], inquiry: Inquiry, strict_identity: bool = False
) -> Word:
    """Whether the domain's key signed these bytes."""
    domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
    if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(f"{selector}.{domain}"):
        return "fail"
    try:
        key = read_key(
            await inquiry.ask(f"{selector}._domainkey.{domain}", "TXT"), tags.get("a", ""), strict_identity
        )
    except NotAnswered:
        return "unknown"
    if key is None:
        return "fail"
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(_bytes(tags.get("b", "")), signed, PKCS1v15(), SHA256())
        else:
            key.verify(_bytes(tags.get("b", "")), hashlib.sha256(signed).digest())
    except InvalidSignature:
        return "fail"
    return "pass"


def read_key(records: Sequence[bytes], algorithm: str, strict_identity: bool = False) -> Key | None:
    """The key of a record (RFC 6376 §3.6.1) that may sign so; none when it was taken back, is too short, or only tried out."""
    if algorithm not in ("rsa-sha256", "ed25519-sha256"):
        return None
    kind = algorithm.partition("-")[0]
    for record in records[:3]:
        tags = read_tags(record)
        flags = {one.strip() for one in tags.get("t", "").split(":")}
        uses = {one.strip() for one in tags.get("s", "*").split(":")}
        hashes = {one.strip() for one in tags.get("h", "sha256").split(":")}
        if tags.get("v", "DKIM1") != "DKIM1" or tags.get("k", "rsa") != kind or not tags.get("p"):
            continue
        if "y" in flags or ("s" in flags and strict_identity) or "sha256" not in hashes:
            continue
        if uses & {"*", "email"}:
            return _key(_bytes(tags["p"]), kind)
    return None


def _key(der: bytes, kind: str) -> Key | None:
    try:
        if kind == "ed25519":
            return Ed25519PublicKey.from_public_bytes(der)
        key = load_der_public_key(der)
    except Exception:  # what a stranger publishes as a key may be anything
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA else None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def covered(letter: Letter, names: Sequence[bytes]) -> list[Field]:
    """The fields of a list of names; a name that stands there again means the next one above (RFC 6376 §5.4.2)."""
    left: dict[bytes, list[Field]] = {}
    for field in letter.fields:
        left.setdefault(field.name, []).append(field)
    return [left[name].pop() for name in names if left.get(name)]


def without_signature(field: Field) -> Field:
    """The signature's own field, its `b=` empty."""
    name, _, value = field.whole.partition(b":")
    emptied = re.sub(rb"((?:\A|;)[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+", rb"\1", value, count=1)
    return Field(field.name, name + b":" + emptied)


def field_as(how: str, field: Field) -> bytes:
    """A field in its canonical form (RFC 6376 §3.4.1, §3.4.2), without a line break at its end."""
    if how == "simple":
        return field.whole
    value = _spaced(field.value.replace(b"\r\n", b"")).strip(b" ")
    return field.name + b":" + value


def _spaced(text: bytes) -> bytes:
    """One space for each run of spaces and tabs. A pattern takes a second for every two megabytes, and nobody else is served."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def body_as(how: str, body: bytes) -> bytes:
    """A body in its canonical form (RFC 6376 §3.4.3, §3.4.4). Linear in its size, whatever is in it."""
    if how == "relaxed":
        body = _spaced(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end or how == "simple" else b""


def sign(raw: bytes, domain: str, selector: str, key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    """The letter with a signature on top. Fields that are not there are signed as absent: nobody adds a second From."""
    letter = split(raw)
    names = [name for name in SIGNED_FIELDS for _ in letter.named(name.encode())]
    names += ["from", "subject", "to", "reply-to"]
    algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"
    hashed = base64.b64encode(hashlib.sha256(body_as("relaxed", letter.body)).digest()).decode()
    lines = [
        f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector};",
        f" t={int(now().timestamp())}; h={':'.join(names[:9])}", f" :{':'.join(names[9:])};", f" bh={hashed};", " b=",
    ]  # fmt: skip
    field = Field(b"dkim-signature", "\r\n".join(lines).encode())
    told = [field_as("relaxed", one) + b"\r\n" for one in covered(letter, [one.encode() for one in names])]
    signed = b"".join(told) + field_as("relaxed", field)
    made = key.sign(signed, PKCS1v15(), SHA256()) if isinstance(key, RSAPrivateKey) else key.sign(hashlib.sha256(signed).digest())  # fmt: skip
    text = base64.b64encode(made)
    folded = b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))
    return field.whole + folded + b"\r\n" + raw
