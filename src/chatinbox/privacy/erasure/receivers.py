"""To whom the data of somebody who is erased had gone, by kind or by its name in a register, and what each is told (GDPR Art. 19).

Looked up in the ledger before programs are told and the key goes; sealed under the account's key, signed with the receipt. What an
order still hides from the account is in none of it.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from chatinbox.core.egress.recipients import REGISTER
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import instruction, read_names

PERMITTED = "whoever a permission of the business named"
PERMITTED_ALL = "whoever a permission for the whole account named; their data may have been in it"
COURT, DANGER = (
    "a court or an authority, by order of the law",
    "who averts a danger to life, limb or property",
)
WRITTEN = "themselves and whoever was in copy of their letters"
GONE = "a connected program whose connection ended"
OTHER = "a company that works for us"

TOLD = "a message to erase them, too, was made for it"
BY_THE_BUSINESS = "not by this program: the business tells them"
BOUND = "not told: what was handed over is kept under their own law"
DELIVERED = "not told: a letter that was delivered cannot be called back"
CANNOT = "not told: it cannot be reached any more"

_KNOW = "select connection_id from connection_knows where account_id = %(account)s and customer_id = any(%(family)s)"
_LEFT = """
with theirs as (select id from conversation where account_id = %(account)s and customer_id = any(%(family)s)
  union all select unnest(%(family)s))
select l.basis, l.named, case when l.basis = 'integration' then l.instruction end, l.subject_kind <> 'customer', count(*) from ledger l
 where l.account_id = %(account)s and l.outcome is distinct from 'withheld' and (l.subject_id in (select id from theirs)
  or (l.basis = 'permission' and l.subject_kind <> 'customer' and l.fields && '{words,name,e-mail address}'
    and exists (select from permission p where p.account_id = l.account_id and p.id = l.permission_id and p.object = 'account')
    and l.at >= (select min(c.created_at) from customer c where c.account_id = %(account)s and c.id = any(%(family)s)))
  or (l.gate = 'desk' and exists (select from operator_grant g join operator_access a on a.account_id = g.account_id and a.grant_id = g.id
    where g.account_id = %(account)s and 'case ' || g.case_id = l.instruction and a.customer_id = any(%(family)s))))
 group by 1, 2, 3, 4"""
_KEEP = """
update erasure set receivers_sealed = coalesce(receivers_sealed, %(sealed)s) where account_id = %(account)s and id = %(id)s"""


class Receiver(msgspec.Struct, frozen=True, order=True):
    """One kind of receiver, or one of a register: how often something left for it, and whether it hears of the erasure."""

    to: str
    why: str
    count: int
    told: str


async def note_receivers(
    inst: Installation, account_id: UUID, erasure_id: UUID, family: Sequence[UUID]
) -> None:
    """Keeps them with the erasure, unless they are kept already."""
    asked = {"account": account_id, "family": list(family)}
    know, left = await inst.db.run(account_id, (_KNOW, asked), (_LEFT, asked))
    names = await read_names(inst, account_id)
    known = {instruction(one) for (one,) in know}
    counts: Counter[tuple[str, str, str]] = Counter()
    for basis, named, program, of_account, count in left:
        to, told = _whom(basis, named, program, of_account, names, known)
        counts[to, basis, told] += count
    found = sorted(Receiver(to, basis, count, told) for (to, basis, told), count in counts.items())
    key = await inst.vault.account_key(account_id)
    sealed = key.seal(msgspec.json.encode(found).decode(), account_id, "erasure", "receivers", erasure_id)
    await inst.db.run(account_id, (_KEEP, {"account": account_id, "id": erasure_id, "sealed": sealed}))


async def open_receivers(
    inst: Installation, account_id: UUID, erasure_id: UUID, sealed: bytes | None
) -> tuple[Receiver, ...] | None:
    """What was kept; None for an erasure of single conversations, whose customer stays."""
    if sealed is None:
        return None
    key = await inst.vault.account_key(account_id)
    told = key.open_text(bytes(sealed), account_id, "erasure", "receivers", erasure_id)
    return tuple(msgspec.json.decode(told, type=list[Receiver]))


def _whom(
    basis: str,
    named: str | None,
    program: str | None,
    of_account: bool,
    names: dict[str, str],
    known: set[str],
) -> tuple[str, str]:
    if basis == "integration":
        here = program in names
        return names[program or ""] if here else GONE, TOLD if here and program in known else CANNOT
    if basis == "permission":
        return PERMITTED_ALL if of_account else PERMITTED, BY_THE_BUSINESS
    if basis in ("law", "rights"):
        return COURT if basis == "law" else DANGER, BOUND
    if basis == "service":
        return WRITTEN, DELIVERED
    return REGISTER[named].name if named in REGISTER else OTHER, BY_THE_BUSINESS
