"""The marks of addresses whose customers were erased: hashes under the account's key, so that no program brings them back."""

from collections.abc import Iterable
from uuid import UUID

from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

PURPOSE = "erased address"  # not that of look-ups: a mark leads to nobody, in no old copy either


KINDS = ("email", "external")
"""Kinds of address that mean one person. A telephone may be a family's, or a company's."""

KNOWN = "(proven_at is not null or source in ('staff', 'import', 'sync'))"
"""An address that is theirs for all we know: they wrote from it, or the business says so. What somebody only says of themself,
or a letter that nobody vouched for, may be another's, who must not be kept out for it.
"""

IS_GOING = """exists (select from erasure g join customer w on w.account_id = g.account_id and g.customer_id = coalesce(w.merged_into, w.id)
  where w.account_id = {account} and w.id = {customer} and g.begun_at is not null and g.done_at is null and {reach})"""
"""Whether somebody's erasure has begun and is not done. `reach` says whether one of single conversations counts: nothing new is
given to what is on its way out, or it would be gone unread.
"""


def _blind(key: SealKey, kind: str, value: str) -> bytes:
    plain = normal_email(value) if kind == "email" else value.strip()
    return key.blind(PURPOSE, f"{kind} {plain}")


async def mark_erased(inst: Installation, account_id: UUID, addresses: Iterable[tuple[str, str]]) -> None:
    """Marks addresses, each with its kind (`KINDS`; others are left out). Doing it again changes nothing."""
    key = await inst.vault.account_key(account_id)
    blinds = sorted({_blind(key, kind, value) for kind, value in addresses if kind in KINDS})
    if blinds:
        await inst.db.run(
            account_id,
            (
                "insert into erased_address (account_id, blind, erased_at) select %s, unnest(%s::bytea[]), %s on conflict do nothing",
                [account_id, blinds, now()],
            ),
        )


async def were_erased(inst: Installation, account_id: UUID, addresses: Iterable[tuple[str, str]]) -> bool:
    """Whether somebody with one of these addresses was erased here, and has not written since."""
    key = await inst.vault.account_key(account_id)
    ask = "select 1 from erased_address where account_id = %s and blind = any(%s) limit 1"
    [rows] = await inst.db.run(account_id, (ask, [account_id, [_blind(key, *one) for one in addresses]]))
    return bool(rows)


async def came_back(inst: Installation, account_id: UUID, email: str) -> Statement:
    """The statement that ends an address's mark: the person wrote again."""
    key = await inst.vault.account_key(account_id)
    text = "delete from erased_address where account_id = %s and blind = %s"
    return text, [account_id, _blind(key, "email", email)]
