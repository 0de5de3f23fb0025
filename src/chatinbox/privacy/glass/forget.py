"""Words about a customer who is erased: why somebody looked, what a permission was for. The record stays, with who and when."""

from collections.abc import Sequence
from uuid import UUID

import psycopg

from chatinbox.core.installation import Installation

INSTEAD = "Erased with the customer it was about."
_SAYS = (("operator_grant", "reason"), ("permission", "purpose"))
_ABOUT = (
    "select id from tenant.{table} t where account_id = %s and (object_id = any(%s) or object_id in"
    " (select id from tenant.conversation c where c.account_id = t.account_id and c.customer_id = any(%s)))"
)


async def forget_words(inst: Installation, account_id: UUID, customers: Sequence[UUID]) -> None:
    """Takes the words of grants and permissions about customers whose erasure has begun; a permission ends with it."""
    key = await inst.vault.account_key(account_id)
    for table, column in _SAYS:
        asked = [account_id, list(customers), list(customers)]
        [rows] = await inst.db.run(account_id, (_ABOUT.format(table=table), asked))
        for (row_id,) in rows:
            sealed = key.seal(INSTEAD, account_id, table, column, row_id)
            await inst.db.run(account_id, ("select desk.forget_words(%s, %s, %s)", [table, row_id, sealed]))


async def forget_words_again(
    inst: Installation, above: psycopg.Connection, account_id: UUID, customers: Sequence[UUID]
) -> None:
    """The same for customers whom an older copy of the data brought back: no erasure of theirs is under way, which the program
    itself would need. `above` may everything.
    """
    key = await inst.vault.account_key(account_id)
    for table, column in _SAYS:
        asked = [account_id, list(customers), list(customers)]
        for (row_id,) in above.execute(_ABOUT.format(table=table).encode(), asked).fetchall():
            sealed = key.seal(INSTEAD, account_id, table, column, row_id)
            change = f"update tenant.{table} set {column}_sealed = %s where account_id = %s and id = %s"
            above.execute(change.encode(), [sealed, account_id, row_id])
