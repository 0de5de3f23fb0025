"""Opening an installation so that nothing leaves it that may not; and what a start looks at before anybody is answered."""

from functools import partial

import structlog

from chatinbox.accounts import documents
from chatinbox.accounts.documents import kept
from chatinbox.core.clock import now
from chatinbox.core.egress import REGISTER
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import announcements, purposes, subprocessors, transfer
from chatinbox.watch import relay

log = structlog.get_logger()


async def open_installation(settings: Settings, admin_dsn: str) -> Installation:
    """The way every command opens it, for each may send: no named recipient gets anything before its day, and places are
    compared before data of an account leaves; and each may work, so every statement of work is looked at. Raises Trouble for
    a recipient that nobody announced.
    """
    inst = await Installation.open(settings, admin_dsn)
    try:
        for name in REGISTER:
            begin_as_announced(inst, name)
        inst.egress.guarded_by(partial(transfer.why_withheld, inst))
        await purposes.declare(inst.db)
    except BaseException:
        await inst.close()
        raise
    return inst


async def look_before(inst: Installation) -> None:
    """Looks whether published documents are what they were, and what should be mended. Raises Trouble for what stops the
    start.
    """
    await kept.compare(inst)
    await _announced_before(inst)
    if inst.settings.stripe_secret_key and not transfer.is_placed(inst, "stripe"):
        # Payments of European accounts are withheld until the company stands in subprocessors.toml: better read at a start than
        # by a customer.
        log.warning("place_not_named", name="stripe")
    check_relay(inst.settings)
    await relay.declare(inst.db, inst.settings)


def begin_as_announced(inst: Installation, name: str) -> None:
    """A named recipient gets nothing before the day that was announced for it, and one nobody announced stops the start."""
    at = announcements.begins(f"recipient {name}")
    if at is None:
        raise Trouble(f"This source names {name} as a recipient and announces it nowhere. Install a release.")
    inst.egress.begin(name, at)


async def _announced_before(inst: Installation) -> None:
    """Announcements of releases that are done are kept like documents; the newest may still be in the making."""
    for one in announcements.read()[:-1]:
        await kept.keep(inst, "announcement", one.number, announcements.seal_of(one.number))


def check_relay(settings: Settings) -> None:
    """Counts go to a company only when the policy in force names it and the register of companies has it. Raises Trouble."""
    if not relay.is_on(settings):
        return
    policy = documents.read("privacy", documents.in_force("privacy", now()).version)
    named = [one for one in policy.promises() if "C10" in one.clauses and "Google" in one.text]
    listed = [
        one
        for one in subprocessors.listed(settings).company
        if relay.RECIPIENT in one.ways and "A" in one.planes and one.is_active(now().date())
    ]
    if not named or len(listed) != 1:
        raise Trouble(
            "CHATINBOX_ANALYTICS is on, but the register of companies (subprocessors.toml) has no company at work with"
            ' the plane "A" and the way "google_analytics". Write it there first: visitors read it on the website.'
        )
