"""The account's rule about second factors: everybody's own choice, or asked of everybody who works there."""

from uuid import UUID

from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.people import works_in
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased


async def must_set_up(inst: Installation, account_id: UUID, person_id: UUID) -> bool:
    """Whether an account asks a person for a second factor they do not have."""
    if not await is_required(inst, account_id):
        return False
    return not (await read_factors(inst, person_id)).second


async def is_required(inst: Installation, account_id: UUID) -> bool:
    """Whether an account asks everybody for a second factor. One whose key is destroyed asks nobody for anything."""
    try:
        return (await read_workspace(inst, account_id)).second_factor == "required"
    except Erased:
        return False


async def is_required_of(inst: Installation, person_id: UUID) -> bool:
    """Whether any account that a person works in asks for one."""
    return any([await is_required(inst, account_id) for account_id, _ in await works_in(inst, person_id)])


async def require(inst: Installation, by: Staff) -> None:
    """Asks everybody for one from their next sign-in. Raises unless `by` may, and has one themselves."""
    by.need("workspace")
    if not (await read_factors(inst, by.person_id)).second:
        raise Refused(
            409,
            "Set up a second factor yourself first; otherwise you would be the first it keeps out.",
            "second",
        )
    await change_workspace(inst, by, second_factor="required")


async def leave_free(inst: Installation, by: Staff) -> None:
    """Leaves it to everybody again. Raises unless `by` may."""
    await change_workspace(inst, by, second_factor="optional")
