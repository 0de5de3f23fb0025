"""Destroying a closed account: thirty days after, its keys first, then everything they opened. Begun again where it broke.

The certificate is made and kept before the first key goes, so what was destroyed can be said after any interruption.
"""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from psycopg.types.json import Jsonb

from chatinbox.accounts import owners
from chatinbox.accounts.closing import GRACE, read_closed_at
from chatinbox.accounts.leave import forget_person
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.sure import may_destroy
from chatinbox.privacy import certificate as certificates
from chatinbox.privacy import data_map
from chatinbox.privacy.certificate import Certificate

log = structlog.get_logger()


Leave = Callable[[Installation, UUID], Awaitable[None]]


@purpose.work(Use("Destroys what was closed thirty days ago", "end", "4"))
async def destroy_due(inst: Installation, leave: Leave | None = None) -> list[UUID]:
    """Destroys every account that was closed thirty days ago; which. `leave` takes its leave of others first. None while
    the clock is in doubt.
    """
    if not may_destroy("closed accounts"):
        return []
    rows = await inst.db.directory("select account_id from directory.closed_accounts(%s)", [now() - GRACE])
    for (account_id,) in rows:
        if leave:
            await leave(inst, account_id)
        await destroy(inst, account_id)
    return [row[0] for row in rows]


async def destroy(inst: Installation, account_id: UUID) -> None:
    """Destroys one closed account. Doing it again finishes what was left."""
    closed_at = await read_closed_at(inst, account_id)
    if closed_at and closed_at <= now() - GRACE:
        if not await inst.db.directory("select 1 from directory.find_closure(%s)", [account_id]):
            await _certify(inst, account_id, closed_at)
    elif closed_at or not await inst.db.directory("select 1 from directory.find_closure(%s)", [account_id]):
        return
    await take_away(inst, account_id, bool(closed_at))


async def destroy_again(inst: Installation, account_id: UUID, at: datetime) -> None:
    """Destroys an account that an older copy of the data brought back. Its keys went `at` that time; whom it concerns has the
    certificate, and another is kept for what the copy held.
    """
    if not await inst.db.directory("select 1 from directory.find_closure(%s)", [account_id]):
        await _keep(inst, await _count(inst, account_id, at, at))
    await take_away(inst, account_id, has_rows=True)


async def take_away(inst: Installation, account_id: UUID, has_rows: bool) -> None:
    """Keys, rows, files, and what the directory knows of an account that is closed for long. Twice is fine."""
    staff = await inst.db.directory("select * from directory.people_in(%s)", [account_id])
    await inst.vault.destroy_account(account_id)
    if has_rows:
        async with inst.db.account(account_id) as tx:
            await tx.execute("select search.clear()")
            await tx.execute("select work.erase_account(%s)", [now() - GRACE])
    await inst.files.remove_account(account_id)
    for person_id, elsewhere in staff:
        if not elsewhere:
            await forget_person(inst, person_id)
    await inst.db.directory("select directory.erase_account(%s, %s)", [account_id, now()])
    log.info("account_destroyed", account_id=str(account_id))


async def _certify(inst: Installation, account_id: UUID, closed_at: datetime) -> None:
    """Keeps the certificate and sends it to the owners, while their addresses can still be opened."""
    made = await _count(inst, account_id, closed_at, now())
    signature = certificates.sign(inst.vault, made)
    words = certificates.words(made)
    text = (
        "Your account is destroyed: its keys are gone, so nothing of it can be opened by anybody, in no copy either.\n\n"
        f"The certificate:\n\n{words.decode()}\n\nIts signature (Ed25519, base 64):\n\n"
        f"{base64.b64encode(signature).decode()}\n\nThe key that verifies it:\n\n{certificates.public_key(inst.vault)}\n"
    )
    subject = "Certificate: your account is destroyed"
    fields = ("id of the account", "times of its closing", "counts of what was destroyed")
    await owners.tell(inst, account_id, subject, text, "account closing", fields)
    await _keep(inst, made)


async def _count(inst: Installation, account_id: UUID, closed_at: datetime, at: datetime) -> Certificate:
    return Certificate(
        id=new_id(),
        account_id=account_id,
        closed_at=closed_at,
        destroyed_at=at,
        counts=await _counts(inst, account_id),
        keys=inst.vault.count_account(account_id),
        files=await inst.files.count_account(account_id),
    )


async def _keep(inst: Installation, made: Certificate) -> None:
    told = Jsonb(msgspec.json.decode(certificates.words(made)))
    await inst.db.directory(
        "select id from directory.add_closure(%s, %s, %s, %s, %s)",
        [made.id, made.account_id, told, certificates.sign(inst.vault, made), made.destroyed_at],
    )


async def _counts(inst: Installation, account_id: UUID) -> dict[str, int]:
    """Rows by table, of every table of the account that the data map names and the program may read."""
    tables = list(data_map.of_accounts())
    batch = [(f"select count(*) from {name} where account_id = %s", [account_id]) for name in tables]
    found = await inst.db.run(account_id, *batch)
    return {name.removeprefix("tenant."): rows[0][0] for name, rows in zip(tables, found, strict=True)}
