"""The language of a page: asked for by `?lang=`, else by the browser's Accept-Language, of those the page is offered in.

Nothing is kept of it: no cookie, no row. Who chose by a link goes on with it, because the page's own links carry it on.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlencode

from starlette.requests import Request

from chatinbox.core.translation.asked import ENGLISH, best
from chatinbox.core.translation.language import Language, languages

VARY = "Accept-Language"
TRANSLATED = ("entrance/*.html", "site/*.html")
ENGLISH_ONLY = tuple(f"site/{name}.html" for name in ("document", "history", "privacy", "records", "routes"))
"""Of these, what binds and what is made from the data map or the code: in English, and a reader of another language is told so."""


def is_translated(page: str) -> bool:
    """Whether every language holds a page (a template's path) whole (`checks/catalogues.py`); all others are in English."""
    return page not in ENGLISH_ONLY and any(fnmatchcase(page, one) for one in TRANSLATED)


def offered(page: str) -> list[str]:
    """The codes of the languages that a page is offered in, English first."""
    return list(languages()) if is_translated(page) else [ENGLISH]


@dataclass(frozen=True, slots=True)
class Other:
    """A language in the switcher, and the way to it."""

    code: str
    name: str
    href: str


def chosen(request: Request) -> str | None:
    """The language that was chosen by a link, if it is one of ours."""
    code = request.query_params.get("lang", "")
    return code if code in languages() else None


def wanted(request: Request) -> str:
    """The language this reader would be answered in, of all that are there: for letters, and for what a page is not offered in."""
    return chosen(request) or best(request.headers.get("accept-language", ""), list(languages()))


def spoken(request: Request, page: str) -> Language:
    """The language a page is shown in."""
    known, asked = offered(page), chosen(request)
    if asked in known:
        return languages()[asked]
    return languages()[best(request.headers.get("accept-language", ""), known)]


def keeping(request: Request, path: str) -> str:
    """A path of ours that goes on in the language that was chosen."""
    asked = chosen(request)
    if asked is None:
        return path
    before, mark, part = path.partition("#")
    return f"{before}{'&' if '?' in before else '?'}lang={asked}{mark}{part}"


def others(request: Request, page: str) -> list[Other]:
    """The languages a page is offered in, with links to this very page; none where there is no choice, or after a form."""
    codes = offered(page)
    if len(codes) < 2 or request.method not in ("GET", "HEAD"):
        return []
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return [Other(code, languages()[code].name, f"?{urlencode([*rest, ('lang', code)])}") for code in codes]
