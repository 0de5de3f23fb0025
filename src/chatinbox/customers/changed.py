"""Says, in the transaction that does it, that something about a customer became another: rooms above may want to tell."""

from uuid import UUID

from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id


def customer_changed(account_id: UUID, customer_id: UUID) -> Statement:
    """The outbox row for a customer who was added, renamed or completed."""
    text = "insert into work.outbox (account_id, event_id, kind, subject_id) values (%s, %s, 'customer.changed', %s)"
    return text, [account_id, new_id(), customer_id]
