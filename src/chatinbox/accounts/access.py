"""Access: that somebody looked, written in the same trip as the reading itself. Whom it was about, never what they read.

A row says that in this quarter of an hour this staff user did this: nothing finer, so that it cannot be laid beside the
minutes of the security log (clause C15). The same again in the same quarter is the same row. `privacy/access` chains them.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import id_at
from chatinbox.core.installation import Installation

Deed: TypeAlias = Literal[
    "conversation",
    "ahead",
    "customer",
    "list",
    "search",
    "file",
    "letter",
    "report",
    "export",
    "sheet",
    "copy",
    "refused",
]
WORDS: dict[Deed, str] = {
    "conversation": "Opened a conversation",
    "ahead": "Loaded a conversation ahead",
    "customer": "Looked at a customer",
    "list": "Went further down a list",
    "search": "Searched",
    "file": "Fetched a file",
    "letter": "Read a letter as it came or left",
    "report": "Looked at a report about colleagues",
    "export": "Exported the account’s data",
    "sheet": "Downloaded a list as a sheet",
    "copy": "Took a copy of all about a customer",
    "refused": "Was refused a look",
}
COLUMNS = (
    "account_id, id, at, staff_user_id, grant_id, deed, customer_id, conversation_id, subject_id, row_count"
)
INSERT = f"insert into access_waiting ({COLUMNS})"
LAZILY = "set_config('synchronous_commit', 'off', true) is not null"
"""A condition of the insert that is always true: this commit does not wait for the disk, as the reading would not either.
A program that dies loses nothing by it; a machine that loses its power loses what was looked at in its last second."""
_MOST = 200_000  # remembered as written; more are written again
_written: set[Hashable] = set()
_quarter: datetime | None = None


def quarter() -> datetime:
    """The quarter of an hour the clock is in."""
    at = now()
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Look:
    """A row to be written with the reading it tells of."""

    statements: tuple[Statement, ...]  # none when it stands there already
    _key: Hashable

    def kept(self) -> None:
        """It is committed: the same need not be written again in this quarter of an hour."""
        _written.add(self._key)


NOT_NOTED = Look((), None)
"""For a reading that is told of elsewhere, or is nobody's."""


def looked(
    account_id: UUID,
    staff_user_id: UUID,
    deed: Deed,
    *,
    whose: Hashable | None = None,
    source: str = "",
    **values: Any,
) -> Look:
    """The row for a deed of a staff user, unless it stands there already. `whose` tells alike deeds apart; without it each
    is a row.

    `source` is what comes after the insert where the row depends on what is there; `values` are its own and the row's
    (`customer_id`, `conversation_id`, `subject_id`, `row_count`).
    """
    global _quarter
    at = quarter()
    if at != _quarter or len(_written) > _MOST:
        _written.clear()
        _quarter = at
    key = (staff_user_id, deed, whose)
    if whose is not None and key in _written:
        return Look((), key)
    return Look((_statement(account_id, at, staff_user_id, None, deed, source, values),), key)


async def note(
    inst: Installation, by: Staff, deed: Deed, *, whose: Hashable | None = None, **values: Any
) -> None:
    """Writes, before it is done, that a staff user does something that no reading of its own carries."""
    look = looked(by.account_id, by.staff_user_id, deed, whose=whose, **values)
    if look.statements:
        await inst.db.run(by.account_id, *look.statements)
        look.kept()


async def note_customers(inst: Installation, by: Staff, customer_ids: Iterable[UUID]) -> None:
    """Writes, before they are shown, that a staff user looks at each of these customers, in one statement however many.

    Many at once are lines of a page that was opened: its id stands in each of their rows, and whoever then opens one of them is
    written once more.
    """
    ids = set(customer_ids)
    are_lines = len(ids) > 1
    looks = {
        one: look
        for one in ids
        if (
            look := looked(
                by.account_id, by.staff_user_id, "customer", whose=("line", one) if are_lines else one
            )
        ).statements
    }
    if not looks:
        return
    at = quarter()
    values = {
        "account": by.account_id,
        "at": at,
        "who": by.staff_user_id,
        "page": id_at(at) if are_lines else None,
        "looks": [id_at(at) for _ in looks],
        "customers": list(looks),
    }
    await inst.db.run(by.account_id, (_CUSTOMERS, values))
    for look in looks.values():
        look.kept()


async def record_operator(
    inst: Installation, account_id: UUID, grant_id: UUID, deed: Deed, **subject: Any
) -> None:
    """Writes what the operator did under a grant, before they see it, or was refused, under the refusal, each time as a row of its
    own; `subject` as in `looked`.
    """
    await inst.db.run(account_id, _statement(account_id, quarter(), None, grant_id, deed, "", subject))


_CUSTOMERS = (
    f"{INSERT} select %(account)s, look, %(at)s, %(who)s, null::uuid, 'customer', customer_id, null::uuid, %(page)s::uuid, null::integer"
    " from unnest(%(looks)s::uuid[], %(customers)s::uuid[]) as one (look, customer_id)"
)
_PLAIN = (
    f"{INSERT} values (%(account)s, %(look)s, %(look_at)s, %(looker)s, %(grant)s, %(deed)s, %(customer_id)s,"
    " %(conversation_id)s, %(subject_id)s, %(row_count)s)"
)


def _statement(
    account_id: UUID,
    at: datetime,
    looker: UUID | None,
    grant_id: UUID | None,
    deed: Deed,
    source: str,
    values: dict[str, Any],
) -> Statement:
    given: dict[str, Any] = {
        "account": account_id,
        "look": id_at(at),
        "look_at": at,
        "looker": looker,
        "grant": grant_id,
        "deed": deed,
        "customer_id": None,
        "conversation_id": None,
        "subject_id": None,
        "row_count": None,
        **values,
    }
    return f"{INSERT} {source}" if source else _PLAIN, given
