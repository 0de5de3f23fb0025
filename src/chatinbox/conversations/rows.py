"""The rows of the list: conversations as the inbox shows them, for one staff user."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import sight
from chatinbox.core.clock import millis
from chatinbox.core.db import Params, Rows, Statement
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation
from chatinbox.customers.names import hue, shown_name

PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The page of conversations is cut first, in a subselect with its limit; only then are names and marks joined.
_JOIN = """
select p.*, cu.name_sealed, cu.restricted_at is not null, a.value_sealed, a.id, s.position, d.revision is not null,
  array(select t.tag_id from conversation_tag t where t.account_id = p.account_id and t.conversation_id = p.id)
  from ({page}) p
  join customer cu on cu.account_id = p.account_id and cu.id = p.customer_id
  left join lateral (select ad.id, ad.value_sealed from address ad where cu.name_sealed is null
     and ad.account_id = p.account_id and ad.customer_id = p.customer_id limit 1) a on true
  left join seen s on s.account_id = p.account_id and s.staff_user_id = %(me)s and s.conversation_id = p.id
  left join draft d on d.account_id = p.account_id and d.staff_user_id = %(me)s and d.conversation_id = p.id
"""
_PAGE = """
select c.account_id, c.id, c.number, c.customer_id, c.channel_id, c.via, c.subject_sealed, c.preview_sealed, c.preview_by,
  c.status, c.snoozed_until, c.spam_at, c.assignee_id, c.waiting_since, c.failed_at, c.last_at, c.position,
  c.spoken_position, c.spoken_by, c.feed from {source} c where c.account_id = %(account)s and {where}
 order by {order} limit %(limit)s"""
# Each by its key: a plan that does not know how many ids there are went through all of the account's conversations.
BY_ID = (
    "unnest(%(ids)s::uuid[]) asked(id), lateral (select * from conversation"
    " where account_id = %(account)s and id = asked.id offset 0)"
)

_SHELVES = {"todo", "waiting", "done", "snoozed", "spam"}


class CustomerFace(msgspec.Struct):
    """A customer in a row."""

    id: UUID
    name: str
    hue: int


class Row(msgspec.Struct):
    """A conversation in the list; `restricted` when its customer is set aside. Times are milliseconds since 1970, `seen` and `position` places in the timeline."""

    id: UUID
    number: int
    status: str
    snoozed_until: int | None
    spam: bool
    channel_id: UUID
    via: str
    subject: str | None
    preview: str
    preview_by: str
    customer: CustomerFace
    tags: list[UUID]
    assignee_id: UUID | None
    last_at: int
    waiting_since: int | None
    position: int
    seen: int
    unread: bool
    draft: bool
    failed: bool
    restricted: bool
    feed: int


class Page(msgspec.Struct):
    """A page of the list; `next` asks for the one after it."""

    rows: list[Row]
    next: str | None


def list_statement(
    by: Staff, view: str, status: str, tag_id: UUID | None, sort: str, after: str | None
) -> Statement:
    """The statement for one page of a view. Raises bad-request for an unknown view."""
    values: dict[str, Any] = {
        "account": by.account_id,
        "me": by.staff_user_id,
        "limit": PAGE + 1,
        "kept_out": list(by.kept_out),
    }
    where = [_where(view, status, values)]
    if tag_id:
        where.append(
            "exists (select from conversation_tag t where t.account_id = c.account_id and t.conversation_id = c.id"
            " and t.tag_id = %(tag)s)"
        )
        values["tag"] = tag_id
    longest = sort == "longest" and view in ("todo", "mine", "unassigned")
    if longest:
        where.append("c.waiting_since is not null")
    if after:
        moment, values["after_id"] = read_cursor(after)
        values["after"] = moment
        where.append(
            "(c.waiting_since, c.id) > (%(after)s, %(after_id)s)"
            if longest
            else "(c.last_at, c.id) < (%(after)s, %(after_id)s)"
        )
    order = "c.waiting_since, c.id" if longest else "c.last_at desc, c.id desc"
    page = _PAGE.format(source="conversation", where=" and ".join(where) + sight(by), order=order)
    return _JOIN.format(page=page) + " order by " + order.replace("c.", "p."), values


def _where(view: str, status: str, values: dict[str, Any]) -> str:
    if view in _SHELVES:
        values["shelf"] = view
        return "c.shelf = %(shelf)s"
    if view == "all":
        return "c.spam_at is null"
    if view in ("mine", "unassigned"):
        values["shelf"] = status if status in _SHELVES else "todo"
        who = "c.assignee_id = %(me)s" if view == "mine" else "c.assignee_id is null"
        return f"{who} and c.shelf = %(shelf)s"
    raise bad_request("There is no such view.", "view")


def by_ids_statement(
    by: Staff, where: str, values: Params, limit: int, source: str = "conversation"
) -> Statement:
    """The statement for rows chosen otherwise: by id, or by feed number."""
    page = _PAGE.format(source=source, where=where + sight(by), order="c.feed")
    merged: dict[str, Any] = {
        "account": by.account_id,
        "me": by.staff_user_id,
        "limit": limit,
        "kept_out": list(by.kept_out),
        **dict(values),
    }
    return _JOIN.format(page=page) + " order by p.feed", merged


def page_of(inst: Installation, by: Staff, found: Rows, sort: str = "newest") -> Page:
    """Opens a page's rows; the row beyond the page only says that there is more."""
    rows = open_rows(inst, by, found[:PAGE])
    cursor = None
    if len(found) > PAGE:
        last = found[PAGE - 1]
        moment = last[13] if sort == "longest" else last[15]
        cursor = cursor_of(moment, last[1])
    return Page(rows, cursor)


