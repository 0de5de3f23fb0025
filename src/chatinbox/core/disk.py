"""On disk: files that nobody else opens, and what stands there still after a power cut."""

import os
from pathlib import Path
from typing import IO, Any


def open_private(path: Path, mode: str) -> IO[Any]:
    """Opens a file that nobody else may open: who can open a lock can hold it."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def keep(file: IO[Any]) -> None:
    """Has what was written into a file on disk."""
    file.flush()
    os.fsync(file.fileno())


def keep_names(folder: Path) -> None:
    """Has on disk what is in a folder under which name; else a power cut could bring an old one back."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
