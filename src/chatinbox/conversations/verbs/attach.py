"""Attach: a file is stored before the message or note that will carry it."""

from uuid import UUID

from chatinbox.conversations.attachments import stored
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.who import key_of
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def attach(inst: Installation, account_id: UUID, conversation_id: UUID, file: NewFile) -> UUID:
    """Stores a file for a conversation, sealed and on disk when this returns; its id. Raises not-found."""
    key = await key_of(inst, account_id, conversation_id)
    file_id = new_id()
    await inst.db.run(
        account_id, *await stored(inst, key, account_id, conversation_id, [file], ids=[file_id])
    )
    return file_id
