"""The sign-in report: when somebody signed in and how, and when that session ended. No device, no address."""

from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.core.installation import Installation
from chatinbox.reports.period import Period

MOST = 500

_COUNT = """
select staff_user_id, count(*), count(*) filter (where how = 'passkey'), count(*) filter (where how = 'sso'), max(at)
  from staff_record where account_id = %(account)s and kind = 'sign_in' and at >= %(since)s and at < %(until)s
   and (%(only)s::uuid is null or staff_user_id = %(only)s) group by staff_user_id
"""
_LIST = """
with signed as (
  select id, staff_user_id, session_id, how, at from staff_record
   where account_id = %(account)s and kind = 'sign_in' and at >= %(since)s and at < %(until)s
     and (%(only)s::uuid is null or staff_user_id = %(only)s) order by at desc, id desc limit %(most)s),
ended as (
  select session_id, min(at) as at from staff_record
   where account_id = %(account)s and kind = 'session_end' and at >= %(since)s group by session_id)
select s.staff_user_id, s.at, s.how, e.at from signed s left join ended e using (session_id) order by s.at desc, s.id desc
"""


class SignIns(msgspec.Struct, frozen=True):
    """How often one person signed in, how, and when last."""

    count: int
    by_passkey: int
    by_sso: int
    last_at: datetime

    @property
    def by_password(self) -> int:
        """The others."""
        return self.count - self.by_passkey - self.by_sso


class SignIn(msgspec.Struct, frozen=True):
    """One of them; `ended_at` is None while the session is open."""

    staff_user_id: UUID
    at: datetime
    how: str
    ended_at: datetime | None


class SignInReport(msgspec.Struct, frozen=True):
    """Each person's count, and the latest 500 one by one."""

    by_person: dict[UUID, SignIns]
    latest: list[SignIn]


async def read_sign_ins(
    inst: Installation, account_id: UUID, period: Period, only: UUID | None = None
) -> SignInReport:
    """The report of an account, or of one person in it."""
    ask = {"account": account_id, "since": period.since, "until": period.until, "only": only, "most": MOST}
    counts, latest = await inst.db.run(account_id, (_COUNT, ask), (_LIST, ask))
    return SignInReport({row[0]: SignIns(*row[1:]) for row in counts}, [SignIn(*row) for row in latest])
