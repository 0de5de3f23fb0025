"""Companies that work for the operator: a register the operator keeps, with notice before a new one begins (C36, C68).

The file is `subprocessors.toml` in the data folder. Without it no company works for this installation, and the page says so.
"""

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from chatinbox.accounts.regimes import EEA
from chatinbox.core.egress.recipients import REGISTER
from chatinbox.core.settings import Settings
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.said import said
from chatinbox.core.trouble import Trouble

NOTICE = timedelta(days=30)
DEMO = Path(__file__).with_name("subprocessors_demo.toml")
_HOST = re.compile(
    r"(\*(\.[\w-]+){2,}|[\w-]+(\.[\w-]+)*|[0-9a-f:]+)", re.IGNORECASE
)  # no `*` over a whole ending
Clauses = Literal["none needed", "SCC module 2", "SCC module 3"]
Plane = Literal["A", "S", "T", "U"]
PLANES: dict[str, str] = {
    "A": said("website counts"),
    "S": said("security log"),
    "T": said("account and staff data"),
    "U": said("customer data"),
}


class Company(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One company: what it does, where (ISO 3166-1 alpha-2), for which planes, by which transfer tool, since when.

    `ways` are the ways out that lead to it: `mail` (the outgoing mail server) or a named recipient, such as `stripe`.
    `hosts` are machines of its that house data, by name: `db.example.net`, or all of a domain's, `*.db.example.net`.
    """

    name: str
    purpose: str
    place: str
    country: str
    planes: list[Plane]
    transfer: Clauses
    since: date
    announced_at: date | None = None
    kind: Literal["infrastructure", "fraud", "learning"] = "infrastructure"
    ways: list[str] = []
    hosts: list[str] = []

    def is_active(self, today: date) -> bool:
        """Whether it has begun."""
        return self.since <= today


class Register(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The register: the day the installation opened, the companies, and the language that the operator wrote it in."""

    opened: date | None = None
    language: str = ENGLISH
    company: list[Company] = []


def read(settings: Settings) -> Register:
    """The register of this installation. Raises Trouble for an entry that may not be."""
    register = listed(settings)
    for company in register.company:
        _check(company, register.opened)
    return register


def listed(settings: Settings) -> Register:
    """The register as it is written, looked at by nobody yet. Raises Trouble when it cannot be read."""
    own = settings.data / "subprocessors.toml"
    file = own if own.exists() else DEMO if settings.demo else None
    if file is None:
        return Register()
    try:
        return msgspec.convert(tomllib.loads(file.read_text()), Register)
    except (ValueError, msgspec.ValidationError) as error:
        raise Trouble(f"The register of companies cannot be read: {error}.") from None


def _check(company: Company, opened: date | None) -> None:
    """Notice ran out before it began; outside the EEA there are clauses; the forbidden kinds stay empty."""
    at_the_start = opened is not None and company.since <= opened
    if not at_the_start and (company.announced_at is None or company.since < company.announced_at + NOTICE):
        raise Trouble(f"{company.name} may begin thirty days after it was announced, not earlier.")
    if company.country not in EEA and company.transfer == "none needed":
        raise Trouble(
            f"{company.name} is outside the EEA: name the module of the standard contractual clauses."
        )
    if "S" in company.planes:
        raise Trouble(f"{company.name} may not receive the security log: it goes to nobody.")
    if unknown := [one for one in company.ways if one != "mail" and one not in REGISTER]:
        raise Trouble(f"{company.name}: there is no way out named {unknown[0]}.")
    if wide := [one for one in company.hosts if not _HOST.fullmatch(one)]:
        raise Trouble(
            f"{company.name}: “{wide[0]}” is no host. Name one, such as db.example.net, or all of a domain: *.db.example.net"
        )
    if company.kind != "infrastructure":
        raise Trouble(f"{company.name}: the policy names no receiver of this kind, so there may be none.")
