"""What the desk does on a clock: an order's secrecy that ended is told, and a review that is late is told to the operator."""

from uuid import UUID

import structlog

from chatinbox.core.glass import ask_as_operator
from chatinbox.core.installation import Installation
from chatinbox.privacy.desk import cases, told

log = structlog.get_logger()


async def tell_what_was_secret(inst: Installation) -> int:
    """Tells each account of the orders that may be told since, and of what two people checked or one released in a danger when
    the letter did not leave with it; how many it told.
    """
    due = [
        one
        for one in await cases.read_cases(inst)
        if not one.told_at
        and not one.is_secret
        and (one.gag_until or one.second_by or (one.kind == "safety" and one.released_at))
    ]
    return sum([await cases.tell(inst, one) for one in due])


async def warn_of_late_reviews(inst: Installation, operator_account_id: UUID | None) -> int:
    """Tells the operator's owners how many reviews are late; how many."""
    [[count]] = await ask_as_operator(inst, None, "select desk.late_reviews()")
    if count:
        log.error("desk_review_late", count=count)
        if operator_account_id:
            await told.of_late_reviews(inst, operator_account_id, count)
    return int(count)
