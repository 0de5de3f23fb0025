"""ARC (RFC 8617): who passed a letter on, and sealed what they had found out about it.

A chain that holds says that nobody changed the seals, not that who sealed is honest: it is recorded, and vouches for nobody.
"""

import re
from collections.abc import Sequence

from chatinbox.channels.email.dkim import (
    Field,
    Letter,
    check,
    check_signed,
    field_as,
    read_tags,
    without_signature,
)
from chatinbox.conversations.checked import Dkim
from chatinbox.core.egress.names import Inquiry

MOST_SEALS = 10
_KINDS = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")


async def verify(letter: Letter, inquiry: Inquiry) -> Dkim:
    """Whether the chain of seals holds."""
    found = [_by_number(letter.named(kind)) for kind in _KINDS]
    if not any(letter.named(kind) for kind in _KINDS):
        return "none"
    length = len(found[0] or ())
    wanted = set(range(1, length + 1))
    if not 1 <= length <= MOST_SEALS or any(one is None or set(one) != wanted for one in found):
        return "fail"
    results, messages, seals = (one or {} for one in found)
    if any(not _says(seals[n], "none" if n == 1 else "pass") for n in wanted):
        return "fail"
    newest = messages[length]
    words: list[Dkim] = [await check(letter, newest, read_tags(newest.value), inquiry)]
    for n in range(length, 0, -1):
        if words[-1] != "pass":
            return words[-1]
        words.append(await _seal([(results[i], messages[i], seals[i]) for i in range(1, n + 1)], inquiry))
    return words[-1]


def _by_number(fields: Sequence[Field]) -> dict[int, Field] | None:
    """Fields by the number they give themselves; None when one gives none, or two the same."""
    numbered: dict[int, Field] = {}
    for field in fields:
        said = re.search(rb"(?:\A|;)[ \t\r\n]*+i[ \t]*+=[ \t]*+(\d{1,2})(?!\d)", field.value)
        if said is None or int(said[1]) in numbered:
            return None
        numbered[int(said[1])] = field
    return numbered


def _says(seal: Field, before: str) -> bool:
    tags = read_tags(seal.value)
    return tags.get("cv", "").lower() == before and "h" not in tags


async def _seal(sets: Sequence[tuple[Field, Field, Field]], inquiry: Inquiry) -> Dkim:
    """One seal covers every set up to its own, and itself without its signature (RFC 8617 §5.1.1)."""
    fields = [field for one in sets for field in one]
    told = [field_as("relaxed", one) + b"\r\n" for one in fields[:-1]]
    signed = b"".join(told) + field_as("relaxed", without_signature(fields[-1]))
    return await check_signed(signed, read_tags(fields[-1].value), inquiry)
