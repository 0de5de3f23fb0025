"""Announces what is new in the registers: `python -m chatinbox.privacy.announce "Title" "What changes, in plain words."`

Writes the file that the website and every account show, with all that is now collected. While its release is in the
making the same announcement is written anew. `--days` says how long people have until it holds (30).
"""

import argparse
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from chatinbox.core.clock import now
from chatinbox.core.settings import CLONE
from chatinbox.privacy import announcements
from chatinbox.privacy.announcements import Announcement
from chatinbox.privacy.collected import Collected, collected, new_in


def unannounced(folder: Path = announcements.HERE, present: Collected | None = None) -> list[str]:
    """What is collected and stands in no announcement. A release has nothing here."""
    told = announcements.read(folder)
    everything = present or collected()
    return new_in(everything, told[-1].collected) if told else sorted(everything.items())


def announce(
    title: str,
    words: str,
    days: int = 30,
    release: str = "",
    folder: Path = announcements.HERE,
    present: Collected | None = None,
) -> Announcement:
    """Writes the announcement of a release: a new one, or the same anew. Gives it back."""
    announcements.read.cache_clear()
    release = release or release_in_the_making()
    kept = [one for one in announcements.read(folder) if one.release != release]
    today = now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    one = Announcement(
        number=len(kept) + 1,
        release=release,
        announced_at=today if kept else _beginning(folder, today),
        effective_at=today + timedelta(days=days) if kept else _beginning(folder, today),
        title=title,
        words=words,
        previous=announcements.seal_of(len(kept), folder) if kept else "",
        collected=present or collected(),
    )
    file = announcements.file_of(one.number, folder)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(one), indent=1) + b"\n")
    announcements.read.cache_clear()
    announcements.begins.cache_clear()
    return one


def _beginning(folder: Path, today: datetime) -> datetime:
    """The first release holds from the day it was first written down."""
    before = announcements.read(folder)
    return before[0].announced_at if before else today


def release_in_the_making() -> str:
    """The version this source is going to be."""
    return str(tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["version"])


def main() -> None:
    """Announces, and says what was new."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("title")
    asked.add_argument("words")
    asked.add_argument("--days", type=int, default=30)
    given = asked.parse_args()
    new = unannounced()
    one = announce(given.title, given.words, given.days)
    print(*new, f"Announcement {one.number} holds from {one.effective_at:%d %B %Y}.", sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
