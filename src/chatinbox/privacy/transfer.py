"""Whether data of an account may go to where a recipient is: under European law only with the Commission's clauses (C68).

A place is what the operator wrote into the register of companies, never what a name or an address on the network seems to
say. Why no other ground for a transfer is looked at, and who has no place: `docs/decisions/0024-places-are-said.md`.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.regimes import EEA, regime_of
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.privacy import subprocessors
from chatinbox.privacy.subprocessors import Company

Reason: TypeAlias = Literal["transfer_without_clauses", "place_not_named"]
OWN_WAYS = frozenset({"mail"})  # leads to the operator's own machine, unless a company of the register has it


async def why_withheld(inst: Installation, account_id: UUID, way: str) -> Reason | None:
    """Why nothing of an account may go this way out, or None. `way` is `mail` or a named recipient."""
    company = _company(inst, way)
    if company is None and way in OWN_WAYS:
        return None
    if company and (company.country in EEA or company.transfer != "none needed"):
        return None
    home = (await regime_of(inst, account_id)).home
    if not home or (company and company.country in home):
        return None
    return "transfer_without_clauses" if company else "place_not_named"


def is_placed(inst: Installation, way: str) -> bool:
    """Whether the register of companies says who is behind a way out today."""
    return _company(inst, way) is not None


def _company(inst: Installation, way: str) -> Company | None:
    """Whoever is behind this way out today."""
    today = now().date()
    found = [
        one for one in subprocessors.listed(inst.settings).company if way in one.ways and one.is_active(today)
    ]
    return found[0] if found else None