def cursor_of(at: datetime, row_id: UUID) -> str:
    """The mark of a row by which the page after it is asked for."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{row_id}"


def read_cursor(text: str) -> tuple[datetime, UUID]:
    """What a page mark says. Raises bad-request for one that is not ours."""
    try:
        micros, _, row_id = text.partition(".")
        return _EPOCH + timedelta(microseconds=int(micros)), UUID(row_id)
    except (ValueError, OverflowError):
        raise bad_request("This page mark is not one of ours; open the list again.", "cursor") from None


def open_rows(inst: Installation, by: Staff, found: Rows) -> list[Row]:
    """Opens sealed rows; one of somebody who is being erased, whose key is gone, is not there any more."""
    account_id = by.account_id
    keys = inst.vault.known_customer_keys(account_id, {row[3] for row in found})
    opened = []
    for (
        _, row_id, number, customer_id, channel_id, via, subject, preview, preview_by, status, snoozed_until, spam_at,
        assignee_id, waiting_since, failed_at, last_at, position, spoken, spoken_by, feed,
        name, restricted, address, address_id, seen, has_draft, tags,
    ) in found:  # fmt: skip
        key = keys.get(customer_id)
        if key is None:
            continue
        title = subject and key.open_text(subject, account_id, "conversation", "subject", row_id)
        words = preview and key.open_text(preview, account_id, "conversation", "preview", row_id)
        called = name and key.open_text(name, account_id, "customer", "name", customer_id)
        reached = address and key.open_text(address, account_id, "address", "value", address_id)
        opened.append(
            Row(
                id=row_id,
                number=number,
                status=status,
                snoozed_until=millis(snoozed_until) if snoozed_until else None,
                spam=spam_at is not None,
                channel_id=channel_id,
                via=via,
                subject=title or None,
                preview=words or "",
                preview_by=preview_by,
                customer=CustomerFace(
                    customer_id, shown_name(called or None, reached or None, customer_id), hue(customer_id)
                ),
                tags=tags,
                assignee_id=assignee_id,
                last_at=millis(last_at),
                waiting_since=millis(waiting_since) if waiting_since else None,
                position=position,
                seen=seen or 0,
                unread=spoken > (seen or 0) and spoken_by != by.staff_user_id,
                draft=has_draft,
                failed=failed_at is not None,
                restricted=restricted,
                feed=feed,
            )
        )
    return opened
