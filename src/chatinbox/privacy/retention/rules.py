"""Rules: made by who may erase, followed from the next day on. Until then a rule can be taken back, and nothing was erased."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.retention.due import Asked

BEGINS_AFTER = timedelta(days=1)
MOST_RULES = 50
COUNTED = {"silence": "after the last words", "age": "after it began"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One of them, with how its last run went. `begins_at` is from when it is followed."""

    id: UUID
    asked: Asked
    staff_user_id: UUID
    made_at: datetime
    begins_at: datetime
    ran_at: datetime | None
    conversation_count: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """That a rule was followed: when, and how much was given to be erased. `kept_count`: held or set aside."""

    rule_id: UUID
    at: datetime
    conversation_count: int
    customer_count: int
    kept_count: int


async def make_rule(inst: Installation, by: Staff, asked: Asked) -> UUID:
    """Makes a rule; its id. Raises not-permitted, not-found for a channel or tag that is not theirs, and sentences."""
    may_rule(by)
    if asked.counted not in COUNTED or not 1 <= asked.days <= 36_500:
        raise Refused(422, "Give a number of days, from 1 to 36,500.", "days")
    if len(await list_rules(inst, by)) >= MOST_RULES:
        raise Refused(409, f"There are {MOST_RULES} rules already. End one first.", "many")
    key, rule_id, at = await inst.vault.account_key(by.account_id), new_id(), now()
    try:
        await inst.db.run(
            by.account_id,
            (
                "insert into retention_rule (account_id, id, counted, days, channel_id, tag_id, staff_user_id, made_at, begins_at)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [by.account_id, rule_id, asked.counted, asked.days, asked.channel_id, asked.tag_id, by.staff_user_id, at,
                 at + BEGINS_AFTER],
            ),
            noted(key, by, "retention.made", after=f"{asked.days} days {COUNTED[asked.counted]}"),
        )  # fmt: skip
    except ForeignKeyViolation:
        raise not_found() from None
    return rule_id


async def end_rule(inst: Installation, by: Staff, rule_id: UUID) -> bool:
    """Ends a rule; whether it was never followed, so that nothing was erased by it. Raises not-found."""
    may_rule(by)
    key, at = await inst.vault.account_key(by.account_id), now()
    gone, ended = await inst.db.run(
        by.account_id,
        (
            "delete from retention_rule r where r.account_id = %s and r.id = %s and r.ended_at is null and not exists"
            " (select from retention_run x where x.account_id = r.account_id and x.rule_id = r.id) returning days, counted",
            [by.account_id, rule_id],
        ),
        (
            "update retention_rule set ended_at = %s, ended_by = %s where account_id = %s and id = %s and ended_at is null"
            " returning days, counted",
            [at, by.staff_user_id, by.account_id, rule_id],
        ),
    )
    if not gone and not ended:
        raise not_found()
    days, counted = (gone or ended)[0]
    await inst.db.run(
        by.account_id, noted(key, by, "retention.ended", before=f"{days} days {COUNTED[counted]}")
    )
    return bool(gone)


async def list_rules(inst: Installation, by: Staff) -> list[Rule]:
    """The rules that hold, the oldest first."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select r.id, r.counted, r.days, r.channel_id, r.tag_id, r.staff_user_id, r.made_at, r.begins_at, x.at, x.conversation_count"
            " from retention_rule r left join lateral (select at, conversation_count from retention_run x"
            "  where x.account_id = r.account_id and x.rule_id = r.id order by at desc limit 1) x on true"
            " where r.account_id = %s and r.ended_at is null order by r.made_at",
            [by.account_id],
        ),
    )
    return [
        Rule(rule_id, Asked(counted, days, channel_id, tag_id), *rest)
        for rule_id, counted, days, channel_id, tag_id, *rest in rows
    ]


async def list_runs(inst: Installation, by: Staff) -> list[Run]:
    """The last sixty runs, the newest first."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select rule_id, at, conversation_count, customer_count, kept_count from retention_run where account_id = %s"
            " order by at desc limit 60",
            [by.account_id],
        ),
    )
    return [Run(*row) for row in rows]


def may_rule(by: Staff) -> None:
    """Raises unless they may erase, and see every channel: a rule does not look at what its maker sees."""
    by.need("erase")
    if by.kept_out:
        raise Refused(
            409, "You do not see every channel of this account. Ask somebody who sees all of them.", "team"
        )
