"""Masking: numbers that nobody needs for an answer lose their middle before anything is written.

Card numbers always. Bank accounts, national ids and keys of programs unless the business says that it needs them.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from chatinbox.core.masking.api_keys import api_keys
from chatinbox.core.masking.cards import cards
from chatinbox.core.masking.ibans import ibans
from chatinbox.core.masking.national_ids import national_ids
from chatinbox.core.masking.views import View, plain, query, shown, source

MASK = "•"
Kind: TypeAlias = Literal["card", "iban", "national_id", "api_key"]
Finder: TypeAlias = Callable[[str], Iterator[int]]

ALWAYS: tuple[tuple[Kind, Finder], ...] = (("card", cards),)
BESIDES: tuple[tuple[Kind, Finder], ...] = (
    ("iban", ibans),
    ("national_id", national_ids),
    ("api_key", api_keys),
)
_LINK = re.compile(r"https?://[^\s<>\"]+")


class Masking:
    """Masks the words of one message and knows afterwards which kinds were `found`. `numbers`: also what is not a card."""

    def __init__(self, numbers: bool = True) -> None:
        self._finders = ALWAYS + BESIDES if numbers else ALWAYS
        self.found: set[Kind] = set()

    def text(self, words: str) -> str:
        """Plain text, masked. In a web address, what follows its question mark; its path stays."""
        return self._put(words, self._hidden(plain(words)))

    def html(self, words: str) -> str:
        """HTML, masked: as it is read, and within its tags."""
        return self._put(words, self._hidden(source(words)) | self._hidden(shown(words)))

    def _hidden(self, view: View) -> set[tuple[int, int]]:
        """Places of the text that a view belongs to."""
        words = view.words
        hidden: set[int] = set()
        for link in _LINK.finditer(words):
            asked = re.search(r"[?#]", link[0])
            if asked:
                begin = link.start() + asked.end()
                part = query(words[begin : link.end()])
                for at in self._found(part.words):
                    hidden.update(range(begin + part.place(at)[0], begin + part.place(at)[1]))
        hidden |= self._found(_LINK.sub(lambda link: "\n" * len(link[0]), words))
        return {view.place(at) for at in hidden}

    def _found(self, words: str) -> set[int]:
        hidden: set[int] = set()
        for kind, finder in self._finders:
            places = set(finder(words))
            if places:
                self.found.add(kind)
                hidden |= places
        return hidden

    @staticmethod
    def _put(words: str, hidden: set[tuple[int, int]]) -> str:
        told, last = [], 0
        for begin, end in sorted(hidden):
            if begin >= last:  # an entity may be seen twice
                told += [words[last:begin], MASK]
                last = end
        return "".join([*told, words[last:]]) if told else words


def mask(words: str, numbers: bool = True) -> str:
    """Plain text, masked."""
    return Masking(numbers).text(words)
