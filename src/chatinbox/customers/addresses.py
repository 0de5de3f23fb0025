"""Addresses of customers, and who a proven one belongs to."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chatinbox.core.addresses import normal_email
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.customers.erased import IS_GOING
from chatinbox.customers.source import Source

_IS_GOING = IS_GOING.format(account="l.account_id", customer="l.customer_id", reach="g.conversations is null")


async def find_by_email(inst: Installation, account_id: UUID, email: str) -> UUID | None:
    """The customer whose proven address this is, in this account."""
    return (await find_by_emails(inst, account_id, [email])).get(email)


async def find_by_emails(inst: Installation, account_id: UUID, emails: Iterable[str]) -> dict[str, UUID]:
    """The same for many at once; an address that is nobody's is left out, and so is that of somebody who is being erased."""
    blinds = {one: await inst.vault.blind(account_id, "address", normal_email(one)) for one in emails}
    [rows] = await inst.db.run(
        account_id,
        (
            "select l.blind, coalesce(c.merged_into, c.id) from address_lookup l"
            " join customer c on c.account_id = l.account_id and c.id = l.customer_id"
            f" where l.account_id = %s and l.kind = 'email' and l.blind = any(%s) and not {_IS_GOING}",
            [account_id, list(blinds.values())],
        ),
    )
    found = {bytes(blind): customer_id for blind, customer_id in rows}
    return {one: found[blind] for one, blind in blinds.items() if blind in found}


async def write_address(
    inst: Installation,
    key: SealKey,
    account_id: UUID,
    customer_id: UUID,
    email: str,
    source: Source,
    proven: bool,
) -> list[Statement]:
    """The statements that give a customer an e-mail address. Only a proven one can be found by look-up. Of somebody who is being
    erased it is taken over: whoever writes now is somebody new.
    """
    batch = [address_row(key, account_id, customer_id, "email", email, source, proven)]
    if proven:
        blind = await inst.vault.blind(account_id, "address", normal_email(email))
        batch += [
            (
                f"delete from address_lookup l where account_id = %s and kind = 'email' and blind = %s and {_IS_GOING}",
                [account_id, blind],
            ),
            (
                "insert into address_lookup (account_id, kind, blind, customer_id) values (%s, 'email', %s, %s)",
                [account_id, blind, customer_id],
            ),
        ]
    return batch


def address_row(
    key: SealKey, account_id: UUID, customer_id: UUID, kind: str, value: str, source: Source, proven: bool
) -> Statement:
    """The statement that writes down one address of a customer."""
    row_id = new_id()
    sealed = key.seal(value, account_id, "address", "value", row_id)
    return (
        "insert into address (account_id, id, customer_id, kind, value_sealed, proven_at, created_at, source, source_id)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            account_id,
            row_id,
            customer_id,
            kind,
            sealed,
            source.at if proven else None,
            source.at,
            source.kind,
            source.id,
        ],
    )


async def look_up_again(inst: Installation, account_id: UUID) -> None:
    """Makes the look-ups of an account's proven addresses anew, as after a restore: they are never copied."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select id, customer_id, value_sealed from address where account_id = %s and kind = 'email' and proven_at is not null"
            " order by proven_at, id",
            [account_id],
        ),
    )
    keys = inst.vault.known_customer_keys(account_id, {row[1] for row in rows})
    found = [
        (await inst.vault.blind(account_id, "address", normal_email(told)), customer_id)
        for row_id, customer_id, sealed in rows
        if customer_id in keys
        and (told := keys[customer_id].open_text(sealed, account_id, "address", "value", row_id))
    ]
    await inst.db.run(
        account_id,
        (
            "insert into address_lookup (account_id, kind, blind, customer_id)"
            " select %s, 'email', blind, customer_id from unnest(%s::bytea[], %s::uuid[]) as found (blind, customer_id)"
            " on conflict do nothing",
            [account_id, [one[0] for one in found], [one[1] for one in found]],
        ),
    )


def write_customer(
    key: SealKey, account_id: UUID, customer_id: UUID, name: str | None, source: Source
) -> Statement:
    """The statement that makes a customer, with a name when they have one."""
    return (
        "insert into customer (account_id, id, name_sealed, name_source, name_source_id, name_sourced_at, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [account_id, customer_id, *_named(key, account_id, customer_id, name, source), source.at],
    )


def name_change(
    key: SealKey, account_id: UUID, customer_id: UUID, name: str | None, source: Source
) -> Statement:
    """The statement that calls a customer otherwise, or takes their name away; it answers with a row when they are there."""
    return (
        "update customer set name_sealed = %s, name_source = %s, name_source_id = %s, name_sourced_at = %s"
        " where account_id = %s and id = %s returning 1",
        [*_named(key, account_id, customer_id, name, source), account_id, customer_id],
    )


def _named(
    key: SealKey, account_id: UUID, customer_id: UUID, name: str | None, source: Source
) -> tuple[bytes | str | UUID | datetime | None, ...]:
    if not name:
        return (None,) * 4
    return key.seal(name, account_id, "customer", "name", customer_id), source.kind, source.id, source.at
