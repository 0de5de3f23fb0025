"""Files: sealed in pieces of 1 MiB and durable before anybody is told (written, fsynced, renamed, folder fsynced).

Each piece is bound to its file, its number and whether it is the last, so none can be swapped, dropped or cut.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO
from uuid import UUID

from chatinbox.core import disk
from chatinbox.core.vault import SealKey

PIECE = 1 << 20
_OVERHEAD = 29


class Files:
    """The local file store below the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, account_id: UUID, file_id: UUID) -> Path:
        """Where a file lies: by account, then by the random end of its id."""
        return self._folder / account_id.hex / file_id.hex[-2:] / file_id.hex

    async def put(self, key: SealKey, account_id: UUID, file_id: UUID, content: bytes) -> None:
        """Stores a file; on disk when this returns. Storing the same id again replaces it."""
        await asyncio.to_thread(self._put, key, account_id, file_id, content)

    async def put_stream(
        self, key: SealKey, account_id: UUID, file_id: UUID, content: AsyncIterator[bytes]
    ) -> int:
        """As `put`, of what comes bit by bit: no more than two pieces of it are in memory. How many bytes it was."""
        target, fresh = self._places(account_id, file_id)
        size, number, waiting = 0, 0, bytearray()
        file = await asyncio.to_thread(disk.open_private, fresh, "wb")
        try:

            def write(last: bool) -> None:
                nonlocal number
                piece = bytes(waiting[:PIECE])
                del waiting[:PIECE]
                file.write(key.seal(piece, account_id, "file", _name(number, last), file_id))
                number += 1

            async for part in content:
                size += len(part)
                waiting += part
                while len(waiting) > PIECE:
                    await asyncio.to_thread(write, False)
            await asyncio.to_thread(write, True)
            await asyncio.to_thread(_keep, file, fresh, target)
        except BaseException:
            file.close()
            fresh.unlink(missing_ok=True)
            raise
        return size

    async def get(self, key: SealKey, account_id: UUID, file_id: UUID) -> bytes:
        """The whole file; FileNotFoundError when it is gone."""
        return await asyncio.to_thread(lambda: b"".join(self._pieces(key, account_id, file_id)))

    async def stream(self, key: SealKey, account_id: UUID, file_id: UUID) -> AsyncIterator[bytes]:
        """The file piece by piece."""
        pieces = self._pieces(key, account_id, file_id)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def remove(self, account_id: UUID, file_id: UUID) -> None:
        """Removes a file; gone already is fine."""
        await asyncio.to_thread(self.path(account_id, file_id).unlink, True)

    async def remove_account(self, account_id: UUID) -> None:
        """Removes every file of an account; gone already is fine."""
        if account_id.int == 0:  # people's photos lie there
            raise ValueError("this is no account")
        await asyncio.to_thread(shutil.rmtree, self._folder / account_id.hex, True)

    async def count_account(self, account_id: UUID) -> int:
        """How many files an account has."""
        folder = self._folder / account_id.hex
        return await asyncio.to_thread(lambda: sum(one.is_file() for one in folder.rglob("*")))

    def _put(self, key: SealKey, account_id: UUID, file_id: UUID, content: bytes) -> None:
        target, fresh = self._places(account_id, file_id)
        with disk.open_private(fresh, "wb") as file:
            count = max(1, -(-len(content) // PIECE))
            for number in range(count):
                piece = content[number * PIECE : (number + 1) * PIECE]
                file.write(key.seal(piece, account_id, "file", _name(number, number == count - 1), file_id))
            _keep(file, fresh, target)

    def _places(self, account_id: UUID, file_id: UUID) -> tuple[Path, Path]:
        """Where a file will lie, and where it is written until it is whole."""
        target = self.path(account_id, file_id)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return target, target.with_suffix(f".{os.getpid()}.new")

    def _pieces(self, key: SealKey, account_id: UUID, file_id: UUID) -> Iterator[bytes]:
        with self.path(account_id, file_id).open("rb") as file:
            number, piece = 0, file.read(PIECE + _OVERHEAD)
            while piece:
                following = file.read(PIECE + _OVERHEAD)
                yield key.open(piece, account_id, "file", _name(number, not following), file_id)
                number, piece = number + 1, following


def _keep(file: IO[bytes], fresh: Path, target: Path) -> None:
    """Has a written file on disk, then in its place."""
    disk.keep(file)
    file.close()
    fresh.rename(target)
    disk.keep_names(target.parent)


def _name(number: int, last: bool) -> str:
    return f"{number}{'.' if last else ''}"
