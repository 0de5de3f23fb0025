"""When this program last made a copy of the installation: a time in a file of the data folder, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

NAME = "copied"


def note_copy(data: Path, at: datetime) -> None:
    """Keeps when both copies were whole. Readable for whichever user serves: who makes copies may be another one."""
    fresh = data / f".{NAME}.new"
    fresh.unlink(missing_ok=True)
    with fresh.open("x") as file:
        file.write(at.astimezone(UTC).isoformat(timespec="seconds") + "\n")
    fresh.chmod(0o644)
    fresh.rename(data / NAME)


def last_copy(data: Path) -> datetime | None:
    """When; None where none was made here, or what stands there is no time."""
    try:
        at = datetime.fromisoformat((data / NAME).read_text().strip())
    except (OSError, ValueError):
        return None
    return at if at.tzinfo else None
