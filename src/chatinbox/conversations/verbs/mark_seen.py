"""Mark as seen: how far one staff user has read. Nobody else's list changes, so it rings no bell."""

from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import in_sight
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation


async def mark_seen(inst: Installation, by: Staff, conversation_id: UUID, position: int) -> None:
    """Notes the last position read; it may go back to 0 (unread). Raises not-found."""
    await in_sight(inst, by, conversation_id)
    try:
        await inst.db.run(
            by.account_id,
            (
                "insert into seen (account_id, staff_user_id, conversation_id, position) values (%s, %s, %s, %s)"
                " on conflict (account_id, staff_user_id, conversation_id) do update set position = excluded.position"
                " where seen.position <> excluded.position",
                [by.account_id, by.staff_user_id, conversation_id, max(0, position)],
            ),
        )
    except ForeignKeyViolation:
        raise not_found() from None
