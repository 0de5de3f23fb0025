"""Ask: somebody wants a copy of what is held about a customer. A job makes it; `read` says how far it is."""

from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.privacy.whose import need_whole

JOB = "make_package"
KEPT = timedelta(days=7)
"""How long a made copy lies here."""
WAITS = timedelta(hours=1)
"""How long one that was asked for and is not made yet is enough for whoever asks again."""
Reach: TypeAlias = Literal["person", "mailbox"]
"""`person`: what somebody else wrote from the same address is left out. `mailbox`: staff say that it is all one person."""


async def ask_package(
    inst: Installation, account_id: UUID, customer_id: UUID, by: Staff | None, reach: Reach = "person"
) -> UUID:
    """Has a copy made of all that is held about a customer, and whoever turned out to be them; its id.

    `by` is None when no staff user asks but the person, who was found to be it. One that is being made is enough for both.
    Raises not-found, not-permitted, and a sentence for whom another team has part of.
    """
    if by:
        by.need("export")
    root = await need_whole(inst, account_id, customer_id, by)
    waiting, package_id, at = (
        "select id from package where account_id = %s and customer_id = %s and reach = %s and made_at is null"
        " and ended_at is null and asked_at > %s",
        new_id(),
        now(),
    )
    [rows] = await inst.db.run(account_id, (waiting, [account_id, root, reach, at - WAITS]))
    if rows:
        return UUID(str(rows[0][0]))
    key = await inst.vault.account_key(account_id)
    note = [noted(key, by, "customer.copy_asked", subject_id=root)] if by else []
    await inst.db.run(
        account_id,
        (
            "insert into package (account_id, id, customer_id, staff_user_id, reach, asked_at) values (%s, %s, %s, %s, %s, %s)",
            [account_id, package_id, root, by.staff_user_id if by else None, reach, at],
        ),
        *note,
    )
    await inst.jobs.later(
        JOB, job_ids(account_id=account_id, package_id=package_id), once=f"package {package_id}"
    )
    return package_id
