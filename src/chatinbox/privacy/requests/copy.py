"""The copy a person gets of what is held about them: made as staff's copies are, fetched once by a link to the mailbox.

What somebody else wrote from the same address is left out of it: an opened link shows a mailbox, and not which of several
people reads it.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from chatinbox.accounts.links import gone
from chatinbox.core.clock import this_day
from chatinbox.core.installation import Installation
from chatinbox.core.vault import BadToken
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.read import package_state, read_package

PREPARED = "Your copy is being prepared. A link to it comes in a letter of its own."
PURPOSE = "data-copy"
_FETCHED = """
update data_case set copy_fetched_at = %s where account_id = %s and id = %s and copy_id = %s and copy_fetched_at is null
returning 1"""


async def ask_copy(inst: Installation, account_id: UUID, customer_id: UUID) -> UUID:
    """Has one made; its id."""
    return await ask_package(inst, account_id, customer_id, None, "person")


async def is_ready(inst: Installation, account_id: UUID, copy_id: UUID) -> bool | None:
    """Whether it can be fetched; None when it is gone before it could."""
    found = await package_state(inst, account_id, copy_id)
    return None if found.ended_at else found.is_there


def mint_copy(inst: Installation, account_id: UUID, case_id: UUID, copy_id: UUID) -> str:
    """What the link to it carries."""
    return inst.vault.mint(PURPOSE, account_id.bytes + case_id.bytes + copy_id.bytes)


async def look_at_copy(inst: Installation, token: str) -> None:
    """Whether a link is good. Raises the one sentence when it is not; looking uses nothing up."""
    account_id, case_id, copy_id = _behind(inst, token)
    ask = "select 1 from data_case where account_id = %s and id = %s and copy_id = %s and copy_fetched_at is null"
    [rows] = await inst.db.run(account_id, (ask, [account_id, case_id, copy_id]))
    if not rows or not await is_ready(inst, account_id, copy_id):
        raise gone()


async def fetch_copy(inst: Installation, token: str) -> AsyncIterator[bytes]:
    """The copy, once. Raises as `look_at_copy`, before the first byte."""
    await look_at_copy(inst, token)
    account_id, case_id, copy_id = _behind(inst, token)
    content = await read_package(inst, account_id, copy_id, None)
    [rows] = await inst.db.run(account_id, (_FETCHED, [this_day(), account_id, case_id, copy_id]))
    if not rows:  # of two at once, one gets it
        raise gone()
    return content


def _behind(inst: Installation, token: str) -> tuple[UUID, UUID, UUID]:
    try:
        raw = inst.vault.read(PURPOSE, token)
    except BadToken:
        raise gone() from None
    return UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), UUID(bytes=raw[32:])
