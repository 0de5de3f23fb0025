"""What the legal pages share: they stand only where the operator has named themselves, and they show what is coming."""

from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents
from chatinbox.accounts.documents import Document, Kind, Version
from chatinbox.core.clock import now
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.web.site.frame import FRESH, site_page

Piece: TypeAlias = tuple[Literal["same", "gone", "new"], str]
_KINDS: dict[str, Literal["same", "gone", "new"]] = {"equal": "same", "delete": "gone", "insert": "new"}


def legal_page(inst: Installation, request: Request, template: str, **words: Any) -> Response:
    """A legal page; 503 and a page that says why, where nobody stands behind it by name."""
    if operator_of(inst.settings) is None:
        return site_page(inst, request, "site/not-named", status=503, kept=FRESH)
    return site_page(inst, request, f"site/{template}", binding=True, **words)


def document_page(inst: Installation, request: Request, kind: Kind, template: str, **words: Any) -> Response:
    """A document: the version in force, or the one that the path names."""
    holds = documents.in_force(kind, now())
    version = _named(request, kind) or holds
    known = {
        "kind": kind,
        "doc": documents.read(kind, version.version),
        "version": version,
        "holds": holds,
        "versions": list(reversed(documents.versions(kind))),
    }
    return legal_page(inst, request, template, **known, **words)


def _named(request: Request, kind: Kind) -> Version | None:
    said = request.path_params.get("version")
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or len(said) > 6:
        raise not_found()
    found = [one for one in documents.versions(kind) if one.version == int(said)]
    if not found:
        raise not_found()
    return found[0]


def compared(before: Document, after: Document) -> list[tuple[str, list[Piece]]]:
    """What became of each numbered sentence, word by word; those that stayed are left out."""
    old = {one.no: one.text for one in before.promises()}
    new = {one.no: one.text for one in after.promises()}
    return [
        (no, _words(old.get(no, ""), new.get(no, "")))
        for no in dict.fromkeys([*new, *old])
        if old.get(no) != new.get(no)
    ]


def _words(before: str, after: str) -> list[Piece]:
    old, new = before.split(), after.split()
    pieces: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "replace":
            pieces += [("gone", " ".join(old[a:b])), ("new", " ".join(new[c:d]))]
        else:
            pieces.append((_KINDS[kind], " ".join(old[a:b] or new[c:d])))
    return pieces
