"""What a start looks at before anybody is answered: that published documents are what they were, and what may begin when."""

from functools import partial

from chatinbox.accounts.documents import kept
from chatinbox.core.egress import REGISTER
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import announcements, transfer


async def look_before(inst: Installation) -> None:
    """Looks. Raises Trouble for what stops the start."""
    await kept.compare(inst)
    await _announced_before(inst)
    for name in REGISTER:
        begin_as_announced(inst, name)
    inst.egress.guarded_by(partial(transfer.why_withheld, inst))


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
