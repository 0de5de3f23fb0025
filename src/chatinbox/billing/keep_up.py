"""Keep up: one round for one account. What is open is told, the provider is asked, seats are compared, access follows.

Done after anything that may have changed something, and on a clock; done twice, it changes nothing.
"""

from datetime import timedelta
from uuid import UUID

from chatinbox.accounts.unpaid import clear_unpaid, set_unpaid
from chatinbox.billing.letters import tell_past_due, tell_read_only
from chatinbox.billing.plans import is_on, plan_of
from chatinbox.billing.refresh import refresh
from chatinbox.billing.row import count_seats, read_billing
from chatinbox.billing.seats import note_change, tell_changes
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids

STALE = timedelta(hours=6)
EVENTS_KEPT = timedelta(days=90)


async def keep_up(inst: Installation, account_id: UUID) -> None:
    """One round. Raises what the provider's library raises; the job tries again."""
    if not is_on(inst.settings):
        return
    before = await read_billing(inst, account_id)
    await tell_changes(inst, account_id)
    await refresh(inst, account_id)
    if await note_change(inst, account_id):
        await tell_changes(inst, account_id)
        await refresh(inst, account_id)
    await follow(inst, account_id)
    after = await read_billing(inst, account_id)
    stands = after.stands(plan_of(inst.settings), now())
    if before.overdue_at is None and stands.state == "past_due" and stands.until:
        await tell_past_due(inst, account_id, stands.until)


async def follow(inst: Installation, account_id: UUID) -> None:
    """Lets access follow from what is known here; asks nobody. Owners hear of it when the account becomes read-only."""
    stands = (await read_billing(inst, account_id)).stands(plan_of(inst.settings), now())
    if stands.state == "read_only":
        if await set_unpaid(inst, account_id):
            await tell_read_only(inst, account_id)
    else:
        await clear_unpaid(inst, account_id)


async def ask_later(inst: Installation, account_id: UUID) -> None:
    """Asks for a round; one that waits already is enough."""
    if is_on(inst.settings):
        await inst.jobs.later("billing", job_ids(account_id=account_id), once=f"billing {account_id}")


async def on_the_clock(inst: Installation, account_id: UUID) -> None:
    """What time alone changes: trials and patience end, seats that nobody told us of, messages that got lost."""
    if not is_on(inst.settings):
        return
    known = await read_billing(inst, account_id)
    await follow(inst, account_id)
    seats, _ = await count_seats(inst, account_id)
    stale = known.customer is not None and (known.seen_at is None or known.seen_at < now() - STALE)
    if stale or (known.is_live and known.seats != max(1, seats)):
        await ask_later(inst, account_id)
    old = "delete from billing_event where account_id = %s and at < %s"
    await inst.db.run(account_id, (old, [account_id, now() - EVENTS_KEPT]))
