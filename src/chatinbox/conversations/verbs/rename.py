"""Rename: give a conversation another subject."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import Changed, apply_or_refuse, change
from chatinbox.conversations.who import in_sight, key_of
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation

MAX_SUBJECT = 300


async def rename(inst: Installation, by: Staff, conversation_id: UUID, subject: str) -> Changed | None:
    """Sets the subject. Raises not-found and bad-request."""
    by.need("arrange")
    await in_sight(inst, by, conversation_id)
    subject = " ".join(subject.split())
    if not subject or len(subject) > MAX_SUBJECT:
        raise bad_request(f"A subject has between 1 and {MAX_SUBJECT} letters.", "subject")
    key = await key_of(inst, by.account_id, conversation_id)
    statement = change(
        by.account_id,
        conversation_id,
        "renamed",
        sets="subject_sealed = %(title)s",
        shown=False,
        staff_user_id=by.staff_user_id,
        title=key.seal(subject, by.account_id, "conversation", "subject", conversation_id),
    )
    return await apply_or_refuse(inst, by.account_id, conversation_id, statement)
