"""The operator: who runs this installation, as they named themselves. Legal pages stand or fall with it."""

import re
from dataclasses import dataclass

from chatinbox.core.settings import Settings

_NOT_A_NAME = re.compile(
    r"\b(todo|tbd|xxx+|changeme|placeholder|lorem|your (company|name|address))\b|[<>{}\[\]]|\.\.\.",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True, slots=True)
class Operator:
    """Name, postal address, country (ISO 3166-1 alpha-2), addresses for letters; the register number may be empty."""

    name: str
    address: str
    country: str
    email: str
    privacy_email: str
    register: str = ""
    make_believe: bool = False


DEMO = Operator(
    "Halden Example Operations AS (make-believe)",
    "Storgata 1, 1767 Halden",
    "NO",
    "hello@operator.example",
    "privacy@operator.example",
    "not registered anywhere: this is a demo",
    True,
)


def takes_sign_ups(settings: Settings) -> bool:
    """Whether strangers may open accounts: only with an operator who stands behind what they agree to."""
    return settings.sign_up == "open" and operator_of(settings) is not None


def operator_of(settings: Settings) -> Operator | None:
    """The operator, when every part of the identity is given and none is a placeholder; the demo has a made-up one."""
    given = [
        settings.operator_name,
        settings.operator_address,
        settings.operator_country,
        settings.operator_email,
        settings.operator_privacy_email,
    ]
    if settings.demo and not any(given):
        return DEMO
    if not all(one.strip() for one in given) or any(
        map(_NOT_A_NAME.search, [*given, settings.operator_register])
    ):
        return None
    if not re.fullmatch(r"[A-Z]{2}", given[2]) or not all(_EMAIL.fullmatch(one) for one in given[3:]):
        return None
    name, address, country, email, privacy_email = given
    return Operator(name, address, country, email, privacy_email, settings.operator_register)
