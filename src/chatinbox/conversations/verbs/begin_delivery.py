"""Begin a delivery: somebody sends it now. Nothing new to see for staff, so there is no event and no ring."""

from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Statement


def begin_delivery(account_id: UUID, delivery_id: UUID) -> Statement:
    """Counts the try; a row (how many tries there were before) when there is still something to send."""
    return (
        "update delivery set state = 'sending', attempts = attempts + 1, changed_at = %s"
        " where account_id = %s and id = %s and state in ('waiting', 'sending') returning attempts - 1",
        [now(), account_id, delivery_id],
    )
