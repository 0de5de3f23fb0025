"""Words into tokens: folded, stemmed, hashed under the account's key so that nothing is readable."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

import Stemmer

MOST_TOKENS = 600
SHORTEST_PREFIX = 2
LONGEST_PREFIX = 12
LANGUAGES = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "it": "italian", "nb": "norwegian", "nl": "dutch", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "tr": "turkish",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[-'’.@+/][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+")


def fold(text: str) -> str:
    """Case, accents and widths away, so that what looks alike is alike (NFKD, UAX #15)."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return (
        "".join(char for char in plain if not unicodedata.combining(char))
        .replace("ß", "ss")
        .replace("ø", "o")
    )


def words(text: str) -> Iterator[str]:
    """Folded words: compounds whole and in parts (`hc-20418`, `hc`, `20418`), scripts without spaces in pairs."""
    for word in _WORD.findall(fold(text)):
        if not word.isascii() and _CJK.search(word):
            yield from _pairs(word)
            continue
        yield word
        if not word.isalnum():
            yield from _PART.findall(word)


def _pairs(word: str) -> Iterator[str]:
    for run in _CJK.findall(word):
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
    yield from _PART.findall(_CJK.sub(" ", word))


@lru_cache(maxsize=32)
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(LANGUAGES[language])


def stem(word: str, language: str) -> str:
    """The word's stem in one language (Snowball)."""
    return str(_stemmer(language).stemWord(word))


class Tokens:
    """What words are called under an account's key: 64 bits of a keyed hash (BLAKE2b, RFC 7693), signed as PostgreSQL's
    bigint is. A word that comes again is not hashed again, so this is made for one batch and not kept.
    """

    def __init__(self, key: bytes) -> None:
        self._begun = blake2b(digest_size=8, key=key)
        self._known: dict[str, tuple[int, ...]] = {}

    def of(self, kind: str, word: str) -> int:
        """One word of one kind."""
        hashed = self._begun.copy()
        hashed.update(f"{kind}\0{word}".encode())
        return int.from_bytes(hashed.digest(), signed=True)

    def of_word(self, word: str, languages: Sequence[str]) -> tuple[int, ...]:
        """A word's stem in each language, or the word where there is none. Always the same languages, for one batch."""
        known = self._known.get(word)
        if known is None:
            stems = [self.of(language, stem(word, language)) for language in languages]
            known = self._known[word] = tuple(stems or [self.of("w", word)])
        return known


def text_tokens(tokens: Tokens, text: str, languages: Iterable[str]) -> list[int]:
    """The tokens of a message: each word's stem in each of the account's languages."""
    known = [language for language in languages if language in LANGUAGES]
    said = islice(dict.fromkeys(words(text)), MOST_TOKENS)
    return list(dict.fromkeys(token for word in said for token in tokens.of_word(word, known)))


def prefix_tokens(tokens: Tokens, text: str) -> list[int]:
    """The tokens of a name or an address: the beginnings of its words, as people type them."""
    found: dict[int, None] = {}
    for word in words(text):
        for length in range(SHORTEST_PREFIX, min(len(word), LONGEST_PREFIX) + 1):
            found[tokens.of("p", word[:length])] = None
    return list(found)


def question(tokens: Tokens, text: str, languages: Iterable[str]) -> list[list[int]]:
    """The ways a question may be met: by the stems of its words in one of the languages; a word that stands as it was
    asked has the same stem. Without a language that we know, by the words themselves. All ways are equally long.
    """
    asked = list(dict.fromkeys(words(text)))[:12]
    if not asked:
        return []
    known = [language for language in languages if language in LANGUAGES]
    ways = [[tokens.of(language, stem(word, language)) for word in asked] for language in known]
    return ways or [[tokens.of("w", word) for word in asked]]


def prefix_question(tokens: Tokens, text: str) -> list[list[int]]:
    """The one way a question may be the beginning of names."""
    asked = [word for word in dict.fromkeys(words(text)) if len(word) >= SHORTEST_PREFIX][:6]
    return [[tokens.of("p", word[:LONGEST_PREFIX]) for word in asked]] if asked else []
