"""Views: who looked at whose lines, and when. Written before the lines are shown; told to whom they are about."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from chatinbox.accounts.access import looked
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

ReportName: TypeAlias = Literal["sign-ins", "activity", "work", "person"]
MOST = 100


class View(msgspec.Struct, frozen=True):
    """Somebody looked: at one's own lines alone, or at everybody's."""

    viewer_id: UUID
    report: ReportName
    at_one: bool
    at: datetime


async def note_view(inst: Installation, by: Staff, report: ReportName, of: UUID | None) -> None:
    """Notes that `by` looks at the lines of a person, or of everybody."""
    insert = "insert into report_view (account_id, id, viewer_id, staff_user_id, report, at) values (%s, %s, %s, %s, %s, %s)"
    look = looked(by.account_id, by.staff_user_id, "report", whose=(report, of), subject_id=of)
    await inst.db.run(
        by.account_id,
        (insert, [by.account_id, new_id(), by.staff_user_id, of, report, now()]),
        *look.statements,
    )
    look.kept()


async def views_of(inst: Installation, account_id: UUID, staff_user_id: UUID) -> list[View]:
    """Who else looked at a person's lines, the latest first, at most 100."""
    ask = (
        "select viewer_id, report, staff_user_id is not null, at from report_view where account_id = %s"
        " and (staff_user_id is null or staff_user_id = %s) and viewer_id <> %s order by at desc, id desc limit %s"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, staff_user_id, staff_user_id, MOST]))
    return [View(*row) for row in rows]
