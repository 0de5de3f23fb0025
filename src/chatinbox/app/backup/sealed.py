"""A sealed file: named parts one after the other, in pieces, each bound to its file, its number and whether it is the last.

A file that was cut, edited, or put together from two does not open. Memory holds one piece, however large a part is.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from uuid import UUID

from chatinbox.core import disk
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import SealKey, Tampered

PIECE = 1 << 20
_HEAD = b"chatinbox copy 1\n"
_NAME, _BYTES = b"n", b"b"


class Writer:
    """Writes one; it has its name only when it is whole and on disk."""

    def __init__(self, path: Path, key: SealKey) -> None:
        self._path, self._key, self._id = path, key, new_id()
        self._fresh = path.with_name(f".{path.name}.new")
        self._number, self._waiting = 0, b""

    def __enter__(self) -> Self:
        self._file = open_fresh(self._fresh)
        self._file.write(_HEAD + self._id.bytes)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is None:
            self._put(self._waiting, last=True)
            disk.keep(self._file)
        self._file.close()
        if kind is None:
            self._fresh.rename(self._path)
            disk.keep_names(self._path.parent)
        else:
            self._fresh.unlink()

    def part(self, name: str, source: IO[bytes]) -> int:
        """Adds a part, read to its end; how many bytes it has."""
        self._piece(_NAME + name.encode())
        size = 0
        while piece := source.read(PIECE):
            self._piece(_BYTES + piece)
            size += len(piece)
        return size

    def _piece(self, piece: bytes) -> None:
        if self._waiting:
            self._put(self._waiting, last=False)
        self._waiting = piece

    def _put(self, piece: bytes, last: bool) -> None:
        sealed = self._key.seal(piece, NOBODY, "copy", _place(self._number, last), self._id)
        self._file.write(struct.pack(">I", len(sealed)) + sealed)
        self._number += 1


def read_parts(path: Path, key: SealKey) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each part's name and bytes, to be read in order. Raises Trouble for a file that is not whole, or of another installation."""
    pieces = _pieces(path, key)
    name = next(pieces, b"")[1:].decode()
    while name:
        following: list[str] = []

        def own(following: list[str] = following) -> Iterator[bytes]:
            for piece in pieces:
                if piece[:1] == _NAME:
                    following.append(piece[1:].decode())
                    return
                yield piece[1:]

        content = own()
        yield name, content
        for _ in content:  # what the reader did not want
            pass
        name = following[0] if following else ""


def _pieces(path: Path, key: SealKey) -> Iterator[bytes]:
    with path.open("rb") as file:
        head, raw_id, sealed, number = file.read(len(_HEAD)), file.read(16), _next(file), 0
        if head != _HEAD or not sealed:
            raise Trouble(f"{path.name} is no copy made by ChatInbox, or only its beginning.")
        copy_id = UUID(bytes=raw_id)
        while sealed:
            following = _next(file)
            try:
                yield key.open(sealed, NOBODY, "copy", _place(number, not following), copy_id)
            except Tampered:
                raise Trouble(
                    f"{path.name} cannot be opened from its piece {number + 1} on: it was cut short or altered, or it belongs"
                    " to an installation with another root key. Use another copy."
                ) from None
            sealed, number = following, number + 1


def open_fresh(path: Path) -> IO[bytes]:
    """A new file, nobody's but ours: whatever lies at its place, such as a link that leads elsewhere, goes and is not followed."""
    path.unlink(missing_ok=True)
    return disk.open_private(path, "xb")


def _next(file: IO[bytes]) -> bytes:
    head = file.read(4)
    return file.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""


def _place(number: int, last: bool) -> str:
    return f"{number}{'.' if last else ''}"
