"""What the running system can show of its promises without showing anybody's data; and what none of it proves (C14, C52a)."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.egress import REGISTER
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.privacy import attacks, limits, proof, subprocessors
from chatinbox.watch.evidence import Evidence, read_evidence
from chatinbox.web.site.ending import clock, undone_days
from chatinbox.web.site.facts import Fact, State
from chatinbox.web.site.frame import Link, site_page

KEPT = "public, max-age=60"


async def get_trust(inst: Installation, request: Request) -> Response:
    """The evidence, looked at within the last minute."""
    at, facts = await request.app.state.looks.at(_find, inst)
    broken = any(one.state == "broken" for one in facts)
    return site_page(inst, request, "site/trust", at=at, facts=facts, broken=broken, kept=KEPT)


async def _find(inst: Installation) -> list[Fact]:
    log = await read_evidence(inst.behind, inst.vault)
    return [
        _age(log),
        _destroyed(log),
        _readers(log),
        _readings(log),
        _receivers(inst),
        clock(),
        _proof(inst),
    ]


def _age(log: Evidence) -> Fact:
    name = said("Oldest entry of the security log")
    if log.oldest is None and log.oldest_key is None:
        return Fact(name, "holds", "None yet", "Nothing has been noted so far.")
    days = said("%(count)s days", count=log.age.days)
    if log.is_young:
        seen = said(
            "Begun %(count)s days ago at most; sixty are never reached. Days that are kept now: %(kept)s.",
            count=log.age.days,
            kept=log.day_count,
        )
        return Fact(name, "holds", days, seen)
    return Fact(name, "broken", days, "Older than promised. It should have been destroyed.")


def _destroyed(log: Evidence) -> Fact:
    name = said("Days destroyed, with their keys")
    if fault := undone_days(name):
        return fault
    if not log.last_dropped:
        return Fact(name, "holds", "None yet", "No day has been old enough since this was counted.")
    return Fact(name, "holds", log.dropped_count, said("The last one was %(day)s.", day=log.last_dropped))


def _readers(log: Evidence) -> Fact:
    name = said("Who could read the security log")
    if log.strangers:
        found = said("Roles of the database that can, and should not: %(count)s.", count=len(log.strangers))
        return Fact(name, "broken", "Too many", found)
    return Fact(
        name,
        "holds",
        "One way",
        "Only one role, by which each reading is noted first. The one that serves you cannot.",
    )


def _readings(log: Evidence) -> Fact:
    name = said("Readings of the security log")
    if not log.last_read:
        return Fact(name, "holds", "None", "Nobody has read it so far.")
    return Fact(
        name,
        "holds",
        log.reading_count,
        said("Each was noted with who and why. The last was on %(day)s.", day=log.last_read),
    )


def _receivers(inst: Installation) -> Fact:
    companies = [one for one in subprocessors.read(inst.settings).company if "S" in one.planes]
    name = said("Given to others from the security log")
    seen = said(
        "No recipient that the program knows (%(count)s) is for it, and no reason to send it exists.",
        count=len(REGISTER),
    )
    if companies:
        return Fact(name, "broken", len(companies), "A company receives it.")
    return Fact(name, "holds", "Nothing", seen)


def _proof(inst: Installation) -> Fact:
    last, name = proof.read(inst.settings.data, inst.vault), said("Promises tried on this installation")
    if last is None:
        return Fact(name, "open", "Not yet", "They are tried after a start that is new, and once a day.")
    held = sum(one.holds for one in last.promises)
    state: State = "holds" if held == len(last.promises) else "broken"
    word = said("%(count)s of %(all)s", count=held, all=len(last.promises))
    return Fact(name, state, word, said("Last tried on %(day)s.", day=last.at))


async def get_limits(inst: Installation, request: Request) -> Response:
    """What the proofs leave open, for each part of the policy in force."""
    doc = documents.read("privacy", documents.in_force("privacy", now()).version)
    parts = [(part.title, limits.read()[part.title], part.promise) for part in doc.part]
    return site_page(inst, request, "site/limits", parts=parts)


async def get_attacks(inst: Installation, request: Request) -> Response:
    """What was tried against it, and what was not yet."""
    return site_page(inst, request, "site/attacks", attacks=attacks.read())


TO = Declared(("visitor",), ("A",))
PAGES = {
    "/trust": (get_trust, None),
    "/trust/limits": (get_limits, None),
    "/trust/attacks": (get_attacks, None),
}
LINKS = (
    Link("trust", "/trust", "What can be checked", 12),
    Link("trust", "/trust/attacks", "What was tried against it", 13),
    Link("trust", "/trust/limits", "What no proof can show", 14),
)
