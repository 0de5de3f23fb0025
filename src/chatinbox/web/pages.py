"""Pages: rendered here, with the strict headers every page has."""

import secrets
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import jinja2
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse

from chatinbox.core.address_shown import shown
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import Language, NotSaid, languages
from chatinbox.privacy.features import needs
from chatinbox.web.assets import UI, asset, importmap, inbox_modules
from chatinbox.web.language import VARY, chosen, keeping, others, spoken

log = structlog.get_logger()

ROOMS: dict[str, jinja2.Environment] = {}
"""The templates, once for each language: what a template says of itself is said in it, with its days and numbers."""


def room(language: Language) -> jinja2.Environment:
    """The templates in a language. `_` and `trans` say what stands in a template, the filter `said` what comes from elsewhere."""
    if language.code not in ROOMS:
        made = jinja2.Environment(
            loader=jinja2.FileSystemLoader(UI / "html"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        made.policies["ext.i18n.trimmed"] = True
        made.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
        made.filters.update(
            at=language.at, on=language.on, said=language.say, address=shown, choices=language.choices
        )
        made.globals.update(
            asset=asset,
            importmap=importmap,
            inbox_modules=inbox_modules,
            needed_by=needs,
            language=language,
            english=languages()[ENGLISH],
            day=language.day,
            number=language.number,
            money=language.money,
            to=lambda path: path,
            others=(),
        )
        ROOMS[language.code] = made
    return ROOMS[language.code]


def day(moment: date) -> str:
    """A day as people write it in English: 23 November 2026."""
    return languages()[ENGLISH].day(moment)


POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "tk": "N",  # W3C Tracking Preference Expression §6.3: nobody is tracked here, whatever was asked
}


def fill(template: str, words: Mapping[str, Any], language: Language | None = None) -> tuple[str, Language]:
    """A template's text, and the language it is in: the one that was asked for, or English where that one lacks a word."""
    english = languages()[ENGLISH]
    try:
        spoken = language or english
        return room(spoken).get_template(template).render(**words), spoken
    except NotSaid:
        log.warning("page_not_said", template=template, language=spoken.code)
        return room(english).get_template(template).render(**words), english


def page_text(
    request: Request, template: str, words: Mapping[str, Any], status: int
) -> tuple[str, dict[str, str]]:
    """A page's text in its reader's language, and the headers that say which that is. One that tells of trouble is not
    linked in other languages: there is nothing to come back to.
    """
    known = {
        "to": partial(keeping, request),
        "others": others(request, template) if status == 200 else [],
        "lang": chosen(request),
    }
    text, language = fill(template, known | dict(words), spoken(request, template))
    return text, {"content-language": language.code, "vary": VARY}


def render(
    request: Request,
    template: str,
    words: Mapping[str, Any],
    status: int = 200,
    policy: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page. `policy` changes single lines of the Content-Security-Policy."""
    nonce = secrets.token_urlsafe(16)
    lines = POLICY | {"script-src": f"'self' 'nonce-{nonce}'"} | dict(policy or {})
    text, spoken_in = page_text(request, template, {"nonce": nonce, **words}, status)
    csp = "; ".join(f"{name} {value}" for name, value in lines.items())
    return HTMLResponse(text, status, HEADERS | spoken_in | {"content-security-policy": csp})
