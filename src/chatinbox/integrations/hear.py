"""Hear: what happened becomes deliveries, a row for each program that is to be told. Ids only, and doing it twice is once."""

from collections import defaultdict
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.outbox import Happened
from chatinbox.integrations.mapping import CAUSES

JOB = "tell_programs"
_LIVE = """
select id, events from connection where account_id = %s and direction = 'out' and ended_at is null and lapsed_at is null
   and off_at is null and expires_at > %s"""
# Of a conversation whose channel was not chosen, or that is spam, nothing is told. Which of two events a change of status or a
# first message is, only its row says.
_WRITE = """
insert into connection_delivery (account_id, id, connection_id, event_id, kind, conversation_id, customer_id, subject_id, at,
  state, due_at, changed_at)
select %(account)s, x.id, x.connection_id, x.event_id, x.kind, x.conversation_id, coalesce(v.customer_id, u.id), x.subject_id,
       coalesce(e.at, %(at)s), 'waiting', %(at)s, %(at)s
  from unnest(%(ids)s::uuid[], %(connections)s::uuid[], %(events)s::uuid[], %(kinds)s::text[], %(causes)s::text[],
              %(conversations)s::uuid[], %(subjects)s::uuid[])
       as x (id, connection_id, event_id, kind, cause, conversation_id, subject_id)
  join connection c on c.account_id = %(account)s and c.id = x.connection_id
  left join event e on e.account_id = %(account)s and e.id = x.event_id
  left join conversation v on v.account_id = %(account)s and v.id = x.conversation_id
  left join message m on m.account_id = %(account)s and m.id = x.subject_id
  left join customer u on u.account_id = %(account)s and u.id = x.subject_id
 where (v.id is null or v.spam_at is null and (c.channels is null or v.channel_id = any(c.channels)))
   and (x.conversation_id is null or v.id is not null) and (x.kind <> 'customer.changed' or u.id is not null)
   and case when x.cause = 'status' then e.data ->> 'status' = case x.kind when 'conversation.closed' then 'done' else 'todo' end
            when x.kind = 'conversation.opened' then m.position = 1 else true end
    on conflict do nothing"""


async def hear(inst: Installation, batch: list[Happened]) -> None:
    """Writes the deliveries of a batch of events, and asks for a job for each account that has some."""
    by_account: defaultdict[UUID, list[Happened]] = defaultdict(list)
    for happened in batch:
        by_account[happened.account_id].append(happened)
    for account_id, all_of_it in by_account.items():
        [live] = await inst.db.run(account_id, (_LIVE, [account_id, now()]))
        rows = [
            (new_id(), connection_id, one.event_id, kind, one.kind, one.conversation_id, one.subject_id)
            for connection_id, events in live
            for one in all_of_it
            for kind in CAUSES[one.kind]
            if kind in events
        ]
        if rows:
            names = ("ids", "connections", "events", "kinds", "causes", "conversations", "subjects")
            values = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
            await inst.db.run(account_id, (_WRITE, values | {"account": account_id, "at": now()}))
            await ask(inst, account_id)


async def ask(inst: Installation, account_id: UUID) -> None:
    """Asks for a job that tells the programs of an account; a waiting one is enough."""
    await inst.jobs.later(JOB, job_ids(account_id=account_id), once=f"tell programs {account_id}")
