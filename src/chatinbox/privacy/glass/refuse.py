"""Somebody of the operator was refused: the account sees it, its ledger says so, and its owners hear of it, once a day at most."""

from uuid import UUID

import structlog
from psycopg import errors

from chatinbox.accounts.access import record_operator
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.glass import tell

log = structlog.get_logger()


async def refused(inst: Installation, account_id: UUID, grant_id: UUID, by: UUID) -> None:
    """Notes it where it was tried. However often somebody tries: a line, a row of the ledger and a letter a day. What an order
    hides is shown with it, and nothing before.
    """
    refusal_id = new_id()
    try:
        asked = [refusal_id, grant_id, by]
        [[is_first, is_told]] = await ask_as_operator(
            inst, account_id, "select is_first, is_told from desk.refused(%s, %s, %s)", asked
        )
    except errors.ForeignKeyViolation:  # there is no such account
        return
    log.error("operator_refused", account_id=str(account_id), person_id=str(by))
    if is_first:
        await record_operator(inst, account_id, refusal_id, "refused")
    if is_told:
        await tell.refused(inst, account_id)
