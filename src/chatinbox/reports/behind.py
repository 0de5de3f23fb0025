"""What is behind a figure of the work report: the conversations that it counts, as far as the reader may see them.

Counted from the same rows as the figure itself, so that the two agree; what cannot be shown is told in numbers, with why.
"""

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.inbox import read_rows
from chatinbox.conversations.looked import at_list
from chatinbox.conversations.rows import Row, cursor_of, read_cursor
from chatinbox.conversations.who import sight
from chatinbox.core.installation import Installation
from chatinbox.reports.period import Period
from chatinbox.reports.work import COUNTED

Deed: TypeAlias = Literal["answer", "note", "done", "assignment"]
PAGE = 50

# `channel` narrows what the report is of, `part` is a line of it: a conversation can be closed on another channel later.
_BEHIND = f"""{COUNTED}, behind as (
  select d.conversation_id as id, count(*) as times, max(d.at) as at from counted d where d.kind = %(deed)s
    and (%(day)s::date is null or d.day = %(day)s) and (%(part)s::uuid is null or d.channel_id = %(part)s)
    and (%(team)s::uuid is null or exists (select from team_member m where m.account_id = %(account)s
      and m.team_id = %(team)s and m.staff_user_id = d.staff_user_id))
  group by d.conversation_id)
"""
_TOTALS = f"""{_BEHIND} select coalesce(sum(b.times), 0)::bigint, count(*), count(*) filter (where c.id is null),
    count(*) filter (where c.channel_id = any(%(kept_out)s::uuid[]))
  from behind b left join conversation c on c.account_id = %(account)s and c.id = b.id
"""
_PAGE = f"""{_BEHIND} select b.id, b.times, b.at from behind b
  join conversation c on c.account_id = %(account)s and c.id = b.id{{sight}}
 where %(after)s::timestamptz is null or (b.at, b.id) < (%(after)s, %(after_id)s) order by b.at desc, b.id desc limit %(limit)s
"""


class Figure(msgspec.Struct, frozen=True):
    """Which figure: of which deed, and of whom, which team, channel or day, where it is not of all of them."""

    deed: Deed
    only: UUID | None = None
    team: UUID | None = None
    part: UUID | None = None
    day: date | None = None


class Behind(msgspec.Struct, frozen=True):
    """The figure again, how many conversations it is of, how many of these are gone or closed to the reader, and a page of
    the others, the latest deed first: each with how often, and when last. `next` asks for the page after it.
    """

    count: int
    conversations: int
    gone: int
    closed: int
    rows: list[tuple[Row, int, datetime]]
    next: str | None


def values_of(
    by: Staff, period: Period, figure: Figure, channel_id: UUID | None, after: str | None
) -> dict[str, Any]:
    """What the statements are asked with."""
    moment, after_id = read_cursor(after) if after else (None, None)
    return {
        "account": by.account_id, "since": period.since, "until": period.until, "zone": period.zone.key,
        "channel": channel_id, "kept_out": list(by.kept_out), "after": moment, "after_id": after_id, "limit": PAGE + 1,
        **msgspec.structs.asdict(figure),
    }  # fmt: skip


async def read_behind(
    inst: Installation,
    by: Staff,
    period: Period,
    figure: Figure,
    channel_id: UUID | None = None,
    after: str | None = None,
) -> Behind:
    """The conversations behind a figure. That their list is looked at is noted with the reading."""
    ask = values_of(by, period, figure, channel_id, after)
    totals, found = await inst.db.run(
        by.account_id, (_TOTALS, ask), (_PAGE.replace("{sight}", sight(by)), ask)
    )
    page = found[:PAGE]
    look = at_list(by, f"behind {figure} {channel_id} {period.name} {after}", len(page))
    rows = {row.id: row for row in await read_rows(inst, by, [one[0] for one in page], look)}
    look.kept()
    more = cursor_of(page[-1][2], page[-1][0]) if len(found) > PAGE else None
    shown = [(rows[row_id], times, at) for row_id, times, at in page if row_id in rows]
    count, conversations, gone, closed = totals[0]
    return Behind(count, conversations, gone, closed, shown, more)
