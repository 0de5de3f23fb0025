"""Send: one delivery after the other to each program, tried again for three days, then switched off with a letter.

Whether it may still go is looked at before each: a connection that was ended a moment ago gets nothing more.
"""

import asyncio
import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.vault import Erased
from chatinbox.integrations.connection import Connection, read_connection
from chatinbox.integrations.mapping import ERASED, FIELDS
from chatinbox.integrations.payload import Happening, compose, going, read_event
from chatinbox.integrations.post import Answer, post
from chatinbox.integrations.stands import who_stands
from chatinbox.integrations.switch_off import switch_off

AGAIN = "tell_programs_again"
AT_ONCE = 4
BATCH = 500
LEASE = timedelta(minutes=2)  # whoever took one and died has lost it then
HOLD = timedelta(hours=1)
PAUSE = timedelta(minutes=1)  # for the others, when one did not get through
OFF_AFTER = timedelta(days=3)
WAITS = tuple(timedelta(seconds=one) for one in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Until the next try, after the first, second, … (Standard Webhooks, "Deliverability and reliability")."""

Verdict: TypeAlias = Literal["go", "hold"] | str
_DUE = """
select id, connection_id from connection_delivery where account_id = %s and state = 'waiting' and due_at <= %s
 order by id limit %s"""
_TAKE = """
update connection_delivery set attempts = attempts + 1, due_at = %s where account_id = %s and id = %s and state = 'waiting'
   and due_at <= %s returning kind, at, event_id, conversation_id, customer_id, subject_id, attempts"""
_SEEN = """
select 1 from conversation where account_id = %s and customer_id = %s and (%s::uuid is null or id = %s)
   and (%s::uuid[] is null or channel_id = any(%s)) and channel_id <> all(%s::uuid[]) limit 1"""


async def tell_programs(inst: Installation, account_id: UUID) -> None:
    """Sends what is due in one account, and asks to be called again when the next is."""
    [rows] = await inst.db.run(account_id, (_DUE, [account_id, now(), BATCH]))
    by_connection: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for delivery_id, connection_id in rows:
        by_connection[connection_id].append(delivery_id)
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(connection_id: UUID, ids: list[UUID]) -> None:
        async with turn:
            for delivery_id in ids:
                await inst.calm.turn()
                if not await send(inst, account_id, connection_id, delivery_id):
                    await _pause(inst, account_id, connection_id)
                    break

    for told in await asyncio.gather(*(one(*each) for each in by_connection.items()), return_exceptions=True):
        if isinstance(told, BaseException):
            raise told
    if due_at := await next_due(inst, account_id):
        word = f"tell programs {account_id} at {max(due_at, now()):%y%m%d%H%M%S}"
        await inst.jobs.later(AGAIN, job_ids(account_id=account_id), once=word, at=due_at)


async def next_due(inst: Installation, account_id: UUID) -> datetime | None:
    """When the next delivery of an account is due; None when none waits."""
    ask = "select min(due_at) from connection_delivery where account_id = %s and state = 'waiting'"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    found: datetime | None = rows[0][0]
    return found


async def send(inst: Installation, account_id: UUID, connection_id: UUID, delivery_id: UUID) -> bool:
    """Tries one delivery; False when the program could not be reached, so that the next one need not be tried now."""
    [rows] = await inst.db.run(account_id, (_TAKE, [now() + LEASE, account_id, delivery_id, now()]))
    if not rows:  # another process has it
        return True
    kind, at, event_id, conversation_id, customer_id, subject_id, attempts = rows[0]
    one = Happening(kind, at, event_id, conversation_id, customer_id, subject_id)
    connection = await read_connection(inst, account_id, connection_id)
    verdict = await _verdict(inst, account_id, connection, one)
    if verdict == "hold":
        await _set(inst, account_id, delivery_id, "waiting", None, now() + HOLD, attempts - 1)
        return True
    if verdict != "go":
        await _set(inst, account_id, delivery_id, "dropped", verdict)
        return True
    fields = [] if kind == ERASED else going(kind, connection.fields)
    try:
        answer = await _leave(inst, account_id, connection, delivery_id, one, fields)
    except (Erased, ForeignKeyViolation) as gone:
        await _gone(inst, account_id, delivery_id, str(gone) == "connection")
        return True
    if answer.taken:
        await _taken(inst, account_id, connection_id, delivery_id, fields)
        return True
    at_last = kind == ERASED  # that somebody was erased is tried for as long as the connection lives
    tries = min(attempts, len(WAITS)) if at_last else attempts
    await _not_taken(inst, account_id, connection, delivery_id, tries, answer)
    return False


async def _verdict(inst: Installation, account_id: UUID, connection: Connection, one: Happening) -> Verdict:
    """Whether it may go: `go`, `hold`, or why it is dropped."""
    if connection.state == "ended":
        return "ended"
    by = await who_stands(inst, account_id, connection)
    if by is None:  # whom it was told of, it is told of when somebody has confirmed it
        return "hold" if one.kind == ERASED else "lapsed"
    if by.closed_at or by.unpaid_at or connection.off_at:
        return "hold"
    if one.kind != ERASED and not await _in_sight(inst, by, connection, one):
        return "not_seen"
    if one.kind != ERASED and await _is_aside(inst, account_id, one):
        return "restricted"
    return "go"


async def _is_aside(inst: Installation, account_id: UUID, one: Happening) -> bool:
    """Whether its customer is set aside (GDPR Art. 18): nothing is done with them, so no program hears of them."""
    ask = "select 1 from customer where account_id = %s and id = %s and restricted_at is not null"
    [rows] = await inst.db.run(account_id, (ask, [account_id, one.customer_id]))
    return bool(rows)


async def _in_sight(inst: Installation, by: Staff, connection: Connection, one: Happening) -> bool:
    """Whether it is about a conversation on a channel that was chosen, and that who stands for it sees."""
    if connection.channels is None and not by.kept_out:
        return True
    chosen = connection.channels
    asked = [
        by.account_id, one.customer_id, one.conversation_id, one.conversation_id, chosen, chosen, list(by.kept_out)
    ]  # fmt: skip
    [rows] = await inst.db.run(by.account_id, (_SEEN, asked))
    return bool(rows)


async def _leave(
    inst: Installation,
    account_id: UUID,
    connection: Connection,
    delivery_id: UUID,
    one: Happening,
    fields: list[str],
) -> Answer:
    """Reads it, notes whom the program is told of, and sends it."""
    if one.kind == ERASED:
        body = compose(ERASED, one.at, {"customer_id": one.customer_id}, {}, ())
        return await post(inst, account_id, connection, delivery_id, body, ())
    ids, values = await read_event(inst, account_id, one, fields)
    body = compose(one.kind, one.at, ids, values, fields)
    if one.customer_id:
        await inst.db.run(
            account_id,
            (
                "insert into connection_knows (account_id, connection_id, customer_id) values (%s, %s, %s) on conflict do nothing",
                [account_id, connection.id, one.customer_id],
            ),
        )
    says = [FIELDS[name].says for name in fields]
    return await post(inst, account_id, connection, delivery_id, body, says, one.customer_id)


async def _set(
    inst: Installation,
    account_id: UUID,
    delivery_id: UUID,
    state: str,
    reason: str | None,
    due_at: datetime | None = None,
    attempts: int | None = None,
) -> None:
    await inst.db.run(
        account_id,
        (
            "update connection_delivery set state = %s, reason = %s, due_at = coalesce(%s, due_at), changed_at = %s,"
            " attempts = coalesce(%s, attempts) where account_id = %s and id = %s",
            [state, reason, due_at, now(), attempts, account_id, delivery_id],
        ),
    )


async def _gone(inst: Installation, account_id: UUID, delivery_id: UUID, has_ended: bool) -> None:
    """The connection ended at this moment; or the customer was erased, and no id of theirs stays."""
    if has_ended:
        await _set(inst, account_id, delivery_id, "dropped", "ended")
        return
    await inst.db.run(
        account_id,
        ("delete from connection_delivery where account_id = %s and id = %s", [account_id, delivery_id]),
    )


async def _taken(
    inst: Installation, account_id: UUID, connection_id: UUID, delivery_id: UUID, fields: list[str]
) -> None:
    await inst.db.run(
        account_id,
        (
            "update connection_delivery set state = 'sent', reason = null, changed_at = %s, fields = %s where account_id = %s and id = %s",
            [now(), fields, account_id, delivery_id],
        ),
        (
            "update connection set used_at = %s, failing_since = null where account_id = %s and id = %s",
            [now(), account_id, connection_id],
        ),
    )


async def _not_taken(
    inst: Installation,
    account_id: UUID,
    connection: Connection,
    delivery_id: UUID,
    attempts: int,
    answer: Answer,
) -> None:
    if attempts > len(WAITS):
        await _set(inst, account_id, delivery_id, "failed", answer.reason)
    else:
        wait = WAITS[attempts - 1] * random.uniform(1, 1.2)  # noqa: S311 - no secret, only no pattern
        await _set(inst, account_id, delivery_id, "waiting", answer.reason, now() + wait)
    await inst.db.run(
        account_id,
        (
            "update connection set failing_since = coalesce(failing_since, %s) where account_id = %s and id = %s",
            [now(), account_id, connection.id],
        ),
    )
    since = connection.failing_since or now()
    if answer.reason == "410" or now() - since > OFF_AFTER:  # gone, says the other side itself
        await switch_off(inst, account_id, connection)


async def _pause(inst: Installation, account_id: UUID, connection_id: UUID) -> None:
    """What else waits for a program that was not reached waits a minute."""
    await inst.db.run(
        account_id,
        (
            "update connection_delivery set due_at = greatest(due_at, %s) where account_id = %s and connection_id = %s and state = 'waiting'"
            " and attempts = 0",
            [now() + PAUSE, account_id, connection_id],
        ),
    )
