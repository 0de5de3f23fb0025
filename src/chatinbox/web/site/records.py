"""Records of processing (GDPR Art. 30), made from the data map."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import regimes
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import ON_A_CLOCK, ran
from chatinbox.privacy import purposes, records, subprocessors
from chatinbox.privacy.purposes import instructions
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import legal_page


async def get_records(inst: Installation, request: Request) -> Response:
    """Every stored table under the role we have for it."""
    by_role = records.records()
    companies = subprocessors.read(inst.settings).company
    work = {(one.name, one.use): one for one in (*inst.jobs.wired, *inst.outbox.wired) if one.use}
    words: dict[str, Any] = {
        "work": sorted(work.values(), key=lambda one: (one.use.purpose, one.name)),
        "ran": ran,
        "on_a_clock": ON_A_CLOCK,
        "purposes": purposes.read(),
        "tables_for": purposes.tables_for,
        "instructions": instructions(),
        "routes": _routes_under(request),
    }
    return legal_page(
        inst, request, "records", **words, by_role=by_role, companies=companies, laws=regimes.ALL
    )


def _routes_under(request: Request) -> dict[str, int]:
    """How many routes touch customers' data under each instruction."""
    table = request.app.state.table
    return {
        one.no: sum("U" in line.to.planes and one.lets_in(line) for line in table)
        for one in instructions().values()
    }


TO = Declared(("visitor",), ("A",))
PAGES = {"/records": (get_records, None)}
LINKS = (Link("trust", "/records", "Records of processing", 50, english_only=True),)
