"""Snooze: out of sight until a time; back to do when it comes, or earlier when the customer writes."""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import Changed, apply, apply_or_refuse, change
from chatinbox.conversations.who import in_sight
from chatinbox.core.clock import millis, now
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation


async def snooze(
    inst: Installation, by: Staff, conversation_id: UUID, until: datetime | None
) -> Changed | None:
    """Snoozes until a time that is still to come, or wakes with None. Raises not-found and bad-request."""
    by.need("arrange")
    await in_sight(inst, by, conversation_id)
    if until is not None and until <= now():
        raise bad_request("Choose a time that is still to come.", "past_time")
    statement = change(
        by.account_id,
        conversation_id,
        "snoozed" if until else "unsnoozed",
        sets="snoozed_until = %(until)s::timestamptz",
        guard="c.snoozed_until is distinct from %(until)s::timestamptz",
        staff_user_id=by.staff_user_id,
        data={"until": millis(until)} if until else {},
        until=until,
    )
    return await apply_or_refuse(inst, by.account_id, conversation_id, statement)


async def wake_due(inst: Installation, account_id: UUID) -> int:
    """Wakes what is due in one account; how many."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select id from conversation where account_id = %s and snoozed_until <= %s order by snoozed_until limit 200",
            [account_id, now()],
        ),
    )
    for (conversation_id,) in rows:
        statement = change(
            account_id,
            conversation_id,
            "unsnoozed",
            sets="snoozed_until = null, status = 'todo', last_at = %(at)s,"
            " waiting_since = coalesce(c.waiting_since, %(at)s)",
            guard="c.snoozed_until <= %(at)s",
            at=now(),
        )
        await apply(inst, account_id, conversation_id, statement)
    return len(rows)
