"""What could be checked about a letter's sender (C27), in a closed list of words."""

from typing import Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["vouched", "nobody", "denied", "unchecked"]
"""`vouched`: the domain it says it is from stands behind it. `denied`: that domain says it is not its letter."""
TRUSTED: tuple[Verdict, ...] = ("vouched", "unchecked")
"""What is believed to come from whom it says."""
Spf: TypeAlias = Literal["pass", "fail", "softfail", "neutral", "none", "error", "unknown"]
"""`error`: the record cannot be read (permerror). `unknown`: nobody answered (temperror)."""
Dkim: TypeAlias = Literal["pass", "fail", "none", "unknown"]
Dmarc: TypeAlias = Literal["pass", "fail", "quarantine", "reject", "none", "unknown"]
"""`quarantine`, `reject`: it failed, and that is what its domain wants done with such letters."""


class Checked(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One letter's checks. `domain` vouched for it; `told_by` when a mail server in front of us found it out, not we.
    `forwarded` when a colleague passed it on: then nothing is known of its first sender."""

    spf: Spf = "unknown"
    dkim: Dkim = "unknown"
    dmarc: Dmarc = "unknown"
    arc: Dkim = "unknown"
    domain: str | None = None
    told_by: str | None = None
    forwarded: bool = False


def verdict_of(checked: Checked | None) -> Verdict:
    """All of it in one word."""
    if checked is None:
        return "unchecked"
    if checked.domain:
        return "vouched"
    if checked.dmarc in ("quarantine", "reject"):
        return "denied"
    return "unchecked" if checked.dmarc == "unknown" else "nobody"


def sentence_of(checked: Checked | None) -> str:
    """The same for a reader."""
    verdict = verdict_of(checked)
    if checked is None or verdict == "unchecked":
        return "Who sent this could not be checked."
    if checked.forwarded:
        return "A colleague forwarded this. Nobody vouched for who wrote it."
    found = f", as {checked.told_by} found" if checked.told_by else ""
    if verdict == "vouched":
        by = [name for name, word in _ways(checked) if word == "pass"]
        return f"{checked.domain} vouched for this sender ({', '.join(by)}){found}."
    if verdict == "denied":
        return f"This does not come from where it says{found}."
    return f"Nobody vouched for this sender{found}."


def _ways(checked: Checked) -> list[tuple[str, str]]:
    return [("SPF", checked.spf), ("DKIM", checked.dkim), ("DMARC", checked.dmarc)]
