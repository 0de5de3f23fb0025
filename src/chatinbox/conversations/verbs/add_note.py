"""Add a note: staff speak to staff. The customer never sees it, and nothing that delivers can point at it."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.errors import UniqueViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.attachments import link
from chatinbox.conversations.body import Body, preview, seal_body
from chatinbox.conversations.change import Changed, change
from chatinbox.conversations.who import in_sight, key_of
from chatinbox.core.clock import now
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation

_NOTE = """noted as (
  insert into note (account_id, id, conversation_id, position, staff_user_id, body_sealed, at)
  select %(account)s, %(subject)s, %(conversation)s, changed.position, %(staff)s, %(body)s, %(at)s from changed)"""
_WRITTEN_HERE = """,
written as (
  delete from draft where account_id = %(account)s and staff_user_id = %(staff)s and conversation_id = %(conversation)s)"""

_SETS = """last_at = %(at)s, preview_sealed = %(preview)s, preview_by = 'note',
  spoken_position = c.position + 1, spoken_by = %(staff)s"""


async def add_note(
    inst: Installation,
    by: Staff,
    conversation_id: UUID,
    note_id: UUID,
    body: Body,
    *,
    attachment_ids: Sequence[UUID] = (),
    is_drafted: bool = True,
) -> Changed:
    """Stores a note. The same `note_id` again changes nothing. Raises not-found. Unless it `is_drafted`, unsent words of theirs
    in this conversation stay: the note came from elsewhere.
    """
    by.need("note")
    await in_sight(inst, by, conversation_id)
    key = await key_of(inst, by.account_id, conversation_id)
    statement = change(
        by.account_id,
        conversation_id,
        "note.added",
        sets=_SETS,
        extra=_NOTE + (_WRITTEN_HERE if is_drafted else ""),
        place_event=False,
        subject_id=note_id,
        staff_user_id=by.staff_user_id,
        body=seal_body(key, body, by.account_id, "note", note_id),
        preview=key.seal(preview(body.text), by.account_id, "conversation", "preview", conversation_id),
        at=now(),
    )
    files = link(by.account_id, conversation_id, attachment_ids, note_id=note_id)
    try:
        rows, *_ = await inst.db.run(by.account_id, statement, *files)
    except UniqueViolation:
        [rows] = await inst.db.run(
            by.account_id,
            (
                "select n.position, c.feed from note n join conversation c on c.account_id = n.account_id"
                " and c.id = n.conversation_id where n.account_id = %s and n.id = %s and n.conversation_id = %s"
                " and n.staff_user_id = %s",
                [by.account_id, note_id, conversation_id, by.staff_user_id],
            ),
        )
    if not rows:
        raise not_found()
    changed = Changed(*rows[0][:2])
    inst.bell.ring(by.account_id, changed.feed, conversation_id)
    return changed
