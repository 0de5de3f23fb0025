"""Tell of an erasure: programs that were told of a customer hear that they are to erase them as well (GDPR Art. 19)."""

from collections.abc import Sequence
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.integrations.hear import ask
from chatinbox.integrations.mapping import ERASED

_KNOW = (
    "select connection_id, customer_id from connection_knows where account_id = %s and customer_id = any(%s)"
)
_TELL = """
with known as (delete from connection_knows where account_id = %s and connection_id = %s and customer_id = %s returning 1)
insert into connection_delivery (account_id, id, connection_id, event_id, kind, customer_id, at, state, due_at, changed_at)
select %s, %s, %s, %s, %s, %s, %s, 'waiting', %s, %s from known"""


async def tell_erased(inst: Installation, account_id: UUID, customer_ids: Sequence[UUID]) -> None:
    """Takes away what else was to be told of them, and has each program that knows them told that they are erased.

    Doing it again tells nobody twice. A program whose connection ended cannot be told: its secret is gone.
    """
    theirs = [account_id, list(customer_ids)]
    [rows] = await inst.db.run(account_id, (_KNOW, theirs))
    at = now()
    batch: list[Statement] = [
        (
            "delete from connection_delivery where account_id = %s and customer_id = any(%s) and kind <> %s",
            [*theirs, ERASED],
        )
    ]
    batch += [
        (
            _TELL,
            [account_id, connection_id, customer_id, account_id, new_id(), connection_id, new_id(), ERASED,
             customer_id, at, at, at],
        )
        for connection_id, customer_id in rows
    ]  # fmt: skip
    await inst.db.run(account_id, *batch)
    if rows:
        await ask(inst, account_id)
