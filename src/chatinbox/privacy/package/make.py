"""Make: the copy that was asked for, sealed under a key of its own; and its end, after seven days at the latest."""

from uuid import UUID

import structlog

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.package.ask import KEPT
from chatinbox.privacy.package.gather import Gathering
from chatinbox.privacy.package.person import read_person
from chatinbox.privacy.package.write import write_copy
from chatinbox.privacy.whose import family_of

log = structlog.get_logger()


async def make_package(inst: Installation, account_id: UUID, package_id: UUID) -> bool:
    """Makes one; False when there is nothing to make: it is made already, or the customer was erased meanwhile."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select customer_id, reach from package where account_id = %s and id = %s and made_at is null and ended_at is null",
            [account_id, package_id],
        ),
    )
    if not rows:
        return False
    customer_id, reach = rows[0]
    try:
        family = await family_of(inst, account_id, customer_id)
        gathering = Gathering(inst, account_id, family, reach)
        await gathering.begin()
        person = await read_person(inst, account_id, family, reach, gathering)
        key = await inst.vault.create_package_key(account_id, package_id)
        content = write_copy(inst, account_id, gathering, person)
        size = await inst.files.put_stream(key, account_id, package_id, content)
    except Erased:
        await shut(inst, account_id, package_id)
        return False
    at = now()
    [kept] = await inst.db.run(
        account_id,
        (
            "update package set made_at = %s, ends_at = %s, size = %s where account_id = %s and id = %s and made_at is null"
            " and ended_at is null returning 1",
            [at, at + KEPT, size, account_id, package_id],
        ),
    )
    if not kept:  # the customer was erased, or something of theirs, while it was written
        await shut(inst, account_id, package_id)
        return False
    log.info("package_made", account_id=str(account_id), bytes=size)
    return True


async def shut(inst: Installation, account_id: UUID, package_id: UUID) -> None:
    """Destroys a copy's key, so that the file opens nowhere, then the file; its row is the caller's."""
    await inst.vault.destroy("package", account_id, package_id)
    await inst.files.remove(account_id, package_id)


async def end_package(inst: Installation, account_id: UUID, package_id: UUID) -> None:
    """Ends a copy: nobody gets it any more, and it is removed."""
    await shut(inst, account_id, package_id)
    await inst.db.run(
        account_id,
        (
            "update package set ended_at = coalesce(ended_at, %s), link_id = null, phrase_blind = null"
            " where account_id = %s and id = %s",
            [now(), account_id, package_id],
        ),
    )
    await shut(inst, account_id, package_id)  # one that became whole meanwhile


async def end_old(inst: Installation, account_id: UUID) -> int:
    """Ends every copy that is seven days old, and what was asked for a day ago and never made; how many."""
    at = now()
    [rows] = await inst.db.run(
        account_id,
        (
            "select id from package where account_id = %s and ended_at is null"
            " and (ends_at <= %s or made_at is null and asked_at < %s::timestamptz - interval '1 day')",
            [account_id, at, at],
        ),
    )
    for (package_id,) in rows:
        await end_package(inst, account_id, package_id)
    return len(rows)
