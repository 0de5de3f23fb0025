"""Where data is housed: this machine, the data folder, the database; each at the operator's own or at a company of the register (C54).

A place is what the operator wrote down, and is compared with what the settings lead to. What is nowhere written stops the start.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from chatinbox.core.clock import now
from chatinbox.core.here import is_this_machine
from chatinbox.core.settings import Settings
from chatinbox.core.translation.said import said
from chatinbox.privacy import subprocessors
from chatinbox.privacy.subprocessors import Company

HOUSES = frozenset({"T", "U"})  # what a company that houses data receives, sealed or not
UNNAMED = "the operator"  # whose it is where they have not said their name
MOUNTS = Path("/proc/self/mountinfo")
_ELSEWHERE = ("nfs", "cifs", "smb", "ceph", "glusterfs", "lustre", "afs", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.rclone",
              "fuse.gcsfuse", "fuse.juicefs", "fuse.goofys", "fuse.blobfuse")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Housed:
    """One thing that houses data: what it is, the host it leads to ("" is this machine), and who has it there.

    `missing` is why it may not be used, as a sentence for the operator.
    """

    what: str
    host: str
    by: str
    place: str
    missing: str = ""


def housed(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Housed]:
    """Everything that houses data of this installation. Raises Trouble for a register that cannot be read."""
    companies = [one for one in subprocessors.listed(settings).company if one.is_active(now().date())]
    machine = _machine(settings, companies)
    found = [machine]
    for what, hosts in (
        (said("The database"), database_hosts(settings, environment)),
        (said("The data folder"), _folder_hosts(settings.data)),
    ):
        found += [_elsewhere(what, host, settings, companies) for host in hosts]
        if not hosts:
            found.append(Housed(what, "", machine.by, machine.place))
    holder = urlsplit(settings.keyholder_url).hostname or ""
    if holder and not is_this_machine(holder):  # it holds a key, and no data
        found.append(_elsewhere(said("The keyholder"), holder, settings, companies))
    return found


def misplaced(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What houses data and stands nowhere: a sentence each."""
    yield from (one.missing for one in housed(settings, environment) if one.missing)


def _machine(settings: Settings, companies: list[Company]) -> Housed:
    """The machine that this runs on. Where no company is said to house it, it is the operator's own."""
    if settings.hosting in ("", settings.operator_name):
        place = settings.hosting_region or settings.operator_country
        return Housed(said("This machine"), "", settings.operator_name or UNNAMED, place)
    company = next((one for one in companies if one.name == settings.hosting), None)
    missing = ""
    if company is None or not set(company.planes) >= HOUSES:
        missing = (
            f"CHATINBOX_HOSTING says that {settings.hosting} houses this machine, and the register of companies has no such"
            ' company at work with the planes "T" and "U". Write it into subprocessors.toml.'
        )
    elif settings.hosting_region not in ("", company.place):
        missing = (
            f"CHATINBOX_HOSTING_REGION is {settings.hosting_region}, and the register of companies has {company.name} in"
            f" {company.place}. One of the two is wrong."
        )
    place = settings.hosting_region or (company.place if company else "")
    return Housed(said("This machine"), "", settings.hosting, place, missing)


def _elsewhere(what: str, host: str, settings: Settings, companies: list[Company]) -> Housed:
    """Something on another machine: the operator's own by name, or a company's that says it has this host."""
    if host.casefold() in own_hosts(settings):
        return Housed(what, host, settings.operator_name or UNNAMED, settings.operator_country)
    for company in companies:
        if set(company.planes) >= HOUSES and any(
            fnmatchcase(host.casefold(), one.casefold()) for one in company.hosts
        ):
            return Housed(what, host, company.name, company.place)
    missing = (
        f"{what} is at {host}, and nothing says where that stands. Write the company that houses it into subprocessors.toml,"
        f' with the planes "T" and "U" and hosts = ["{host}"]; or, if it is a machine of your own, say CHATINBOX_OWN_HOSTS={host}'
    )
    return Housed(what, host, "", "", missing)


def own_hosts(settings: Settings) -> frozenset[str]:
    """The machines that the operator says are their own."""
    return frozenset(one.strip().casefold() for one in settings.own_hosts.split(",")) - {""}


def database_hosts(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The other machines that DATABASE_URL leads to; none for the embedded database, a socket, or this machine's own."""
    if not settings.database_url:
        return []
    try:
        parts = conninfo_to_dict(settings.database_url)
    except ProgrammingError:
        return []  # said elsewhere, and nothing is connected to
    if elsewhere := parts.get("service") or environment.get("PGSERVICE"):
        return [f"the service {elsewhere}"]  # a file of its own may name any host
    named = (
        parts.get("hostaddr")
        or parts.get("host")
        or environment.get("PGHOSTADDR")
        or environment.get("PGHOST")
    )
    return [one for one in str(named or "").split(",") if not is_this_machine(one)]


def _folder_hosts(data: Path) -> list[str]:
    """The other machine that the data folder lies on, where it is mounted from one (proc(5), mountinfo)."""
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return []  # not Linux
    folder, best, source = str(data.absolute()), "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape")
        if len(point) >= len(best) and Path(folder).is_relative_to(point):
            kind, device, *_ = after.split()
            best, source = point, device if kind.startswith(_ELSEWHERE) else ""
    host = source.removeprefix("//").split("/")[0].rsplit(":", 1)[0].rsplit("@", 1)[-1]
    return [host] if source and not is_this_machine(host) else []
