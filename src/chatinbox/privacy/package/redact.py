"""Redact: other people in what is handed to one person (GDPR Art. 15(4)): their addresses and names go, staff keep a given name.

How far it goes is said in the copy: an address is found wherever it stands; a name is known from the letters themselves (who
wrote them, and who stands beside an address in a head or a quoted head). Whom running words call by a nickname is not known.
"""

import re
import unicodedata
from collections.abc import Iterable

from chatinbox.core.addresses import normal_email

SOMEBODY = "[another person]"
AN_ADDRESS = "[another person’s address]"
_LOCAL, _LABEL = (
    r"[\w.+!#$%&'*/=?^`{|}~-]{1,64}",
    r"[\w-]{1,63}",
)  # RFC 5321 §4.5.3.1: no longer, so no text is slow to read
_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL}){{1,8}}")
_NAMED = re.compile(
    r"((?:\w[\w.'’-]{0,30},? ){0,3}\w[\w.'’-]{0,30})[\"”']? {0,3}[<(\[](?:mailto:)?(" + _ADDRESS.pattern + ")"
)
_IN_HEAD = re.compile(r"(?m)^[>\s]{0,9}(?:From|To|Cc|Von|An|Kopie|De|À|Para):[ \t]{0,3}([^<>@\n;:]{3,60})$")
_NO_NAME = frozenset(
    [
        "on",
        "am",
        "um",
        "le",
        "el",
        "at",
        "from",
        "to",
        "cc",
        "von",
        "an",
        "de",
        "à",
        "para",
        "wrote",
        "schrieb",
        "a",
        "écrit",
        "escribió",
        "uhr",
        "pm",
        "and",
        "und",
        "et",
    ]
)


class Redaction:
    """What is known of who else is in somebody's conversations. `learn` before `words`: a name may be told late."""

    def __init__(
        self, own: Iterable[str], ours: Iterable[str], names: Iterable[str], staff: Iterable[str]
    ) -> None:
        self._own = {normal_email(one) for one in own}
        self._ours = {normal_email(one) for one in ours}
        self._names = [one for one in names if one.strip()]
        self._others: set[str] = set()
        self._staff = {" ".join(one.split()): one.split()[0] for one in staff if len(one.split()) > 1}
        self._pattern: re.Pattern[str] | None = None

    def is_own(self, address: str) -> bool:
        """Whether an address is theirs."""
        return normal_email(address) in self._own

    def is_them(self, name: str | None, address: str | None) -> bool:
        """Whether somebody who wrote under this name, from this address, is them."""
        if address and not self.is_own(address):
            return False
        if not name or not self._names or "@" in name:
            return True
        return any(_alike(name, known) for known in self._names)

    def learn(self, name: str | None) -> None:
        """Notes the name of somebody else."""
        name = " ".join((name or "").split())
        if len(name) > 2 and name not in self._staff and not any(_alike(name, one) for one in self._names):
            self._others.add(name)
            self._pattern = None

    def learn_from(self, text: str) -> None:
        """Notes who stands beside an address that is not theirs, or alone in a quoted head."""
        for name, address in _NAMED.findall(text):
            at = normal_email(address)
            if at not in self._own and at not in self._ours:
                self.learn(_name_in(name))
        for name in _IN_HEAD.findall(text):
            self.learn(_name_in(name))

    def address(self, value: str) -> str:
        """An address: theirs and the business's as it is."""
        at = normal_email(value)
        return value if at in self._own or at in self._ours else AN_ADDRESS

    def words(self, text: str) -> str:
        """Words without other people's addresses and names."""
        text = _ADDRESS.sub(lambda found: self.address(found[0]), text)
        if self._pattern is None:
            self._pattern = _pattern(sorted([*self._others, *self._staff], key=len, reverse=True))
        given = {full.casefold(): first for full, first in self._staff.items()}
        return self._pattern.sub(
            lambda found: given.get(" ".join(found[0].split()).casefold(), SOMEBODY), text
        )


def _pattern(names: list[str]) -> re.Pattern[str]:
    """Finds any of these names; one of a single word only as it is written, for it may be a word as well."""
    each = [r"\s+".join(map(re.escape, one.split())) for one in names]
    whole = "|".join(f"(?i:{one})" if r"\s+" in one else one for one in each)
    return re.compile(rf"(?<!\w)(?:{whole})(?!\w)" if whole else r"(?!)")


def _name_in(words: str) -> str:
    """The name at the end of what stands before an address: without the date and the verb of a quoted head."""
    found: list[str] = []
    for word in reversed(words.split()):
        if any(one.isdigit() for one in word) or word.strip(",:").casefold() in _NO_NAME:
            break
        found.append(word)
    return " ".join(reversed(found)).strip(" ,")


def _alike(one: str, other: str) -> bool:
    """Whether two names may be the same person's: the same given name, or one of them its first letter."""
    a, b = _parts(one), _parts(other)
    if not a or not b or a == b:
        return True
    first, second = sorted((a[0], b[0]), key=len)
    if len(first) == 1:
        return second.startswith(first) and (len(a) == 1 or len(b) == 1 or a[-1] == b[-1])
    return first == second


def _parts(name: str) -> list[str]:
    last, comma, rest = name.partition(",")
    plain = unicodedata.normalize("NFKD", f"{rest} {last}" if comma else name)
    return re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)).casefold())
