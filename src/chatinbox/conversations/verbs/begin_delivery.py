"""Begin a delivery: somebody sends it now. Nothing new to see for staff, so there is no event and no ring."""

from datetime import timedelta
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Statement

LEFT_AFTER = timedelta(minutes=2)  # longer than a mail server is waited for: who began it is gone


def begin_delivery(account_id: UUID, delivery_id: UUID) -> Statement:
    """Counts the try; a row (how many tries there were before) when it is to be sent, and nobody else is at it."""
    return (
        "update delivery set state = 'sending', attempts = attempts + 1, changed_at = %s"
        " where account_id = %s and id = %s and (state = 'waiting' or state = 'sending' and changed_at < %s)"
        " returning attempts - 1",
        [now(), account_id, delivery_id, now() - LEFT_AFTER],
    )
