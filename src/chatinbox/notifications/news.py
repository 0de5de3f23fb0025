"""News for one staff user: conversations of theirs that were given to them or answered by the customer, not seen yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatinbox.accounts.profile import Notify
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import sight
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.customers.restricted import FREE

HERE = timedelta(minutes=5)
MOST = 50
_HERE = "select 1 from staff_activity where account_id = %s and staff_user_id = %s and last_at > %s and began_at > %s limit 1"
# A conversation's entries have places in its timeline, and so has how far one has read it.
_NEWS = """
select c.number, given.is, said.is
  from conversation c
  left join seen s on s.account_id = c.account_id and s.staff_user_id = %(me)s and s.conversation_id = c.id
  cross join lateral (select %(assigned)s and exists (select from event e where e.account_id = c.account_id
    and e.conversation_id = c.id and e.position > coalesce(s.position, 0) and e.kind = 'assigned'
    and e.subject_id = %(me)s and e.staff_user_id is distinct from %(me)s and e.at > %(since)s) as is) given
  cross join lateral (select %(answered)s and exists (select from message m where m.account_id = c.account_id
    and m.conversation_id = c.id and m.position > coalesce(s.position, 0) and m.author = 'customer'
    and m.origin = 'written' and m.at > %(since)s) as is) said
 where c.account_id = %(account)s and c.assignee_id = %(me)s and c.shelf = 'todo' and (given.is or said.is){sight}
 order by c.last_at desc limit {most}"""


@dataclass(frozen=True, slots=True)
class News:
    """One conversation by its number; whether it was given to them, and whether the customer wrote."""

    number: int
    assigned: bool
    answered: bool


async def read_news(inst: Installation, by: Staff, notify: Notify, since: datetime) -> list[News]:
    """What is new after a time, of what they want to be told of and may see; the latest first, at most fifty."""
    words = {
        "account": by.account_id,
        "me": by.staff_user_id,
        "assigned": notify.assigned,
        "answered": notify.answered,
        "since": since,
        "kept_out": list(by.kept_out),
    }
    ask = _NEWS.replace("{sight}", sight(by) + FREE).replace("{most}", str(MOST))
    [rows] = await inst.db.run(by.account_id, (ask, words))
    return [News(*row) for row in rows]


async def is_here(inst: Installation, account_id: UUID, staff_user_id: UUID) -> bool:
    """Whether they worked with the inbox a moment ago, as far as that is recorded."""
    at = now()
    asked = [account_id, staff_user_id, at - HERE, at - timedelta(days=1)]
    [rows] = await inst.db.run(account_id, (_HERE, asked))
    return bool(rows)
