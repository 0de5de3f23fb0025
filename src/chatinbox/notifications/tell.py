"""Tell: a letter to a staff user who is away and has news; at most one in half an hour, and no word of any customer in it."""

from datetime import datetime, timedelta
from uuid import UUID

from chatinbox.accounts.letters import write_to
from chatinbox.accounts.people import read_person
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.sessions import read_staff_user
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.outbox import Happened
from chatinbox.notifications.news import News, is_here, read_news

JOB = "tell_staff"
HEARD = ["assigned", "message.received"]
INSTRUCTION = "chosen by the person in their profile"
FIELDS = ("numbers of conversations", "what happened to them", "links")
WAIT = timedelta(minutes=5)  # a moment in which most people see it themselves
QUIET = timedelta(minutes=30)  # between two letters to one person about one account
_ASSIGNEES = "select distinct assignee_id from conversation where account_id = %s and id = any(%s) and assignee_id is not null"
_LAST = """
select max(at) from ledger where account_id = %s and subject_kind = 'person' and subject_id = %s and instruction = %s
   and at > %s and outcome <> 'unreachable'"""


async def hear(inst: Installation, batch: list[Happened]) -> None:
    """Has those looked after whose conversations something happened to. One look that waits is enough for each."""
    talks: dict[UUID, set[UUID]] = {}
    for happened in batch:
        if happened.conversation_id:
            talks.setdefault(happened.account_id, set()).add(happened.conversation_id)
    for account_id, ids in talks.items():
        [rows] = await inst.db.run(account_id, (_ASSIGNEES, [account_id, list(ids)]))
        for (staff_user_id,) in rows:
            await look_later(inst, account_id, staff_user_id, now() + WAIT)


async def look_later(inst: Installation, account_id: UUID, staff_user_id: UUID, at: datetime) -> None:
    """Looks after one staff user at that time."""
    ids = job_ids(account_id=account_id, staff_user_id=staff_user_id)
    await inst.jobs.later(JOB, ids, once=f"tell {staff_user_id}", at=at)


async def tell(inst: Installation, account_id: UUID, staff_user_id: UUID) -> datetime | None:
    """Writes to them when they are away and there is news; when to look again, or None."""
    by = await read_staff_user(inst, account_id, staff_user_id)
    if by is None or by.closed_at:
        return None
    at, notify = now(), (await read_profile(inst, by.person_id)).notify
    asked = [account_id, by.person_id, INSTRUCTION, at - timedelta(days=1)]
    [[(last,)]] = await inst.db.run(account_id, (_LAST, asked))
    news = await read_news(inst, by, notify, last or at - timedelta(days=1))
    if not news:
        return None
    if last and last > at - QUIET:
        return last + QUIET  # type: ignore[no-any-return]
    if await is_here(inst, account_id, staff_user_id):
        return at + WAIT
    person = await read_person(inst, by.person_id)
    subject, text = _words(inst.settings.public_url, news)
    await write_to(inst, account_id, by.person_id, person.email, subject, text, INSTRUCTION, FIELDS)
    return None


def _words(ours: str, news: list[News]) -> tuple[str, str]:
    """Subject and text: numbers and links. What customers wrote and are called stays in the inbox."""
    count = len(news)
    subject = (
        "A conversation of yours has news" if count == 1 else f"{count} conversations of yours have news"
    )
    lines = [f"#{one.number}: {_what(one)}\n{ours}/inbox/mine/{one.number}" for one in news]
    return subject, "\n\n".join(lines) + (
        f"\n\nYou get this because you chose it, at most once in half an hour while you are away. Change it:\n"
        f"{ours}/settings/profile#notify\n"
    )


def _what(one: News) -> str:
    if one.assigned and one.answered:
        return "given to you, and the customer wrote"
    return "given to you" if one.assigned else "the customer wrote"
