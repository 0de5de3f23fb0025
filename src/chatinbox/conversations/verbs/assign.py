"""Assign: who answers."""

from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import Changed, apply_or_refuse, change
from chatinbox.conversations.who import in_sight
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation


async def assign(
    inst: Installation, by: Staff, conversation_id: UUID, staff_user_id: UUID | None
) -> Changed | None:
    """Gives a conversation to a staff user of the same account, or to nobody. Raises not-found for either id."""
    by.need("arrange")
    await in_sight(inst, by, conversation_id)
    statement = change(
        by.account_id,
        conversation_id,
        "assigned" if staff_user_id else "unassigned",
        sets="assignee_id = %(assignee)s::uuid",
        guard="c.assignee_id is distinct from %(assignee)s::uuid",
        subject_id=staff_user_id,
        staff_user_id=by.staff_user_id,
        assignee=staff_user_id,
    )
    try:
        return await apply_or_refuse(inst, by.account_id, conversation_id, statement)
    except ForeignKeyViolation:
        raise not_found() from None
