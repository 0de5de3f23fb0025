"""Announcements: what the website and every account say before something else is collected, kept or passed on (C71).

One file each, `1.json` and on, with all that is collected as it then stood, each sealed to the one before. What one of
them brings begins on its day: a recipient gets nothing before, an entry is not written into a browser.
`python -m chatinbox.privacy.announce` writes them.
"""

import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec

from chatinbox.privacy.collected import Collected

HERE = Path(__file__).parent


class Announcement(msgspec.Struct, frozen=True):
    """One announcement, with the release that brings it. The first is the beginning, and says nothing is new."""

    number: int
    release: str
    announced_at: datetime
    effective_at: datetime
    title: str
    words: str
    previous: str
    collected: Collected


class Broken(Exception):
    """An announcement is not what it was when a later one was made, or would hold before it was made."""


def file_of(number: int, folder: Path = HERE) -> Path:
    """Where an announcement is kept."""
    return folder / f"{number}.json"


def seal_of(number: int, folder: Path = HERE) -> str:
    """SHA-256 over an announcement's bytes, in which the seal of the one before stands."""
    return hashlib.sha256(file_of(number, folder).read_bytes()).hexdigest()


@cache
def read(folder: Path = HERE) -> tuple[Announcement, ...]:
    """Every announcement, the first one first. Raises Broken."""
    found: list[Announcement] = []
    while (file := file_of(len(found) + 1, folder)).exists():
        one = msgspec.json.decode(file.read_bytes(), type=Announcement)
        before = seal_of(len(found), folder) if found else ""
        if one.number != len(found) + 1 or one.previous != before:
            raise Broken(f"announcement {len(found) + 1} does not follow the one before")
        if found and one.effective_at <= one.announced_at:
            raise Broken(f"announcement {one.number} would hold before anybody could read it")
        found.append(one)
    return tuple(found)


@cache
def begins(item: str, folder: Path = HERE) -> datetime | None:
    """From when something named as in `Collected.items` is allowed: the day of the first announcement with it, or never."""
    return next((one.effective_at for one in read(folder) if item in one.collected.items()), None)


def has_begun(item: str, at: datetime, folder: Path = HERE) -> bool:
    """Whether it may be done at that time."""
    begun = begins(item, folder)
    return begun is not None and begun <= at


def coming(at: datetime, folder: Path = HERE) -> list[Announcement]:
    """Those that were made and whose day has not come."""
    return [one for one in read(folder)[1:] if one.announced_at <= at < one.effective_at]
