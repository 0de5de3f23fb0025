"""Assign: who answers."""

from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.arrange import arrange
from chatinbox.conversations.change import Changed
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation


async def assign(
    inst: Installation, by: Staff, conversation_id: UUID, staff_user_id: UUID | None
) -> Changed | None:
    """Gives a conversation to a staff user of the same account, or to nobody. Raises not-found for either id."""
    try:
        return await arrange(
            inst,
            by,
            conversation_id,
            "assigned" if staff_user_id else "unassigned",
            sets="assignee_id = %(assignee)s::uuid",
            guard="c.assignee_id is distinct from %(assignee)s::uuid",
            subject_id=staff_user_id,
            assignee=staff_user_id,
        )
    except ForeignKeyViolation:
        raise not_found() from None
