"""Again: after an older copy was put back, set aside is who was so before, and nobody else."""

from collections.abc import Iterable
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.destroyed import ASIDE, TAKEN_UP, Line, begun
from chatinbox.core.installation import Installation
from chatinbox.privacy import put_back
from chatinbox.privacy.restriction.restrict import mark


async def restrict_again(inst: Installation, account_id: UUID, lines: Iterable[Line]) -> int:
    """Sets aside and takes up in one account as its lines say; how many. Whom the copy does not know stays unknown."""
    stand, over = begun(lines, ASIDE, TAKEN_UP)
    [ended] = await inst.db.run(
        account_id,
        (
            "update restriction set ended_at = %s where account_id = %s and id = any(%s) and ended_at is null returning customer_id",
            [now(), account_id, over],
        ),
    )
    for (customer_id,) in ended:
        await inst.db.run(account_id, mark(account_id, customer_id, None))
    count = len(ended)
    keys = inst.vault.known_customer_keys(account_id, {UUID(hex=one.more[0]) for one in stand})
    for one in stand:
        customer_id = UUID(hex=one.more[0])
        if customer_id not in keys:
            continue
        sealed = keys[customer_id].seal(put_back.WORDS, account_id, "restriction", "words", one.subject_id)
        [added] = await inst.db.run(
            account_id,
            (
                "insert into restriction (account_id, id, customer_id, ground, words_sealed, at)"
                " select %s, %s, id, %s, %s, %s from customer where account_id = %s and id = %s"
                " on conflict do nothing returning 1",
                [account_id, one.subject_id, put_back.GROUND, sealed, one.at, account_id, customer_id],
            ),
        )
        if added:
            await inst.db.run(account_id, mark(account_id, customer_id, one.at))
            count += 1
    return count
