"""Forget: rows older than twelve months go, the chain stays whole: a signed cut says where what is left begins."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.book import ACCESS, COLUMNS
from chatinbox.privacy.chain.heads import Head, add
from chatinbox.privacy.chain.link import link, lock

KEPT = timedelta(days=365)


async def forget_old(inst: Installation, account_id: UUID) -> int:
    """Lets go of what is older than twelve months; how many rows. Heads about them go with them, and old alerts."""
    await link(inst, ACCESS, account_id)
    before = now() - KEPT
    async with inst.db.account(account_id) as tx:
        await lock(tx, ACCESS)
        await tx.execute("delete from access_alert where account_id = %s and at < %s", [account_id, before])
        # The last row before the first that stays: numbers follow time, but for what came a few minutes late.
        found = await tx.one(
            f"select {COLUMNS} from access where account_id = %s and at < %s and number < coalesce((select min(number)"
            " from access where account_id = %s and at >= %s), 9223372036854775807) order by number desc limit 1",
            [account_id, before, account_id, before],
        )
        if not found:
            return 0
        last = ACCESS.read(found)
        upto = [account_id, last.number]
        cut = Head("cut", last.number, last.hashed(account_id), now().replace(microsecond=0))
        await add(inst.vault, ACCESS, tx, cut)
        await tx.execute(
            "delete from access_subject where account_id = %s and id in (select id from access where account_id = %s and number <= %s)",
            [account_id, *upto],
        )
        gone = await tx.execute("delete from access where account_id = %s and number <= %s", upto)
        await tx.execute(
            "delete from access_head where account_id = %s and (kind = 'head' and number <= %s or kind = 'cut' and number < %s)",
            [*upto, last.number],
        )
        return gone.rowcount


def erase_subjects(account_id: UUID, customers: Sequence[UUID]) -> Statement:
    """Takes away whom rows were about, of erased customers; the rows and their chain stay. To be sent in the transaction in
    which their own rows go, after them.
    """
    return (
        "update access_subject set nonce = null, customer_id = null, conversation_id = null, subject_id = null,"
        " row_count = null, erased_at = %s where account_id = %s and customer_id = any(%s)",
        [now(), account_id, list(customers)],
    )
