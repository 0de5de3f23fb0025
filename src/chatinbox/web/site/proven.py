"""The last proof of the promises, as it was signed."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.privacy import proof
from chatinbox.web.site.frame import FRESH


async def get_proof(inst: Installation, _request: Request) -> Response:
    """The signed file. 404 where nothing was proven here yet."""
    raw = proof.read_raw(inst.settings.data, inst.vault)
    if raw is None:
        raise not_found()
    return Response(raw, media_type="application/json", headers={"cache-control": FRESH})


TO = Declared(("visitor",), ("A",))
PAGES = {"/privacy/proof.json": (get_proof, None)}
LINKS = ()
