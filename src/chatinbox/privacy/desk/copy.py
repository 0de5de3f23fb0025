"""The copy a person gets of what is held about them. This is the one place where the desk asks for one."""

from uuid import UUID

from chatinbox.core.installation import Installation

PREPARED = "Your copy is being prepared. A link to it comes in a letter of its own."


async def ask_copy(_inst: Installation, _account_id: UUID, _customer_id: UUID) -> UUID | None:
    """Has one made; its id, or None where none can be made yet."""
    return None


async def link_to(_inst: Installation, _account_id: UUID, _copy_id: UUID) -> str | None:
    """The address under which it can be fetched once, or None while it is being made."""
    return None


async def is_fetched(_inst: Installation, _account_id: UUID, _copy_id: UUID) -> bool:
    """Whether the person has it."""
    return False
