"""Attachments: stored sealed and durable first, then named by a row that points at one message or one note."""

from collections.abc import Sequence
from uuid import UUID

from psycopg import IntegrityError

from chatinbox.conversations.incoming import NewFile
from chatinbox.core.clock import now
from chatinbox.core.db import Rows, Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.masking import mask
from chatinbox.core.vault import SealKey

MAX_NAME = 255


async def stored(
    inst: Installation,
    key: SealKey,
    account_id: UUID,
    conversation_id: UUID,
    files: Sequence[NewFile],
    message_id: UUID | None = None,
    ids: Sequence[UUID] = (),
) -> list[Statement]:
    """Puts files on disk and gives the statements that name them. A card number in a name is masked."""
    batch: list[Statement] = []
    for number, file in enumerate(files):
        file_id = ids[number] if ids else new_id()
        await inst.files.put(key, account_id, file_id, file.content)
        content_id = file.content_id and key.seal(
            file.content_id, account_id, "attachment", "content_id", file_id
        )
        batch.append(
            (
                "insert into attachment (account_id, id, conversation_id, message_id, name_sealed, type, size,"
                " content_id_sealed, created_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    account_id,
                    file_id,
                    conversation_id,
                    message_id,
                    key.seal(mask(file.name[:MAX_NAME]) or "file", account_id, "attachment", "name", file_id),
                    file.type[:120],
                    len(file.content),
                    content_id or None,
                    now(),
                ],
            )
        )
    return batch


async def name_them(
    inst: Installation, account_id: UUID, files: Sequence[Statement], *batch: Statement
) -> list[Rows]:
    """Runs a batch in which files that lie on disk already are named (`stored`). Where the database refuses it, none stays."""
    try:
        return await inst.db.run(account_id, *batch)
    except IntegrityError:
        for _, params in files:
            assert isinstance(params, Sequence)
            await inst.files.remove(account_id, params[1])
        raise


def link(
    account_id: UUID,
    conversation_id: UUID,
    attachment_ids: Sequence[UUID],
    message_id: UUID | None = None,
    note_id: UUID | None = None,
) -> list[Statement]:
    """The statement that gives uploaded files, not yet used, of the same conversation to a message or a note.

    It does nothing when that message or note was not written (a held answer).
    """
    if not attachment_ids:
        return []
    return [
        (
            "update attachment set message_id = %s, note_id = %s where account_id = %s and conversation_id = %s"
            " and id = any(%s) and message_id is null and note_id is null"
            " and (exists (select from message where account_id = %s and id = %s)"
            "   or exists (select from note where account_id = %s and id = %s))",
            [
                message_id,
                note_id,
                account_id,
                conversation_id,
                list(attachment_ids),
                account_id,
                message_id,
                account_id,
                note_id,
            ],
        )
    ]
