"""The privacy policy, a lamp a promise; its versions, and what changed between them."""

from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents
from chatinbox.accounts.documents import KINDS, TITLES
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import announcements, proof, standing
from chatinbox.privacy.announcements import Announcement
from chatinbox.privacy.collected import new_in
from chatinbox.web.site import seen
from chatinbox.web.site.feed import Entry, feed
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import Piece, compared, document_page, legal_page


async def get_privacy(inst: Installation, request: Request) -> Response:
    """The policy in force, or an older version of it."""
    stands = standing.read()
    counts = {word: sum(one.built == word for one in stands.values()) for word in ("yes", "part", "no")}
    last = proof.read(inst.settings.data, inst.vault)
    tried = {one.no: one for one in last.promises} if last else {}
    lamps = {no: one.lamp(tried.get(no)) for no, one in stands.items()}
    at, facts = await request.app.state.looks.at(seen.look, inst)
    words = {
        "seen_at": at,
        "seen": facts,
        "standing": stands,
        "counts": counts,
        "proof": last,
        "tried": tried,
        "lamps": lamps,
    }
    return document_page(inst, request, "privacy", "privacy", **words)


async def get_history(inst: Installation, request: Request) -> Response:
    """Every version of every document, newest first, with what changed."""
    histories = [(TITLES[kind], kind, _steps(kind)) for kind in KINDS]
    return legal_page(inst, request, "history", histories=histories, changes=_changes())


def _changes() -> list[tuple[Announcement, list[str]]]:
    """Every announcement, newest first, with what it brought by name; the first is the beginning."""
    told = announcements.read()
    brought = [new_in(after.collected, before.collected) for before, after in pairwise(told)]
    return list(reversed(list(zip(told, [[], *brought], strict=True))))


def _steps(kind: documents.Kind) -> list[tuple[documents.Version, list[tuple[str, list[Piece]]]]]:
    steps = []
    for one in reversed(documents.versions(kind)):
        changes = []
        if one.version > 1:
            changes = compared(documents.read(kind, one.version - 1), documents.read(kind, one.version))
        steps.append((one, changes))
    return steps


async def get_feed(inst: Installation, request: Request) -> Response:
    """Versions of the documents, and what is collected, kept or passed on from a later day, as a feed."""
    at = now()
    versions = [
        Entry(
            f"{kind}#{one.version}",
            f"{TITLES[kind]}, version {one.version}",
            f"Holds from {one.effective_at:%d %B %Y}. {one.changed}",
            one.announced_at,
        )
        for kind in KINDS
        for one in documents.versions(kind)
        if one.announced_at <= at
    ]
    changes = [
        Entry(
            f"change#{one.number}",
            one.title,
            f"Holds from {one.effective_at:%d %B %Y}. {one.words}",
            one.announced_at,
        )
        for one in announcements.read()
        if one.announced_at <= at
    ]
    title = "What changes in how data is handled by"
    return feed(inst, request, "/privacy/history", "/privacy/history.atom", title, versions + changes)


TO = Declared(("visitor",), ("A",))
PAGES = {
    "/privacy": (get_privacy, None),
    "/privacy/history": (get_history, None),
    "/privacy/history.atom": (get_feed, None),
    "/privacy/versions/{version}": (get_privacy, None),
}
LINKS = (
    Link("head", "/privacy", "Privacy", 10, english_only=True),
    Link("trust", "/privacy", "Privacy policy", 10, english_only=True),
    Link("trust", "/privacy/history", "Versions and changes", 60, english_only=True),
)
