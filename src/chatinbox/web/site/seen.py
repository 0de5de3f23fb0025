"""What the running system shows beside its promises: ages, counts and the last restore. In English, as the page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import get_args

from chatinbox.core.clock import now
from chatinbox.core.copied import last_put_back
from chatinbox.core.egress.recipients import Basis
from chatinbox.core.installation import Installation
from chatinbox.privacy import evidence
from chatinbox.privacy.evidence import LEAST, Kind, Number
from chatinbox.watch.evidence import read_evidence
from chatinbox.web.site.facts import Fact

LONG = timedelta(days=92)
REASONS: dict[Basis, str] = {
    "permission": "by a permission that was given (4.4)",
    "service": "as a service that was asked for: answers, letters, links to sign in",
    "integration": "to programs that an account connected",
    "subprocessor": "to companies that work for us",
    "law": "by an order of the law (4.6)",
    "rights": "for rights, property or safety (4.7)",
    "fraud": "against fraud (4.10)",
}


async def look(inst: Installation) -> list[Fact]:
    """Kept for a minute, as the facts of other pages."""
    numbers = await evidence.read(inst)
    return [await _log(inst), _opened(numbers), *_left(numbers), _restore(inst)]


async def _log(inst: Installation) -> Fact:
    name, log = "Oldest row of the security log", await read_evidence(inst.behind, inst.vault)
    if log.oldest is None and log.oldest_key is None:
        return Fact(name, "holds", "None yet", "Nothing has been noted so far.")
    days = f"{log.age.days} {'day' if log.age.days == 1 else 'days'}"
    if log.is_young:
        return Fact(name, "holds", days, "At most; sixty are never reached.")
    return Fact(name, "broken", days, "Older than promised. It should have been destroyed.")


def _opened(numbers: dict[Kind, Number]) -> Fact:
    name, found = "Accesses of the operator that are open now", numbers.get("open")
    if found is None:
        return Fact(name, "open", "Not counted yet", "It is counted every ten minutes.")
    each = "Each account sees its own, with who, why and what was read. What an order keeps secret is counted from the day it is no more."
    return Fact(name, "holds", _figure(found), f"At {found.at:%H:%M} UTC on {found.at:%-d %B %Y}. {each}")


def _left(numbers: dict[Kind, Number]) -> Iterator[Fact]:
    for basis in get_args(Basis):
        name, found = f"Left: {REASONS[basis]}", numbers.get(basis)
        if found is None:
            yield Fact(name, "open", "Not counted yet", "It is counted once a day.")
        else:
            yield Fact(name, "holds", _figure(found), f"In the twelve months before {found.until:%-d %B %Y}.")


def _figure(found: Number) -> str:
    if found.shown is None:
        return "Too few to show"
    return f"{found.shown:,} or more" if found.shown >= LEAST else "None"


def _restore(inst: Installation) -> Fact:
    name, last = "Last restore that was tried and passed", last_put_back(inst.settings.data)
    if last is None:
        return Fact(
            name, "open", "None yet", "No copy was put back here so far, so nobody has seen that it can be."
        )
    words = f"The copy of {last.of:%-d %B %Y} was put back, and every account in it opened."
    day = f"{last.at:%-d %B %Y}"
    if last.at < now() - LONG:
        return Fact(name, "open", day, f"{words} That is long ago.")
    return Fact(name, "holds", day, words)
