"""What the inbox asks besides one list or one conversation: counts, changes since a feed number, tags."""

from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.access import NOT_NOTED, Look
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.looked import at_list
from chatinbox.conversations.rows import (
    BY_ID,
    PAGE,
    Page,
    Row,
    by_ids_statement,
    list_statement,
    open_rows,
    page_of,
)
from chatinbox.conversations.verbs.tag import Tag
from chatinbox.conversations.who import sight
from chatinbox.core.db import Rows, Statement
from chatinbox.core.installation import Installation

SYNC_LIMIT = 200
COUNT_LIMIT = 100  # shown as 99+

_FEED = "select last from counter where account_id = %s and kind = 'feed'"

_COUNT = "(select count(*) from (select from conversation c where c.account_id = %(account)s and {where}{sight} limit 100) x)"
_COUNTS = (
    "select "
    + ", ".join(
        _COUNT.replace("{where}", where)
        for where in (
            "c.shelf = 'todo'",
            "c.assignee_id = %(me)s and c.shelf = 'todo'",
            "c.assignee_id is null and c.shelf = 'todo'",
            "c.shelf = 'waiting'",
            "c.shelf = 'snoozed'",
            "c.shelf = 'spam'",
        )
    )
    + (
        ", (select count(*) from (select from raw_mail r where r.account_id = %(account)s and r.held_at is not null{sight_of_mail} limit 100) x)"
    )
)


class Counts(msgspec.Struct):
    """How many lie in each view, counted up to 100."""

    todo: int
    mine: int
    unassigned: int
    waiting: int
    snoozed: int
    spam: int
    held: int


class Listed(msgspec.Struct):
    """A page of a view and the feed number it is true for."""

    rows: list[Row]
    next: str | None
    feed: int


class Synced(msgspec.Struct):
    """What changed since a feed number. `reset`: too much, load the list again."""

    feed: int
    rows: list[Row]
    counts: Counts
    reset: bool
    tags: list[Tag] | None
    staff_changed: bool


def counts_statement(by: Staff) -> Statement:
    """The statement for the counts beside the views."""
    text = _COUNTS.replace("{sight}", sight(by)).replace("{sight_of_mail}", sight(by).replace("c.", "r."))
    return text, {"account": by.account_id, "me": by.staff_user_id, "kept_out": list(by.kept_out)}


async def read_list(
    inst: Installation,
    by: Staff,
    view: str,
    status: str = "todo",
    tag_id: UUID | None = None,
    sort: str = "newest",
    after: str | None = None,
) -> Listed:
    """One page of a view, in one round trip. The feed is read first, so nothing between is missed. The first pages are
    everybody's day; who goes on to a later one is noted with it.
    """
    look = at_list(by, f"{view} {status} {tag_id} {sort} {after}", PAGE) if after else NOT_NOTED
    feed, found, *_ = await inst.db.run(
        by.account_id,
        (_FEED, [by.account_id]),
        list_statement(by, view, status, tag_id, sort, after),
        *look.statements,
    )
    look.kept()
    page: Page = page_of(inst, by, found, sort)
    return Listed(page.rows, page.next, feed[0][0])


async def read_since(inst: Installation, by: Staff, after: int) -> Synced:
    """The conversations changed after a feed number, with counts."""
    values: dict[str, Any] = {"since": after}
    feed, found, counts, told, tags = await inst.db.run(
        by.account_id,
        (_FEED, [by.account_id]),
        by_ids_statement(by, "c.feed > %(since)s", values, SYNC_LIMIT + 1),
        counts_statement(by),
        (
            "select distinct split_part(kind, '.', 1) from event where account_id = %s and feed > %s"
            " and conversation_id is null",
            [by.account_id, after],
        ),
        tags_statement(by),
    )
    kinds = {kind for (kind,) in told}
    reset = len(found) > SYNC_LIMIT or bool(
        kinds & {"team", "erasure", "restriction", "customer"}
    )  # what one may see is another now
    return Synced(
        feed=feed[0][0],
        rows=[] if reset else open_rows(inst, by, found),
        counts=Counts(*counts[0]),
        reset=reset,
        tags=await open_tags(inst, by, tags) if "tag" in kinds else None,
        staff_changed="staff" in kinds,
    )


async def read_rows(
    inst: Installation, by: Staff, conversation_ids: list[UUID], look: Look = NOT_NOTED
) -> list[Row]:
    """Rows by id, in the order asked for; ids that are not this account's are left out. `look` is written with it."""
    found, *_ = await inst.db.run(
        by.account_id,
        by_ids_statement(by, "true", {"ids": conversation_ids}, len(conversation_ids), source=BY_ID),
        *look.statements,
    )
    look.kept()
    rows = {row.id: row for row in open_rows(inst, by, found)}
    return [rows[row_id] for row_id in conversation_ids if row_id in rows]


async def read_numbered(inst: Installation, by: Staff, number: str) -> Row | None:
    """The row of a conversation's number in one's account; None when there is none, or when it is no number."""
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    statement = by_ids_statement(by, "c.number = %(number)s", {"number": int(number)}, 1)
    [found] = await inst.db.run(by.account_id, statement)
    rows = open_rows(inst, by, found)
    return rows[0] if rows else None


def tags_statement(by: Staff) -> Statement:
    """The statement for the account's tags."""
    return "select id, name_sealed, hue from tag where account_id = %s order by created_at limit 500", [
        by.account_id
    ]


async def read_tags(inst: Installation, by: Staff) -> list[Tag]:
    """The account's tags, the oldest first."""
    [rows] = await inst.db.run(by.account_id, tags_statement(by))
    return await open_tags(inst, by, rows)


async def open_tags(inst: Installation, by: Staff, rows: Rows) -> list[Tag]:
    """Opens the tags' names."""
    key = await inst.vault.account_key(by.account_id)
    return [
        Tag(tag_id, key.open_text(sealed, by.account_id, "tag", "name", tag_id), colour)
        for tag_id, sealed, colour in rows
    ]
