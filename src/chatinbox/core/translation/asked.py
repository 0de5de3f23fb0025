"""Which language somebody asked for, of those that are there (RFC 9110 §12.5.4, matched by RFC 4647 §3.4)."""

import re
from collections.abc import Collection

ENGLISH = "en"
MOST = 20  # ranges that are looked at; browsers send fewer than ten
LONGEST = 1_000  # characters that are; no server of ours says how long a header may be
_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8})\s*(?:;\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def best(header: str, offered: Collection[str]) -> str:
    """The language to answer in: of `offered`, which holds English, the one that is wanted most; English where none is.

    A range that is no range is passed over, a more special one (`de-AT`) is met by what is there (`de`), and `*` by English.
    """
    if len(header) > LONGEST:  # half a range says another thing than the whole
        header = header[:LONGEST].rpartition(",")[0]
    wanted: list[tuple[float, str]] = []
    for part in header.split(",", MOST)[:MOST]:
        found = _RANGE.fullmatch(part)
        if found and (weight := float(found[2] or 1)) > 0:
            wanted.append((weight, found[1].lower()))
    for _, tag in sorted(wanted, key=lambda one: -one[0]):
        language = ENGLISH if tag == "*" else _met(tag, offered)
        if language:
            return language
    return ENGLISH


def _met(tag: str, offered: Collection[str]) -> str | None:
    known = {one.lower(): one for one in offered}
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    return known.get(tag)
