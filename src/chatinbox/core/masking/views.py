"""Views of a text: what a reader sees of it, and where in the text each sign of that stands.

A number that tags, entities, invisible signs or percent signs stand within is one number for whoever reads it.
"""

import html
import re
from bisect import bisect_right
from dataclasses import dataclass
from urllib.parse import unquote

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]+")
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});?"
_TAG = r"<[a-zA-Z/!?][^<>]*>"
_MARKED = re.compile(f"{_ENTITY}|{INVISIBLE.pattern}")
_MARKED_OR_TAG = re.compile(f"{_TAG}|{_MARKED.pattern}")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}|\+")
# Tags that a line of words goes on through; all others end it.
_INLINE = re.compile(
    r"(?i)</?(?:a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u"
    r"|var|wbr|o:p)(?![a-z0-9:-])|<!--"
)


@dataclass(frozen=True, slots=True)
class View:
    """Seen words. `begins` and `spans`: from which sign of them on which place of the text counts, and how long it is there
    (0: sign by sign).
    """

    words: str
    begins: list[int]
    spans: list[tuple[int, int]]

    def place(self, at: int) -> tuple[int, int]:
        """From where to where a seen sign stands in the text."""
        number = bisect_right(self.begins, at) - 1
        start, length = self.spans[number]
        start += 0 if length else at - self.begins[number]
        return start, start + (length or 1)


def _view(text: str, marks: re.Pattern[str]) -> View:
    words: list[str] = []
    begins: list[int] = []
    spans: list[tuple[int, int]] = []
    size = last = 0

    def add(seen: str, start: int, length: int) -> None:
        nonlocal size
        if seen:
            words.append(seen)
            begins.append(size)
            spans.append((start, length))
            size += len(seen)

    for mark in marks.finditer(text):
        add(text[last : mark.start()], last, 0)
        add(_seen(mark[0]), mark.start(), len(mark[0]))
        last = mark.end()
    add(text[last:], last, 0)
    return View("".join(words), begins, spans)


def _seen(mark: str) -> str:
    """What is seen of a mark: one sign, or nothing."""
    if mark[0] == "<":
        return "" if _INLINE.match(mark) else "\n"
    if mark[0] == "&":
        shown = html.unescape(mark)
        return "" if INVISIBLE.fullmatch(shown) else shown if len(shown) == 1 else "&"
    if mark == "+":
        return " "
    return unquote(mark, "latin-1") if mark[0] == "%" else ""


def plain(text: str) -> View:
    """Plain text."""
    return _view(text, INVISIBLE)


def source(text: str) -> View:
    """HTML with its tags, and what is in them."""
    return _view(text, _MARKED)


def shown(text: str) -> View:
    """HTML as it is read."""
    return _view(text, _MARKED_OR_TAG)


def query(text: str) -> View:
    """What a web address says after its question mark (WHATWG URL, application/x-www-form-urlencoded)."""
    return _view(text, _PERCENT)
