"""Atom feeds (RFC 4287) of what is announced on the website."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Tree

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.web.site.frame import whole
from chatinbox.web.site.legal import legal_page

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ATOM = "http://www.w3.org/2005/Atom"
_BEGINNING = datetime(2026, 11, 26, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One announcement: `key` is what makes it the same one for ever, `updated` when it was announced."""

    key: str
    title: str
    words: str
    updated: datetime


def moment(day: date) -> datetime:
    """A day's beginning, UTC."""
    return datetime.combine(day, time(), UTC)


def feed(
    inst: Installation, request: Request, page: str, path: str, title: str, entries: Iterable[Entry]
) -> Response:
    """The feed at `path`, about `page`; 503 and why, where nobody stands behind it by name. `title` ends in a name."""
    operator = operator_of(inst.settings)
    if operator is None:
        return legal_page(inst, request, "not-named")
    where = f"{inst.settings.public_url}{page}"
    told = sorted(entries, key=lambda one: one.updated, reverse=True)
    root = Tree.Element(f"{{{ATOM}}}feed", {XML_LANG: ENGLISH})
    _put(root, "id", where)
    _put(root, "title", f"{title} {operator.name}")
    _put(root, "updated", max((one.updated for one in told), default=_BEGINNING).isoformat())
    Tree.SubElement(root, f"{{{ATOM}}}link", href=where)
    Tree.SubElement(root, f"{{{ATOM}}}link", href=f"{inst.settings.public_url}{path}", rel="self")
    _put(Tree.SubElement(root, f"{{{ATOM}}}author"), "name", operator.name)
    for one in told:
        entry = Tree.SubElement(root, f"{{{ATOM}}}entry")
        _put(entry, "id", uuid5(NAMESPACE_URL, f"{where}#{one.key}").urn)
        _put(entry, "title", one.title)
        _put(entry, "updated", one.updated.isoformat())
        _put(entry, "content", one.words)
    Tree.register_namespace("", ATOM)
    raw = Tree.tostring(root, encoding="utf-8", xml_declaration=True)
    return whole(request, raw, type_="application/atom+xml; charset=utf-8")


def _put(parent: Tree.Element, name: str, words: str) -> None:
    Tree.SubElement(parent, f"{{{ATOM}}}{name}").text = words
