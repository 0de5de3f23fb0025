"""Mails of public collections, when they are on this machine; nothing of them is part of the project."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CHATINBOX_CORPORA") or Path(__file__).parents[6] / "shared" / "corpora")


def corpus(pattern: str) -> list[Path]:
    """The files of a collection, or a loud skip."""
    found = sorted(FOLDER.glob(pattern))
    if not found:
        pytest.skip(
            f"NOT TESTED: the mail collection {pattern} is not on this machine (CHATINBOX_CORPORA names its folder)"
        )
    return found
