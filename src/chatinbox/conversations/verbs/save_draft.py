"""Save a draft: unsent words, kept by the server for their writer alone."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.body import Body, seal_body
from chatinbox.conversations.who import in_sight, key_of
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


async def save_draft(
    inst: Installation,
    by: Staff,
    conversation_id: UUID,
    kind: Literal["reply", "note"],
    body: Body,
    revision: int,
    attachment_ids: Sequence[UUID] = (),
) -> bool:
    """Keeps the newest words; False when another tab kept newer ones. Raises not-found."""
    by.need("answer" if kind == "reply" else "note")
    await in_sight(inst, by, conversation_id)
    key = await key_of(inst, by.account_id, conversation_id)
    sealed = seal_body(key, body, by.account_id, "draft", conversation_id)
    [rows] = await inst.db.run(
        by.account_id,
        (
            "insert into draft (account_id, staff_user_id, conversation_id, kind, body_sealed, files, revision, at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (account_id, staff_user_id, conversation_id) do update set kind = excluded.kind,"
            " body_sealed = excluded.body_sealed, files = excluded.files, revision = excluded.revision, at = excluded.at"
            " where draft.revision <= excluded.revision returning 1",
            [
                by.account_id,
                by.staff_user_id,
                conversation_id,
                kind,
                sealed,
                list(attachment_ids),
                revision,
                now(),
            ],
        ),
    )
    return bool(rows)


async def drop_draft(inst: Installation, by: Staff, conversation_id: UUID) -> None:
    """Throws the draft away."""
    await in_sight(inst, by, conversation_id)
    await inst.db.run(
        by.account_id,
        (
            "delete from draft where account_id = %s and staff_user_id = %s and conversation_id = %s",
            [by.account_id, by.staff_user_id, conversation_id],
        ),
    )
