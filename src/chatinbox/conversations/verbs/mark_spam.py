"""Mark as spam, and take it back."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.arrange import arrange
from chatinbox.conversations.change import Changed
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


async def mark_spam(inst: Installation, by: Staff, conversation_id: UUID, spam: bool) -> Changed | None:
    """Moves a conversation to spam or back; None when it was so already. Raises not-found."""
    return await arrange(
        inst,
        by,
        conversation_id,
        "spam" if spam else "not_spam",
        sets="spam_at = %(spam_at)s",
        guard="c.spam_at is null" if spam else "c.spam_at is not null",
        spam_at=now() if spam else None,
    )
