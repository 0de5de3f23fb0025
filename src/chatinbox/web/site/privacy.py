"""The privacy policy, a lamp a promise; its versions, and what changed between them."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents
from chatinbox.accounts.documents import KINDS, TITLES
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import proof, standing
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import Piece, compared, document_page, legal_page


async def get_privacy(inst: Installation, request: Request) -> Response:
    """The policy in force, or an older version of it."""
    stands = standing.read()
    counts = {word: sum(one.built == word for one in stands.values()) for word in ("yes", "part", "no")}
    last = proof.read(inst.settings.data, inst.vault)
    tried = {one.no: one for one in last.promises} if last else {}
    lamps = {no: one.lamp(tried.get(no)) for no, one in stands.items()}
    words = {"standing": stands, "counts": counts, "proof": last, "tried": tried, "lamps": lamps}
    return document_page(inst, request, "privacy", "privacy", **words)


async def get_history(inst: Installation, request: Request) -> Response:
    """Every version of every document, newest first, with what changed."""
    return legal_page(
        inst, request, "history", histories=[(TITLES[kind], kind, _steps(kind)) for kind in KINDS]
    )


def _steps(kind: documents.Kind) -> list[tuple[documents.Version, list[tuple[str, list[Piece]]]]]:
    steps = []
    for one in reversed(documents.versions(kind)):
        changes = []
        if one.version > 1:
            changes = compared(documents.read(kind, one.version - 1), documents.read(kind, one.version))
        steps.append((one, changes))
    return steps


TO = Declared(("visitor",), ("A",))
PAGES = {
    "/privacy": (get_privacy, None),
    "/privacy/history": (get_history, None),
    "/privacy/versions/{version}": (get_privacy, None),
}
LINKS = (
    Link("head", "/privacy", "Privacy", 10),
    Link("trust", "/privacy", "Privacy policy", 10),
    Link("trust", "/privacy/history", "Versions and changes", 60),
)
