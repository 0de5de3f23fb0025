"""Attach: a file is stored before the message or note that will carry it."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.conversations.attachments import name_them, stored
from chatinbox.conversations.collection import NO_FILES, read_takes
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.let_in import is_text, lighter_file
from chatinbox.conversations.who import key_of
from chatinbox.conversations.withheld import write_withheld
from chatinbox.core.errors import not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.masking import Masking


async def attach(inst: Installation, account_id: UUID, conversation_id: UUID, file: NewFile) -> UUID:
    """Stores a file of a staff user for a conversation, sealed and on disk when this returns; its id. Raises not-found."""
    return await _attach(inst, account_id, conversation_id, file, {})


async def attach_from_customer(
    inst: Installation, account_id: UUID, conversation_id: UUID, channel_id: UUID, file: NewFile
) -> tuple[UUID, NewFile]:
    """The same for a file that came by a channel, as the channel takes it: its id, and the file as it was stored.

    Raises not-found, and a sentence (422) where no files are taken.
    """
    takes = await read_takes(inst, account_id, channel_id)
    if "files" not in takes:
        raise NO_FILES
    masking = Masking("numbers" not in takes)
    lighter = await asyncio.to_thread(lighter_file, masking, file, takes)
    withheld: dict[str, int] = dict.fromkeys(masking.found, 1)
    if lighter.content is not file.content and not is_text(lighter):
        withheld = {**withheld, "picture": 1}
    return await _attach(inst, account_id, conversation_id, lighter, withheld), lighter


async def _attach(
    inst: Installation, account_id: UUID, conversation_id: UUID, file: NewFile, withheld: Mapping[str, int]
) -> UUID:
    key = await key_of(inst, account_id, conversation_id)
    file_id = new_id()
    batch = await stored(inst, key, account_id, conversation_id, [file], ids=[file_id])
    kept_out = write_withheld(account_id, conversation_id, file_id, withheld)
    try:
        await name_them(inst, account_id, batch, *batch, *kept_out)
    except ForeignKeyViolation:  # the conversation is gone, this moment
        raise not_found() from None
    return file_id
