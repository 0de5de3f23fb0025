"""Run: each rule is followed once a day. What is due is given to the erasing of customers, the one engine there is."""

from uuid import UUID

import structlog

from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.sure import may_destroy
from chatinbox.privacy.retention.due import Asked, Due, count_kept, read_due

log = structlog.get_logger()
AT_ONCE = 200  # customers
_ASK = """
insert into erasure (account_id, id, customer_id, staff_user_id, asked_at, due_at, conversations, rule_id)
select %(account)s, %(id)s, %(customer)s, r.staff_user_id, %(at)s, %(at)s, %(only)s, r.id
  from retention_rule r where r.account_id = %(account)s and r.id = %(rule)s and r.ended_at is null
on conflict do nothing returning 1"""


async def run_rules(inst: Installation, account_id: UUID) -> int:
    """Follows every rule that has begun; how many conversations were given to be erased. A closed account's rest as it is, and so
    does everybody's while the clock is in doubt.
    """
    if not may_destroy("retention rules"):
        return 0
    [rows] = await inst.db.run(
        account_id,
        (
            "select r.id, r.counted, r.days, r.channel_id, r.tag_id from retention_rule r join account a on a.account_id = r.account_id"
            " where r.account_id = %s and r.ended_at is null and r.begins_at <= %s and a.closed_at is null order by r.made_at",
            [account_id, now()],
        ),
    )
    return sum([await _follow(inst, account_id, row[0], Asked(*row[1:])) for row in rows])


async def _follow(inst: Installation, account_id: UUID, rule_id: UUID, asked: Asked) -> int:
    """One rule; how many conversations."""
    conversations = customers = 0
    while due := await read_due(inst, account_id, asked, AT_ONCE):
        given = await _give(inst, account_id, rule_id, due)
        conversations += sum(len(one.conversations) for one in given)
        customers += sum(one.is_all for one in given)
        if not given:  # somebody else was faster with all of them, or the rule was ended meanwhile
            break
    kept = await count_kept(inst, account_id, asked)
    await inst.db.run(
        account_id,
        (
            "insert into retention_run (account_id, id, rule_id, at, conversation_count, customer_count, kept_count)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [account_id, new_id(), rule_id, now(), conversations, customers, kept],
        ),
    )
    log.info("retention_followed", account_id=str(account_id), count=conversations)
    return conversations


async def _give(inst: Installation, account_id: UUID, rule_id: UUID, due: list[Due]) -> list[Due]:
    """Has what is due erased; of whom it was not being erased already."""
    at, ids = now(), [new_id() for _ in due]
    told = await inst.db.run(
        account_id,
        *(
            (
                _ASK,
                {
                    "account": account_id,
                    "id": row_id,
                    "customer": one.customer_id,
                    "at": at,
                    "only": one.conversations,
                    "rule": rule_id,
                },
            )
            for row_id, one in zip(ids, due, strict=True)
        ),
    )
    given = [(row_id, one) for row_id, one, rows in zip(ids, due, told, strict=True) if rows]
    await inst.jobs.later_all(
        "erase",
        {f"erase {row_id}": job_ids(account_id=account_id, erasure_id=row_id) for row_id, _ in given},
    )
    return [one for _, one in given]
