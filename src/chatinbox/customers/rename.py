"""Give a customer the name they go by."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.changed import customer_changed

MAX_NAME = 200


async def rename_customer(inst: Installation, by: Staff, customer_id: UUID, name: str) -> None:
    """Sets the name; an empty one takes it away. Raises not-found and bad-request."""
    by.need("customers")
    account_id = by.account_id
    name = " ".join(name.split())
    if len(name) > MAX_NAME:
        raise bad_request(f"A name has at most {MAX_NAME} letters.", "name")
    try:
        key = await inst.vault.customer_key(account_id, customer_id)
    except Erased:
        raise not_found() from None
    sealed = key.seal(name, account_id, "customer", "name", customer_id) if name else None
    rows, _ = await inst.db.run(
        account_id,
        (
            "update customer set name_sealed = %s, name_source = %s, name_source_id = %s, name_sourced_at = %s"
            " where account_id = %s and id = %s returning 1",
            [sealed, *(("staff", by.staff_user_id, now()) if name else (None,) * 3), account_id, customer_id],
        ),
        customer_changed(account_id, customer_id),
    )
    if not rows:
        raise not_found()
