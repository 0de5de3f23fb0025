"""What an installation once showed as a version stays that version: its seal is kept, and a start that finds another refuses.

A file and its line in `versions.toml` can be edited together, and then agree. What is kept here does not change with them (C70).
"""

from pathlib import Path

from chatinbox.accounts import documents
from chatinbox.accounts.documents import HERE, KINDS, TITLES, Altered, Kind
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble


async def compare(inst: Installation, folder: Path = HERE) -> None:
    """Compares every published version with what this installation kept, and keeps what is new. Raises Trouble."""
    for kind in KINDS:
        try:
            listed = documents.versions(kind, folder)
        except Altered as altered:
            raise Trouble(
                f"A published document was edited ({altered}). Put its file back as it was and publish a new version instead."
            ) from None
        for one in listed:
            await keep(inst, kind, one.version, one.seal, TITLES[kind])
        await _none_is_gone(inst, kind, len(listed))


async def keep(inst: Installation, kind: str, version: int, seal: str, title: str = "") -> None:
    """Keeps a seal under its number, or compares. Raises Trouble where another stands."""
    asked = "select seal from directory.keep_published(%s, %s, %s, %s) seal"
    [[before]] = await inst.db.directory(asked, [kind, version, seal, now()])
    if before != seal:
        raise Trouble(
            f"{title or kind.capitalize()}, version {version}, is not the text that this installation published under that"
            " number. Put the old text back; a change is a new version with its own date."
        )


async def _none_is_gone(inst: Installation, kind: Kind, count: int) -> None:
    [[last]] = await inst.db.directory("select directory.last_published(%s)", [kind])
    if last > count:
        raise Trouble(
            f"{TITLES[kind]}, version {last}, was published here and is missing in this source."
            " Install the release that has it, or a later one."
        )
