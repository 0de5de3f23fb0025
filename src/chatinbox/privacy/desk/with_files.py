"""Releasing what a case names when files are among it: one ZIP, written while it is sent, that ends with the signed list (C37, C38).

`release.json` is what it is without files, and names each file with its size and SHA-256, so that its signature covers them.
Each file is a look of its own. No more than a piece of one is in memory.
"""

import hashlib
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from uuid import UUID

from chatinbox.core.errors import Refused
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.installation import Installation
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.release import begin, data, encoded, finish, hand_over, keep_digest
from chatinbox.privacy.glass import hand, look
from chatinbox.privacy.package.gather import ending_of
from chatinbox.privacy.sink import Sink


async def release_with_files(inst: Installation, by: UUID, case: Case) -> AsyncIterator[bytes]:
    """The ZIP's bytes. Raises 403 and 409 before the first; what breaks off later can be released again within a day."""
    grant_id = await begin(inst, by, case)
    parts = _released(inst, by, case, grant_id)
    return _after(await anext(parts), parts)


async def _after(first: bytes, parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for part in parts:
            yield part
    finally:
        await parts.aclose()


async def _released(inst: Installation, by: UUID, case: Case, grant_id: UUID) -> AsyncGenerator[bytes, None]:
    digest = hashlib.sha256()
    async with hand_over(inst, case) as handing:
        async for part in _zip(inst, by, case, grant_id):
            digest.update(part)
            handing.is_leaving = True
            yield part
        await keep_digest(inst, case, digest.digest())
    await finish(inst, case, grant_id)


async def _zip(inst: Installation, by: UUID, case: Case, grant_id: UUID) -> AsyncIterator[bytes]:
    sink, told = Sink(), list[dict[str, Any]]()
    # What was said is read before the first byte leaves, so that a look that is refused is a sentence and no half of a file.
    said = await data(inst, by, case, grant_id)
    with zipfile.ZipFile(sink, "w") as whole:  # type: ignore[call-overload]
        rows = await ask_as_operator(inst, case.account_id, "select * from desk.files_of(%s)", [case.id])
        for place, (file_id, number, is_there) in enumerate(rows, 1):
            line: dict[str, Any] = {"place": place, "conversation": number}
            told.append(line)
            file = await _opened(inst, by, case, grant_id, file_id) if is_there else None
            if file is None:
                line["gone"] = True
                continue
            line |= {"name": file.name, "type": file.type, "came_at": file.came_at}
            line["path"] = f"files/{place:03}{ending_of(file.name)}"
            hash_, size = hashlib.sha256(), 0
            with whole.open(zipfile.ZipInfo(line["path"]), "w", force_zip64=True) as into:
                async for piece in file.pieces:
                    hash_.update(piece)
                    size += len(piece)
                    into.write(piece)
                    yield sink.taken()
            line |= {"size": size, "sha256": hash_.hexdigest()}
        whole.writestr("release.json", encoded(inst, case, {"data": said, "files": told}))
    yield sink.taken()


async def _opened(
    inst: Installation, by: UUID, case: Case, grant_id: UUID, file_id: UUID
) -> hand.File | None:
    """A file, looked at for itself and about to be handed out; None for one that was erased since it was named."""
    try:
        seen = await look.look(inst, by, case.account_id, grant_id, "file", file_id)
        return await hand.hand_out(inst, case.account_id, seen.id)
    except Refused as refused:
        if refused.code in (hand.GONE.code, look.UNEVEN.code):
            return None
        raise
