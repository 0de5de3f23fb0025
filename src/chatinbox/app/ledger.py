"""`ledger verify`: goes along the ledgers of who looked and of what left, compares them with what was signed, and with a head that was kept elsewhere."""

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
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.book import Book, Verdict
from chatinbox.privacy.chain.heads import Given, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.left.book import LEFT

BOOKS: tuple[Book, ...] = (ACCESS, LEFT)


def verify_ledgers(settings: Settings, account: str, head: Path | None) -> int:
    """Prints a line an account and one a fault; 1 when one is not whole. Raises Trouble for what cannot be read."""
    settings = settings.with_addresses(settings.port, settings.mail_port)
    only, given = read_id(account), _given(head)
    if account and only is None:
        raise Trouble(f"“{account}” is not the id of an account.")
    if given:
        if only not in (None, given.account_id):
            raise Trouble("This head is of another account.")
        only = given.account_id
    with database.of_an_installation(settings) as admin_dsn:
        return asyncio.run(_print(settings, admin_dsn, only, given))


def _given(file: Path | None) -> Given | None:
    if file is None:
        return None
    try:
        given = read_head(file.read_bytes())
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Trouble(f"{file}: {error}.") from None
    if given.ledger not in (book.name for book in BOOKS):
        raise Trouble(f"{file}: this is the head of no ledger that is kept here.")
    return given


@purpose.work(Use("Goes along the accounts' chains of who looked and what left", "protect", "9"))
async def _print(settings: Settings, admin_dsn: str, only: UUID | None, given: Given | None) -> int:
    inst = await open_installation(settings, admin_dsn)
    broken = 0
    try:
        async for account_id in _accounts(inst, only):
            for book in BOOKS:
                kept = [(given.head, given.signed)] if given and given.ledger == book.name else []
                verdict = await verify(inst, book, account_id, kept)
                broken += not verdict.whole
                print("\n".join(lines(account_id, book, verdict)))
    finally:
        await inst.close()
    return int(broken > 0)


async def _accounts(inst: Installation, only: UUID | None) -> AsyncIterator[UUID]:
    if only:
        yield only
        return
    async for account_id in every_account(inst):
        yield account_id


def lines(account_id: UUID, book: Book, verdict: Verdict) -> list[str]:
    """What is printed of one ledger of an account."""
    words = "whole" if verdict.whole else "NOT WHOLE"
    told = f"{account_id}, {book.words}: {words}, {verdict.rows} rows, the chain up to {verdict.last}, {verdict.heads} heads"
    return [told, *(f"  {fault}" for fault in verdict.faults)]
