"""The libraries of others that this runs on: whether they are those of the list, and how old the list is. Nobody is asked.

`requirements/made_on` says on which day `requirements/run.txt` was made, and of which bytes that is true.
"""

import re
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.version import Version

from chatinbox.core.settings import CLONE

OLD_AFTER = timedelta(days=180)
LIST, MADE_ON = CLONE / "requirements" / "run.txt", CLONE / "requirements" / "made_on"
_LINE = re.compile(r"^([A-Za-z\d][\w.-]*)==([^\s\\;]+)", re.MULTILINE)


def behind(listed: Path = LIST) -> list[str]:
    """The libraries that are installed in an older version than the list has, each as `name 1.0 (the list has 1.1)`."""
    found = []
    for name, wanted in _LINE.findall(listed.read_text()):
        try:
            here = version(name)
        except PackageNotFoundError:
            continue  # not for this system; what is needed and missing would not have got this far
        if Version(here) < Version(wanted):
            found.append(f"{name} {here} (the list has {wanted})")
    return found


def made_on(said: Path = MADE_ON) -> date:
    """The day on which the list was made."""
    return date.fromisoformat(said.read_text().split()[0])
