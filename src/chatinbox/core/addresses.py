"""E-mail addresses: what a whole one is, and when two are the same one."""

import contextlib
import re
import unicodedata

from chatinbox.core.errors import Refused
from chatinbox.core.visible import is_all_seen

_SIGN = r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f"
_SHAPE = re.compile(rf"{_SIGN}]{{1,64}}@({_SIGN}.]+\.)+({_SIGN}.\d]{{2,63}}|(?i:xn--)[a-zA-Z\d-]{{1,59}})")
_LONGEST = 254
SHARP = frozenset("ßς")  # letters by which IDNA of 2008 names other domains than that of 2003


def is_email(text: str) -> bool:
    """Whether this is a whole e-mail address, as people give theirs: nothing in it that cannot be seen."""
    return len(text) <= _LONGEST and bool(_SHAPE.fullmatch(text)) and ".." not in text and is_all_seen(text)


def need_seen(email: str) -> None:
    """Raises a sentence for an address with a sign that nobody sees, or that turns the direction of what follows."""
    if not is_all_seen(email):
        raise Refused(
            422,
            "There is a sign in this address that cannot be seen. Type it anew, letter by letter.",
            "email",
        )


def normal_email(text: str) -> str:
    """The address as compared: trimmed, in small letters, composed (RFC 6532 §3.1), the domain as in `normal_domain`. Letters
    that only look or sound alike stay apart: strauß@ and strauss@ are two mailboxes.
    """
    local, _, domain = text.strip().rpartition("@")
    return f"{_small(local)}@{normal_domain(domain)}"


def normal_domain(text: str) -> str:
    """A domain in its ASCII form (RFC 5891), without the dot of the root; as it is, in small letters, where it has none."""
    domain = unicodedata.normalize("NFKC", text.strip()).rstrip(".。")
    with contextlib.suppress(UnicodeError):
        return ".".join(_ascii(label) for label in re.split("[.。]", domain))
    return _small(domain)


def in_letters(email: str) -> str:
    """The normal form, its domain in letters as people read it."""
    local, _, domain = normal_email(email).rpartition("@")
    return f"{local}@{'.'.join(readable(label) for label in domain.split('.'))}"


def readable(label: str) -> str:
    """A label of a domain in letters, where it is the ASCII form of just these (RFC 5891 §5.3); any other as it is."""
    small = label.lower()
    if small.startswith("xn--"):
        with contextlib.suppress(UnicodeError):
            read = small[4:].encode("ascii").decode("punycode")
            if _ascii(read) == small:
                return read
    return label


def _ascii(label: str) -> str:
    """IDNA of 2008 keeps ß and ς, which name domains of their own (RFC 5894 §7.2); the codec here is that of 2003."""
    small = _small(label)
    if set(small) & SHARP:
        return f"xn--{small.encode('punycode').decode()}"
    return small.encode("idna").decode().lower()


def _small(text: str) -> str:
    """Small letters, each by itself, and composed: a letter that folds into others, or is an old form of one, stays what it is."""
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", "".join(one.lower() for one in composed))
