"""Cases of an account: a customer's own request, as far as this account is concerned. It knows of no other account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Rows
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.customers.names import shown_name
from chatinbox.privacy.hold import IS_HELD
from chatinbox.privacy.whose import FAMILY

WINDOW = timedelta(days=7)
MORE_TIME = timedelta(days=59)
"""Two further months, counted by the shortest two (GDPR Art. 12(3))."""
TO_DO_IT = timedelta(days=2)
"""What is left, after people have decided, to do it before the clock ends."""
COLUMNS = (
    "d.id, d.customer_id, d.wish, d.assurance, d.arrives_at, d.told_at, d.objection_until, d.due_at, d.extended_at, d.decided_at,"
    " d.decided_by, d.granted, d.ground, d.answered_at, d.copy_id, d.copy_sent_at, d.copy_first_sent_at, d.copy_fetched_at,"
    " d.erasure_id, d.closed_at, e.begun_at, e.done_at, e.held_at, d.address_sealed, d.words_sealed, c.name_sealed"
)
FROM = (
    "data_case d left join erasure e on e.account_id = d.account_id and e.id = d.erasure_id"
    " left join customer c on c.account_id = d.account_id and c.id = d.customer_id"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One of them. `name`, `address` and `words` are None where the customer's key is gone, or nothing was said."""

    id: UUID
    customer_id: UUID
    address: str | None
    words: str | None
    name: str | None
    wish: str
    assurance: str
    arrives_at: datetime
    told_at: datetime | None
    objection_until: datetime | None
    due_at: datetime
    extended_at: datetime | None
    decided_at: datetime | None
    decided_by: UUID | None
    granted: str | None
    ground: str | None
    answered_at: datetime | None
    copy_id: UUID | None
    copy_sent_at: datetime | None
    copy_first_sent_at: datetime | None
    copy_fetched_at: datetime | None
    erasure_id: UUID | None
    closed_at: datetime | None
    begun_at: datetime | None
    erased_at: datetime | None
    held_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether people may still decide."""
        return self.told_at is not None and self.decided_at is None and self.closed_at is None

    def grants(self, what: str) -> bool:
        """Whether this of the wish is done."""
        return self.granted in (what, "both")


async def list_cases(inst: Installation, by: Staff) -> list[Case]:
    """The last hundred, those that wait first. Raises not-permitted.

    Who is kept out of a channel sees none: the customer may be another team's, and a request is about all of them.
    """
    by.need("erase")
    if by.kept_out:
        return []
    ask = (
        f"select {COLUMNS} from {FROM} where d.account_id = %s and d.arrives_at <= %s"
        " order by d.closed_at is null and d.decided_at is null desc, d.arrives_at desc limit 100"
    )
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, now()]))
    return opened(inst, by.account_id, rows)


async def read_case(inst: Installation, account_id: UUID, case_id: UUID) -> Case | None:
    """One that has arrived, by the program itself."""
    ask = f"select {COLUMNS} from {FROM} where d.account_id = %s and d.id = %s and d.arrives_at <= %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, case_id, now()]))
    return opened(inst, account_id, rows)[0] if rows else None


async def what_is_held(inst: Installation, account_id: UUID, customer_id: UUID) -> Literal["all", "some", ""]:
    """What of a customer must not be erased yet, for a proceeding or the law: everything, single conversations, or nothing."""
    ask = (
        f"{FAMILY} select h.conversation_id is null from hold h where {IS_HELD} and h.customer_id in (select id from family)"
        " order by 1 desc limit 1"
    )
    values = {"account": account_id, "customer": customer_id, "at": now()}
    [rows] = await inst.db.run(account_id, (ask, values))
    return "" if not rows else "all" if rows[0][0] else "some"


def opened(inst: Installation, account_id: UUID, rows: Rows) -> list[Case]:
    """Rows of `COLUMNS`, with what is sealed in them opened where its key is still there."""
    keys = inst.vault.known_customer_keys(account_id, {row[1] for row in rows})
    return [_open(account_id, keys.get(row[1]), *row) for row in rows]


def _open(account_id: UUID, key: SealKey | None, case_id: UUID, customer_id: UUID, *rest: Any) -> Case:
    *plain, address, words, name = rest

    def text(sealed: bytes | None, table: str, column: str, row_id: UUID) -> str | None:
        return key.open_text(sealed, account_id, table, column, row_id) if key and sealed else None

    found = text(address, "data_case", "address", case_id)
    said = text(words, "data_case", "words", case_id)
    called = shown_name(text(name, "customer", "name", customer_id), found, customer_id) if key else None
    return Case(case_id, customer_id, found, said, called, *plain)
