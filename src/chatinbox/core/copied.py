"""When this program last made a copy of the installation, and when one was last put back: times in files of the data folder, and
nothing else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

NAME, PUT_BACK = "copied", "restored"


@dataclass(frozen=True, slots=True)
class PutBack:
    """A copy was put back and opened: when, and of when it was."""

    at: datetime
    of: datetime


def note_copy(data: Path, at: datetime) -> None:
    """Keeps when both copies were whole."""
    _note(data, NAME, at)


def last_copy(data: Path) -> datetime | None:
    """When; None where none was made here, or what stands there is no time."""
    found = _times(data, NAME)
    return found[0] if len(found) == 1 else None


def note_put_back(data: Path, at: datetime, of: datetime) -> None:
    """Keeps that a copy was put back whole."""
    _note(data, PUT_BACK, at, of)


def last_put_back(data: Path) -> PutBack | None:
    """The last one; None where none was, or what stands there are no times."""
    found = _times(data, PUT_BACK)
    return PutBack(*found) if len(found) == 2 else None


def _note(data: Path, name: str, *times: datetime) -> None:
    """Readable for whichever user serves: who makes copies may be another one."""
    fresh = data / f".{name}.new"
    fresh.unlink(missing_ok=True)
    with fresh.open("x") as file:
        file.write(" ".join(one.astimezone(UTC).isoformat(timespec="seconds") for one in times) + "\n")
    fresh.chmod(0o644)
    fresh.rename(data / name)


def _times(data: Path, name: str) -> list[datetime]:
    try:
        found = [datetime.fromisoformat(one) for one in (data / name).read_text().split()]
    except (OSError, ValueError):
        return []
    return found if all(one.tzinfo for one in found) else []
