"""Hold again: after an older copy was put back, what was held before is held as long as was said last, and nothing else."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.destroyed import HELD, HOLD_ENDED, Line, begun
from chatinbox.core.installation import Installation
from chatinbox.privacy import put_back

_HOLD = """
insert into hold (account_id, id, customer_id, conversation_id, ground, words_sealed, at, said_at, until_at)
select %(account)s, %(id)s, c.id, %(conversation)s::uuid, %(ground)s, %(words)s, %(at)s, %(at)s, %(until)s from customer c
 where c.account_id = %(account)s and c.id = %(customer)s and (%(conversation)s::uuid is null or exists (
    select from conversation t where t.account_id = %(account)s and t.id = %(conversation)s))
on conflict (account_id, id) do update set said_at = excluded.said_at, until_at = excluded.until_at
 where hold.ended_at is null and hold.until_at <> excluded.until_at
returning 1"""


async def hold_again(inst: Installation, account_id: UUID, lines: Iterable[Line]) -> int:
    """Holds and lets go in one account as its lines say; how much. What the copy does not know stays unknown."""
    stand, over = begun(lines, HELD, HOLD_ENDED)
    [ended] = await inst.db.run(
        account_id,
        (
            "update hold set ended_at = %s where account_id = %s and id = any(%s) and ended_at is null returning 1",
            [now(), account_id, over],
        ),
    )
    count = len(ended)
    keys = inst.vault.known_customer_keys(account_id, {UUID(hex=one.more[0]) for one in stand})
    for one in stand:
        customer, talk, until = one.more
        if key := keys.get(UUID(hex=customer)):
            asked = {
                "account": account_id,
                "id": one.subject_id,
                "customer": UUID(hex=customer),
                "conversation": None if talk == "-" else UUID(hex=talk),
                "ground": put_back.GROUND,
                "words": key.seal(put_back.WORDS, account_id, "hold", "words", one.subject_id),
                "at": one.at,
                "until": datetime.fromisoformat(until),
            }
            count += len((await inst.db.run(account_id, (_HOLD, asked)))[0])
    return count
