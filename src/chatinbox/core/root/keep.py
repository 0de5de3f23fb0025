"""Keeping the root key: one file below `keys/`, and a keeper that turns it into what stands in the file and back.

A keeper is the seam for what keeps keys elsewhere. Two are there: the file itself, and a keyholder.
"""

import contextlib
import os
from pathlib import Path
from typing import Literal, Protocol

from chatinbox.core import disk
from chatinbox.core.trouble import Trouble

PLAIN, WRAPPED = "root.key", "root.wrapped"
BYTES = 32


class Away(Trouble):
    """What keeps the root key does not answer now; it can be asked again. `code` says why in the log."""

    def __init__(self, sentence: str, code: Literal["silent", "sealed", "busy"]) -> None:
        super().__init__(sentence)
        self.code = code


class Keeper(Protocol):
    """Who keeps the root key. `file` is what it is kept as below `keys/`, `words` are for people."""

    file: str
    words: str

    def wrap(self, raw: bytes) -> bytes:
        """What stands in the file. Raises Trouble; Away where it is worth asking again."""

    def unwrap(self, kept: bytes) -> bytes:
        """The key again. Raises as `wrap`, and for what it did not wrap."""


class InFile:
    """The key as it is, in a file that only its owner reads."""

    file, words = PLAIN, "a file in the data folder"

    def wrap(self, raw: bytes) -> bytes:
        """The same."""
        return raw

    def unwrap(self, kept: bytes) -> bytes:
        """The same, where it is a key at all."""
        if len(kept) != BYTES:
            raise Trouble("it should be 32 bytes")
        return kept


def file_of(data: Path) -> Path | None:
    """Where the root key of a data folder stands; None before the first start. Raises Trouble where a move did not end."""
    found = [data / "keys" / name for name in (PLAIN, WRAPPED) if (data / "keys" / name).exists()]
    if len(found) > 1:
        raise Trouble(
            f"The root key stands in {found[0]} and in {found[1]}: moving it did not end. Say again where it was to go:"
            " bin/chatinbox keys move keyholder, or: bin/chatinbox keys move file"
        )
    return found[0] if found else None


def has_root_key(data: Path) -> bool:
    """Whether there is an installation in this data folder, wherever its key is kept."""
    return any((data / "keys" / name).exists() for name in (PLAIN, WRAPPED))


def read(data: Path, keeper: Keeper) -> bytes:
    """The installation's root key; made at the first start. Raises Trouble."""
    found = file_of(data)
    if found is None:
        found = data / "keys" / keeper.file
        write(found, keeper.wrap(os.urandom(BYTES)))
    if found.name != keeper.file:
        raise Trouble(_ELSEWHERE[found.name].format(found))
    try:
        return keeper.unwrap(found.read_bytes())
    except Away as away:
        raise Away(f"The root key in {found} cannot be opened now. {away}", away.code) from None
    except Trouble as trouble:
        raise Trouble(
            f"The root key in {found} is damaged: {trouble}. Put it back from your backup of the keys."
            if keeper.file == PLAIN
            else f"The root key in {found} cannot be opened. {trouble}"
        ) from None


_ELSEWHERE = {
    PLAIN: "CHATINBOX_KEYHOLDER_URL names a keyholder, and the root key still lies open in {}. Move it there:"
    " bin/chatinbox keys move keyholder; or unset CHATINBOX_KEYHOLDER_URL.",
    WRAPPED: "The root key in {} is wrapped by a keyholder, and nothing says which. Set CHATINBOX_KEYHOLDER_URL, and how"
    " one signs in there.",
}


def write(path: Path, kept: bytes) -> None:
    """Writes it for good, unless something stands there: of two first starts at once, one makes the key for both."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # of two containers on one folder, each is process 1
    fresh = path.with_name(f".{path.name}.new-{os.urandom(8).hex()}")
    with disk.open_private(fresh, "wb") as file:
        file.write(kept)
        disk.keep(file)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    disk.keep_names(path.parent)


def destroy(path: Path) -> None:
    """Overwrites a kept key where it stands, and removes it. What a disk or file system keeps beside is not reached."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(os.urandom(size))
        disk.keep(file)
    path.unlink()
    disk.keep_names(path.parent)
