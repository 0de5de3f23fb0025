"""Says, in the transaction that does it, that who works in an account became another: rooms above may want to count."""

from uuid import UUID

from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id


def staff_changed(account_id: UUID) -> Statement:
    """The outbox row for somebody who joined, left, came back or got another role."""
    text = "insert into work.outbox (account_id, event_id, kind) values (%s, %s, 'staff.changed')"
    return text, [account_id, new_id()]
