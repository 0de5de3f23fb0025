"""Read: how far a copy is, and the copy itself, for staff who proved again who they are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatinbox.accounts import access
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.whose import whose

_COLUMNS = "id, customer_id, staff_user_id, reach, asked_at, made_at, ends_at, ended_at, size, link_id is not null, handed_at"
GONE = Refused(410, "This copy is gone: it is removed after seven days. Ask for a new one.", "ended")


@dataclass(frozen=True, slots=True)
class Package:
    """One copy. `size` in bytes; `is_shared` while a link to it is good or was not used; `handed_at` on which day (UTC) its
    link was used.
    """

    id: UUID
    customer_id: UUID
    staff_user_id: UUID | None
    reach: str
    asked_at: datetime
    made_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    size: int | None
    is_shared: bool
    handed_at: datetime | None

    @property
    def is_there(self) -> bool:
        """Whether it can be had now."""
        return self.made_at is not None and self.ended_at is None and (self.ends_at or now()) > now()


async def list_packages(inst: Installation, by: Staff, customer_id: UUID) -> list[Package]:
    """The last twenty copies about a customer, the newest first. Raises not-found and not-permitted."""
    by.need("export")
    root, sees_all = await whose(inst, by.account_id, customer_id, by)
    ask = f"select {_COLUMNS} from package where account_id = %s and customer_id = %s order by asked_at desc limit 20"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, root]))
    return [Package(*row) for row in rows] if sees_all else []


async def package_state(inst: Installation, account_id: UUID, package_id: UUID) -> Package:
    """How far one is. Raises not-found."""
    ask = f"select {_COLUMNS} from package where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, package_id]))
    if not rows:
        raise not_found()
    return Package(*rows[0])


async def read_package(
    inst: Installation, account_id: UUID, package_id: UUID, by: Staff | None
) -> AsyncIterator[bytes]:
    """The ZIP's bytes, piece by piece. Raises before the first: not-found, not-permitted, and a sentence (409, 410) for one
    that is not made yet, or is gone. `by` is None for the person themself, after whatever proof the caller asked for.
    """
    if by:
        by.need("export")
    found = await package_state(inst, account_id, package_id)
    if by:
        await need_all(inst, by, found)
    if found.made_at is None and found.ended_at is None:
        raise Refused(409, "This copy is not made yet. Look again in a minute.", "not_made")
    if not found.is_there:
        raise GONE
    try:
        key = await inst.vault.package_key(account_id, package_id)
    except Erased:
        raise GONE from None
    if by:
        account_key = await inst.vault.account_key(account_id)
        note = noted(account_key, by, "customer.copy_taken", subject_id=found.customer_id)
        await inst.db.run(account_id, note)
        await access.note(inst, by, "copy", customer_id=found.customer_id)
    return inst.files.stream(key, account_id, package_id)


async def need_all(inst: Installation, by: Staff, found: Package) -> None:
    """Raises not-found for a copy that holds what another team has."""
    _, sees_all = await whose(inst, by.account_id, found.customer_id, by)
    if not sees_all:
        raise not_found()
