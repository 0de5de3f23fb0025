"""Correct a customer: the name they go by, or an address that is wrong (GDPR Art. 16). Who hears of it brings the search after
it; other browsers load their lists again.
"""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import tell
from chatinbox.core.addresses import is_email, normal_email
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.masking import mask
from chatinbox.core.vault import Erased, SealKey
from chatinbox.core.visible import one_line
from chatinbox.customers.addresses import find_by_email, name_change
from chatinbox.customers.source import Source

MAX_NAME = 200
CORRECTED = "customer.corrected"


async def rename_customer(inst: Installation, by: Staff, customer_id: UUID, name: str) -> None:
    """Sets the name, with numbers masked as in messages; an empty one takes it away. Raises not-found and bad-request."""
    by.need("customers")
    account_id = by.account_id
    name = one_line(name)
    if len(name) > MAX_NAME:
        raise bad_request(f"A name has at most {MAX_NAME} letters.", "name")
    name = mask(name)
    key = await _key(inst, by, customer_id)
    source = Source("staff", by.staff_user_id, now())
    await _correct(inst, by, customer_id, name_change(key, account_id, customer_id, name, source))


async def correct_address(
    inst: Installation, by: Staff, customer_id: UUID, address_id: UUID, email: str
) -> None:
    """Puts another e-mail address in the place of a wrong one. It is staff's word: proven once a letter comes from it, and
    until then nobody is found by it. Raises not-found, and sentences for what is no address and for somebody else's.
    """
    by.need("customers")
    email = email.strip()
    if not is_email(email):
        raise bad_request("This is no e-mail address, such as ada@example.com.", "email")
    key = await _key(inst, by, customer_id)
    whose = await find_by_email(inst, by.account_id, email)
    if whose and whose != customer_id:
        raise Refused(409, "This address is another customer's.", "email")
    where = "account_id = %s and id = %s and customer_id = %s and kind = 'email'"
    asked = [by.account_id, address_id, customer_id]
    [rows] = await inst.db.run(by.account_id, (f"select value_sealed from address where {where}", asked))
    if not rows:
        raise not_found()
    before = key.open_text(rows[0][0], by.account_id, "address", "value", address_id)
    blind = await inst.vault.blind(by.account_id, "address", normal_email(before))
    if normal_email(before) == normal_email(email):
        return
    await _correct(
        inst,
        by,
        customer_id,
        (
            f"update address set value_sealed = %s, proven_at = null, source = 'staff', source_id = %s, created_at = %s where {where} returning 1",
            [key.seal(email, by.account_id, "address", "value", address_id), by.staff_user_id, now(), *asked],
        ),
        (
            "delete from address_lookup where account_id = %s and kind = 'email' and blind = %s and customer_id = %s",
            [by.account_id, blind, customer_id],
        ),
    )


async def _key(inst: Installation, by: Staff, customer_id: UUID) -> SealKey:
    try:
        return await inst.vault.customer_key(by.account_id, customer_id)
    except Erased:
        raise not_found() from None


async def _correct(inst: Installation, by: Staff, customer_id: UUID, *batch: Statement) -> None:
    """The change, its event and outbox row in one transaction, then one ring."""
    async with inst.db.account(by.account_id) as tx:
        first, *others = batch
        if not await tx.one(*first):
            raise not_found()
        told = await tx.many(*others, tell(by.account_id, CORRECTED, by.staff_user_id, customer_id))
    if told[-1]:  # a closed account gives no number
        inst.bell.ring(by.account_id, told[-1][0][0])
