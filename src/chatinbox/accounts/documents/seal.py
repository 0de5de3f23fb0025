"""Prints the lines for `versions.toml` that publish a new file: `python -m chatinbox.accounts.documents.seal privacy`."""

import hashlib
import sys
from datetime import UTC, datetime, timedelta

from chatinbox.accounts.documents import HERE, KINDS, versions

NOTICE = timedelta(days=30)


def lines(kind: str) -> str:
    """The lines for the file that follows the last published version, announced today and in force after the notice."""
    [known] = [one for one in KINDS if one == kind]
    last = versions(known)[-1]
    raw = (HERE / known / f"{last.version + 1}.toml").read_bytes()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        f"[[{known}]]\nversion = {last.version + 1}\nannounced_at = {today:%Y-%m-%dT%H:%M:%SZ}\n"
        f'effective_at = {today + NOTICE:%Y-%m-%dT%H:%M:%SZ}\nchanged = "Say here what changed."\n'
        f'sha256 = "{hashlib.sha256(raw).hexdigest()}"\nprevious = "{last.seal}"\n'
    )


if __name__ == "__main__":
    print(lines(sys.argv[1]))  # noqa: T201
