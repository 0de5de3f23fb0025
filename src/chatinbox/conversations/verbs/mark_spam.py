"""Mark as spam, and take it back."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import Changed, apply_or_refuse, change
from chatinbox.conversations.who import in_sight
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


async def mark_spam(inst: Installation, by: Staff, conversation_id: UUID, spam: bool) -> Changed | None:
    """Moves a conversation to spam or back; None when it was so already. Raises not-found."""
    by.need("arrange")
    await in_sight(inst, by, conversation_id)
    statement = change(
        by.account_id,
        conversation_id,
        "spam" if spam else "not_spam",
        sets="spam_at = %(spam_at)s",
        guard="c.spam_at is null" if spam else "c.spam_at is not null",
        staff_user_id=by.staff_user_id,
        spam_at=now() if spam else None,
    )
    return await apply_or_refuse(inst, by.account_id, conversation_id, statement)
