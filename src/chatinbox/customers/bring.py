"""Bring: a connected program names a customer by their e-mail address; they are made, completed, or left as they are.

Somebody who was erased here is not brought back. What the program does not name stays as it is.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey
from chatinbox.customers.addresses import (
    address_row,
    find_by_email,
    name_change,
    write_address,
    write_customer,
)
from chatinbox.customers.changed import customer_changed
from chatinbox.customers.erased import were_erased
from chatinbox.customers.source import Source

Became: TypeAlias = Literal["created", "changed", "same", "erased"]
KINDS = {"phone": "phone", "external_id": "external"}
"""Fields that are addresses, with their kind."""


class Brought(NamedTuple):
    """What became of one. No id where they were erased."""

    became: Became
    customer_id: UUID | None


async def bring(
    inst: Installation, account_id: UUID, email: str, fields: Mapping[str, str], source: Source
) -> Brought:
    """Makes or completes one customer. `fields` are of: name, language, phone, external_id; none of them is empty."""
    for _ in range(3):
        try:
            return await _bring(inst, account_id, email, fields, source)
        except UniqueViolation:  # the same new customer came by another door meanwhile
            continue
        except (Erased, ForeignKeyViolation):  # they are being erased at this moment
            break
    return Brought("erased", None)


async def look(inst: Installation, account_id: UUID, email: str) -> Brought:
    """What `bring` would find, and nothing is written: for a request that is repeated."""
    found = await find_by_email(inst, account_id, email)
    return Brought("same", found) if found else Brought("erased", None)


async def _bring(
    inst: Installation, account_id: UUID, email: str, fields: Mapping[str, str], source: Source
) -> Brought:
    found = await find_by_email(inst, account_id, email)
    if found:
        key = await inst.vault.customer_key(account_id, found)
        batch = await _changes(inst, key, account_id, found, fields, source)
        if not batch:
            return Brought("same", found)
        there, *_ = await inst.db.run(
            account_id, _there(account_id, found), *batch, customer_changed(account_id, found)
        )
        if not there:
            raise Erased("customer")
        return Brought("changed", found)
    named = [("email", email)]
    if "external_id" in fields:
        named.append(("external", fields["external_id"]))
    if await were_erased(inst, account_id, named):
        return Brought("erased", None)
    customer_id = new_id()
    key = await inst.vault.create_customer_key(account_id, customer_id)
    batch = [write_customer(key, account_id, customer_id, fields.get("name"), source)]
    batch += await write_address(inst, key, account_id, customer_id, email, source, proven=True)
    batch += [
        address_row(key, account_id, customer_id, kind, fields[name], source, False)
        for name, kind in KINDS.items()
        if name in fields
    ]
    if "language" in fields:
        batch.append(_language(account_id, customer_id, fields["language"], source))
    await inst.db.run(account_id, *batch, customer_changed(account_id, customer_id))
    return Brought("created", customer_id)


async def _changes(
    inst: Installation,
    key: SealKey,
    account_id: UUID,
    customer_id: UUID,
    fields: Mapping[str, str],
    source: Source,
) -> list[Statement]:
    """What has to be written so that a known customer is as the program says."""
    [people, addresses] = await inst.db.run(
        account_id,
        (
            "select name_sealed, language, restricted_at from customer where account_id = %s and id = %s",
            [account_id, customer_id],
        ),
        (
            "select id, kind, value_sealed, source_id from address where account_id = %s and customer_id = %s",
            [account_id, customer_id],
        ),
    )
    if not people:
        raise Erased("customer")
    sealed, language, restricted_at = people[0]
    if restricted_at:  # set aside: kept as it is (GDPR Art. 18)
        return []
    name = key.open_text(sealed, account_id, "customer", "name", customer_id) if sealed else None
    batch: list[Statement] = []
    if fields.get("name", name) != name:
        batch.append(name_change(key, account_id, customer_id, fields["name"], source))
    if fields.get("language", language) != language:
        batch.append(_language(account_id, customer_id, fields["language"], source))
    known = [
        (kind, key.open_text(value, account_id, "address", "value", row_id), source_id)
        for row_id, kind, value, source_id in addresses
    ]
    for field, kind in KINDS.items():
        if field not in fields or any(one[:2] == (kind, fields[field]) for one in known):
            continue
        theirs = "account_id = %s and customer_id = %s and kind = %s and source = 'sync' and source_id = %s"
        batch.append((f"delete from address where {theirs}", [account_id, customer_id, kind, source.id]))
        batch.append(address_row(key, account_id, customer_id, kind, fields[field], source, False))
    return batch


def _there(account_id: UUID, customer_id: UUID) -> Statement:
    """A row while they are there, and stay until what follows is written."""
    return "select 1 from customer where account_id = %s and id = %s for key share", [account_id, customer_id]


def _language(account_id: UUID, customer_id: UUID, language: str, source: Source) -> Statement:
    return (
        "update customer set language = %s, language_source = %s, language_source_id = %s, language_sourced_at = %s"
        " where account_id = %s and id = %s",
        [language, source.kind, source.id, source.at, account_id, customer_id],
    )
