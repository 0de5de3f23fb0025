"""`ledger verify`: goes along the access ledgers, compares them with what was signed, and with a head that was kept elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from chatinbox.accounts.every_account import every_account
from chatinbox.app import database
from chatinbox.app.opening import open_installation
from chatinbox.core import purpose
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy.access.heads import read_head
from chatinbox.privacy.access.verify import Signed, Verdict, verify


def verify_ledgers(settings: Settings, account: str, head: Path | None) -> int:
    """Prints a line an account and one a fault; 1 when one is not whole. Raises Trouble for what cannot be read."""
    settings = settings.with_addresses(settings.port, settings.mail_port)
    only, given = read_id(account), _given(head)
    if account and only is None:
        raise Trouble(f"“{account}” is not the id of an account.")
    if given:
        if only not in (None, given[0]):
            raise Trouble("This head is of another account.")
        only = given[0]
    with database.of_an_installation(settings) as admin_dsn:
        return asyncio.run(_print(settings, admin_dsn, only, [given[1]] if given else []))


def _given(file: Path | None) -> tuple[UUID, Signed] | None:
    if file is None:
        return None
    try:
        account_id, head, signed = read_head(file.read_bytes())
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Trouble(f"{file}: {error}.") from None
    return account_id, (head, signed)


@purpose.work(Use("Goes along the accounts' chains of who looked", "protect", "9"))
async def _print(settings: Settings, admin_dsn: str, only: UUID | None, given: list[Signed]) -> int:
    inst = await open_installation(settings, admin_dsn)
    broken = 0
    try:
        async for account_id in _accounts(inst, only):
            verdict = await verify(inst, account_id, given)
            broken += not verdict.whole
            for line in lines(account_id, verdict):
                print(line)
    finally:
        await inst.close()
    return int(broken > 0)


async def _accounts(inst: Installation, only: UUID | None) -> AsyncIterator[UUID]:
    if only:
        yield only
        return
    async for account_id in every_account(inst):
        yield account_id


def lines(account_id: UUID, verdict: Verdict) -> list[str]:
    """What is printed of one account."""
    words = "whole" if verdict.whole else "NOT WHOLE"
    told = f"{account_id}: {words}, {verdict.rows} rows up to {verdict.last}, {verdict.heads} heads"
    return [told, *(f"  {fault}" for fault in verdict.faults)]
