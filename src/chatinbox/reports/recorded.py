"""Recorded: what staff did with conversations, one row a deed, written from the outbox after the deed is committed.

So that no verb does more for it, and reports read one narrow table. Doing a batch again changes nothing.
"""

from collections import defaultdict
from uuid import UUID

from chatinbox.core.db import LAZILY
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened

HEARD = ["message.sent", "note.added", "status", "assigned"]

# A conversation is reckoned from its customer's first words. Of one that staff began, there is no wait to tell.
_RECORD = """
with told as (
  select e.id, e.kind, e.staff_user_id, e.subject_id, e.conversation_id, e.data->>'status' as status, e.at, c.channel_id,
    case when first.author = 'customer' then greatest(0, extract(epoch from e.at - first.at))::bigint end as waited,
    e.kind = 'message.sent' and not exists (select from message m join message mine on mine.account_id = m.account_id
      and mine.id = e.subject_id where m.account_id = e.account_id and m.conversation_id = e.conversation_id
      and m.author = 'staff' and m.position < mine.position) as is_first
  from event e
  join conversation c on c.account_id = e.account_id and c.id = e.conversation_id
  left join lateral (select m.author, m.at from message m where m.account_id = e.account_id
    and m.conversation_id = e.conversation_id order by m.position limit 1) first on true
  where e.account_id = %(account)s and e.id = any(%(events)s))
insert into staff_record (account_id, id, kind, staff_user_id, conversation_id, channel_id, seconds, at)
select %(account)s, id, 'answer', staff_user_id, conversation_id, channel_id, case when is_first then waited end, at
  from told where kind = 'message.sent' and staff_user_id is not null
union all select %(account)s, id, 'note', staff_user_id, conversation_id, channel_id, null, at
  from told where kind = 'note.added' and staff_user_id is not null
union all select %(account)s, id, 'assignment', subject_id, conversation_id, channel_id, null, at
  from told where kind = 'assigned' and subject_id is not null
union all select %(account)s, case when kind = 'status' then id else subject_id end, 'done', staff_user_id,
    conversation_id, channel_id, waited, at
  from told where status = 'done' and staff_user_id is not null
on conflict do nothing
"""


async def record_deeds(inst: Installation, batch: list[Happened]) -> None:
    """Records a batch of events. An answer that also closes is two rows: under the event's id, and the message's."""
    by_account: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for happened in batch:
        by_account[happened.account_id].append(happened.event_id)
    for account_id, events in by_account.items():
        await inst.db.run(account_id, LAZILY, (_RECORD, {"account": account_id, "events": events}))
