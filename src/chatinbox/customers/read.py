"""One customer as the side panel shows them."""

from uuid import UUID

import msgspec

from chatinbox.core.clock import millis
from chatinbox.core.db import Statement
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.names import hue, shown_name


class Address(msgspec.Struct):
    """One way to reach a customer; `proven` when they wrote from it."""

    kind: str
    value: str
    proven: bool


class Customer(msgspec.Struct):
    """A customer with their addresses. `since` in milliseconds."""

    id: UUID
    name: str
    named: bool
    hue: int
    addresses: list[Address]
    since: int
    lang: str | None


def customer_statements(account_id: UUID, customer_id: UUID) -> list[Statement]:
    """The statements `open_customer` needs the rows of."""
    return [
        (
            "select id, name_sealed, language, created_at from customer where account_id = %s and id = %s",
            [account_id, customer_id],
        ),
        (
            "select id, kind, value_sealed, proven_at from address where account_id = %s and customer_id = %s"
            " order by created_at limit 50",
            [account_id, customer_id],
        ),
    ]


async def read_customer(inst: Installation, account_id: UUID, customer_id: UUID) -> Customer:
    """A customer of this account; raises not-found, also for one who was erased."""
    customers, addresses = await inst.db.run(account_id, *customer_statements(account_id, customer_id))
    key = inst.vault.known_customer_keys(account_id, [customer_id]).get(customer_id)
    if not customers or key is None:
        raise not_found()
    _, name_sealed, language, created_at = customers[0]
    name = key.open_text(name_sealed, account_id, "customer", "name", customer_id) if name_sealed else None
    opened = [
        Address(kind, key.open_text(value, account_id, "address", "value", row_id), proven_at is not None)
        for row_id, kind, value, proven_at in addresses
    ]
    first = next((address.value for address in opened if address.kind == "email"), None)
    return Customer(
        id=customer_id,
        name=shown_name(name, first, customer_id),
        named=bool(name),
        hue=hue(customer_id),
        addresses=opened,
        since=millis(created_at),
        lang=language,
    )
