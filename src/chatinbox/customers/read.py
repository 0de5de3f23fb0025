"""One customer as the side panel shows them."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from chatinbox.core.clock import millis
from chatinbox.core.db import Statement
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.names import hue, shown_name
from chatinbox.customers.source import Known, known


class Address(msgspec.Struct):
    """One way to reach a customer; `proven` when they wrote from it."""

    id: UUID
    kind: str
    value: str
    proven: bool
    source: Known


class Customer(msgspec.Struct):
    """A customer with their addresses. Times in milliseconds; `restricted_at` while they are set aside."""

    id: UUID
    name: str
    named: bool
    hue: int
    addresses: list[Address]
    since: int
    lang: str | None
    name_source: Known | None = None
    lang_source: Known | None = None
    restricted_at: int | None = None
    objected_at: int | None = None


def customer_statements(account_id: UUID, customer_id: UUID) -> list[Statement]:
    """The statements `open_customer` needs the rows of."""
    return [
        (
            "select id, name_sealed, language, created_at, name_source, name_source_id, name_sourced_at, language_source,"
            " language_source_id, language_sourced_at, restricted_at, objected_at from customer where account_id = %s and id = %s",
            [account_id, customer_id],
        ),
        (
            "select id, kind, value_sealed, proven_at, source, source_id, created_at from address where account_id = %s and customer_id = %s"
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
    _, name_sealed, language, created_at, *sources, restricted_at, objected_at = customers[0]
    name = key.open_text(name_sealed, account_id, "customer", "name", customer_id) if name_sealed else None
    opened = [
        Address(
            row_id,
            kind,
            key.open_text(value, account_id, "address", "value", row_id),
            proven_at is not None,
            known(source, source_id, at),
        )
        for row_id, kind, value, proven_at, source, source_id, at in addresses
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
        name_source=known(sources[0], sources[1], sources[2] or created_at) if name else None,
        lang_source=known(sources[3], sources[4], sources[5] or created_at) if language else None,
        restricted_at=millis(restricted_at) if restricted_at else None,
        objected_at=millis(objected_at) if objected_at else None,
    )


async def read_names(inst: Installation, account_id: UUID, customer_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What these customers are called on a page; who was erased is left out."""
    ids = list(customer_ids)
    ask = (
        "select c.id, c.name_sealed, a.id, a.value_sealed from customer c left join lateral (select id, value_sealed from address a"
        " where a.account_id = c.account_id and a.customer_id = c.id and a.kind = 'email' order by created_at limit 1) a on true"
        " where c.account_id = %s and c.id = any(%s)"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, ids]))
    keys = inst.vault.known_customer_keys(account_id, ids)
    return {
        row_id: shown_name(
            key.open_text(name, account_id, "customer", "name", row_id) if name else None,
            key.open_text(value, account_id, "address", "value", address_id) if value else None,
            row_id,
        )
        for row_id, name, address_id, value in rows
        if (key := keys.get(row_id))
    }
