"""The frame of the public website: its links, and how a page is rendered so that it may be kept by caches.

A page holds nothing personal: no session is looked at, no cookie set, no nonce needed. So the same question gets the
same bytes, with an ETag; what the signal note changes is told by `Vary`.
"""

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents
from chatinbox.core import operator as named
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.core.signal import VARY, Signal, read_signal
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import all_said, languages
from chatinbox.core.translation.said import said
from chatinbox.privacy import announcements
from chatinbox.web.forms import Form
from chatinbox.web.language import offered, wanted
from chatinbox.web.pages import HEADERS, POLICY, page_text

Place: TypeAlias = Literal["head", "product", "trust", "build"]
KEPT = "public, max-age=60, must-revalidate"
FRESH = "private, no-store"
_CSP = "; ".join(f"{name} {value}" for name, value in (POLICY | {"script-src": "'none'"}).items())


@dataclass(frozen=True, slots=True)
class Link:
    """A page's place in the header or a column of the footer; `rank` orders the links of one place.

    `english_only`: the page is offered in no other language (`web/language.py`).
    """

    place: Place
    path: str
    words: str
    rank: int = 50
    english_only: bool = False


class Menu:
    """Every link of the website: of the pages that exist, and no other."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = sorted(links, key=lambda link: (link.rank, link.words))

    def at(self, place: Place) -> list[Link]:
        """The links of a place, in order."""
        return [link for link in self._links if link.place == place]

    def paths(self) -> list[str]:
        """Every path once, for the site map and the crawl."""
        return sorted({link.path for link in self._links} | {"/"})

    def offered(self, path: str) -> list[str]:
        """The codes of the languages that the page at a path of ours is offered in, English first."""
        only = any(link.english_only for link in self._links if link.path == path)
        return [ENGLISH] if only else list(languages())

    def has(self, path: str) -> bool:
        """Whether there is a page to link to."""
        return path in self.paths()


menu = Menu([])
"""Filled by `web/site/__init__.py` from the pages that are joined there."""


def site_page(
    inst: Installation,
    request: Request,
    template: str,
    *,
    refused: Refused | None = None,
    form: Form | None = None,
    status: int = 200,
    kept: str = KEPT,
    binding: bool = False,
    **words: Any,
) -> Response:
    """A page of the website, `template` below `ui/html/`; a `binding` one is a document. Answers 304 when the browser has these very bytes (RFC 9110 §13)."""
    known = _frame_words(inst, request) | {"error": refused, "form": form or {}}
    known["only_english"] = only_english(request, f"{template}.html", binding)
    status = refused.status if refused else status
    text, spoken_in = page_text(request, f"{template}.html", known | words, status)
    page = whole(request, text.encode(), status, FRESH if refused else kept)
    page.headers["vary"] += f", {spoken_in['vary']}"
    page.headers["content-language"] = spoken_in["content-language"]
    return page


def whole(
    request: Request,
    text: bytes,
    status: int = 200,
    kept: str = KEPT,
    type_: str = "text/html; charset=utf-8",
) -> Response:
    """Bytes with the website's headers, packed where the browser takes it."""
    tag = f'W/"{hashlib.sha256(text).hexdigest()[:20]}"'
    headers = HEADERS | {
        "content-security-policy": _CSP,
        "cache-control": kept,
        "etag": tag,
        "vary": f"Accept-Encoding, {VARY}",
    }
    if status == 200 and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        text, headers = gzip.compress(text, 6, mtime=0), headers | {"content-encoding": "gzip"}
    return Response(text, status, headers | {"content-type": type_})


def signal_of(request: Request) -> Signal:
    """What the visitor's browser asked for."""
    return read_signal(request.scope["headers"])


def operator_of(settings: Settings) -> dict[str, str]:
    """What the operator said about themselves, whole or not; the demo's is make-believe."""
    whole = named.operator_of(settings)
    names = ("name", "address", "email", "country")
    return {
        name: str(getattr(whole, name) if whole else getattr(settings, f"operator_{name}")) for name in names
    }


@dataclass(frozen=True, slots=True)
class Coming:
    """What was announced and does not hold yet: what it is called, in which words, where it is read and compared."""

    title: str
    announced_at: datetime
    effective_at: datetime
    words: str
    path: str


def announced_now() -> list[Coming]:
    """New versions of documents, and what will be collected, kept or passed on from a later day."""
    at = now()
    versions = [
        Coming(
            f"{documents.TITLES[kind]}, version {one.version}",
            one.announced_at,
            one.effective_at,
            one.changed,
            f"/{kind}/versions/{one.version}",
        )
        for kind in documents.KINDS
        for one in documents.announced(kind, at)
    ]
    changes = [
        Coming(
            one.title, one.announced_at, one.effective_at, one.words, f"/privacy/history#change-{one.number}"
        )
        for one in announcements.coming(at)
    ]
    return versions + changes


@dataclass(frozen=True, slots=True)
class OnlyEnglish:
    """What a reader of another language is told, in theirs, where a page has English alone."""

    code: str
    direction: str
    words: str


def only_english(request: Request, page: str, binding: bool) -> OnlyEnglish | None:
    """None for who reads English, and where the page is offered in their language."""
    code = wanted(request)
    language = languages()[code]
    if code in offered(page):
        return None
    sentence = (
        said("This document is in English only, and the English text is the one that binds.")
        if binding
        else said("This page is in English only so far.")
    )
    words = all_said(code, sentence)[0]
    return None if words == sentence else OnlyEnglish(code, language.direction, words)


def _frame_words(inst: Installation, request: Request) -> dict[str, Any]:
    return {
        "menu": menu,
        "here": request.url.path,
        "site_url": inst.settings.public_url,
        "open": named.takes_sign_ups(inst.settings),
        "operator": named.operator_of(inst.settings),
        "signal": signal_of(request),
        "announced": announced_now(),
    }
