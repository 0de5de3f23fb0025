"""E-mail addresses: what a whole one is, and when two are the same one."""

import contextlib
import re

from chatinbox.core.errors import Refused
from chatinbox.core.visible import is_all_seen

_SIGN = r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f"
_SHAPE = re.compile(rf"{_SIGN}]{{1,64}}@({_SIGN}.]+\.)+({_SIGN}.\d]{{2,63}}|(?i:xn--)[a-zA-Z\d-]{{1,59}})")
_LONGEST = 254


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
    """The address as compared: trimmed and case-folded, domain in its ASCII form (RFC 5321 §2.4, RFC 5891)."""
    local, _, domain = text.strip().rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{local}@{domain}".casefold()
