"""What tests of connected programs stand on: a program that an account connected, and what the worker does for it."""

from typing import Any

from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.integrations.connect import Asked, Connected, connect
from chatinbox.integrations.hear import hear
from chatinbox.integrations.mapping import CAUSES, EVENTS
from chatinbox.integrations.send import tell_programs
from promises.program import NO, YES, Heard, Program, listening, near

__all__ = [
    "HERS", "NO", "WORDS", "YES", "Heard", "Program", "connected", "happen", "listening", "near", "people_of", "states",
]  # fmt: skip

WORDS = "Canary words of hers"
HERS = "frida@mail.example"


async def connected(inst: Installation, by: Staff, program: Program, *fields: str, **more: Any) -> Connected:
    """Somebody connects a program that hears of everything but notes."""
    events = more.pop("events", [one for one in EVENTS if one != "note.added"])
    return await connect(inst, by, Asked("out", "Shop", program.url, events, fields, **more))


async def happen(inst: Installation, *accounts: Staff) -> None:
    """What the worker does with everything that happened in these accounts, as far as programs are concerned."""
    ids = [one.account_id for one in accounts]
    rows = await inst.db.directory(
        "delete from work.outbox where account_id = any(%s) and kind = any(%s)"
        " returning account_id, event_id, kind, conversation_id, subject_id",
        [ids, list(CAUSES)],
    )
    await hear(inst, [Happened(*row) for row in sorted(rows, key=lambda row: str(row[1]))])
    for account_id in ids:
        await tell_programs(inst, account_id)


async def states(inst: Installation, by: Staff) -> list[tuple[str, str, str | None]]:
    """What it was told or is to be told: of what kind, how it stands and why."""
    ask = "select kind, state, reason from connection_delivery where account_id = %s order by id"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [(row[0], row[1], row[2]) for row in rows]


async def people_of(inst: Installation, staff: Staff) -> Staff:
    """The same staff user as they may act now."""
    found = await read_active(inst, staff.account_id, staff.staff_user_id, staff.person_id)
    assert found
    return found
