"""Records of processing (GDPR Art. 30), made from the data map."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import regimes
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.privacy import records, subprocessors
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import legal_page


async def get_records(inst: Installation, request: Request) -> Response:
    """Every stored table under the role we have for it."""
    by_role = records.records()
    companies = subprocessors.read(inst.settings).company
    return legal_page(inst, request, "records", by_role=by_role, companies=companies, laws=regimes.ALL)


TO = Declared(("visitor",), ("A",))
PAGES = {"/records": (get_records, None)}
LINKS = (Link("trust", "/records", "Records of processing", 50),)
