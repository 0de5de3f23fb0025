"""A customer user exists inside one account only. Somebody who writes to two businesses is two unrelated people to this software."""

from uuid import UUID

from chatinbox.core.vault import Vault
from promises.catalogue import OF_ACCOUNTS
from promises.stage import Here, Stage

CLAUSES = ("C04",)
SAME = "casey@mail.example"


def look_at_every_key(here: Here) -> str:
    """Every key, index and reference of an account's table begins with the account"""
    keys = here.column(
        "select conrelid::regclass::text || ' ' || conname from pg_constraint where contype in ('p', 'u', 'f')"
        f" and conrelid in ({OF_ACCOUNTS}) and (select attname from pg_attribute where attrelid = conrelid"
        " and attnum = conkey[1]) <> 'account_id'"
    )
    indexes = here.column(
        f"select indexrelid::regclass::text from pg_index where indrelid in ({OF_ACCOUNTS})"
        " and (select attname from pg_attribute where attrelid = indrelid and attnum = indkey[0]) <> 'account_id'"
    )
    assert not keys + indexes, f"not led by the account: {', '.join(keys + indexes)}"
    return f"{len(here.column(OF_ACCOUNTS))} tables of accounts, each key led by its account."


async def proof_that_two_are_unrelated(stage: Stage) -> str:
    """The same person wrote the same to two businesses: the two share no id and no bytes"""
    ada, cyd = await stage.two_businesses()
    for staff in (ada, cyd):
        await stage.people.say(staff, "The same words", SAME)
    held = [_values(stage, staff.account_id) for staff in (ada, cyd)]
    assert all(len(one) > 10 for one in held), "nothing was stored, so nothing was compared"
    shared = held[0] & held[1]
    assert not shared, f"{len(shared)} values are the same in both accounts"
    return f"{len(held[0])} and {len(held[1])} stored values of one person in two accounts; none in common."


def _values(stage: Stage, account_id: UUID) -> set[bytes]:
    """Every id and every sealed or keyed value that an account's tables of customers hold."""
    found: set[bytes] = set()
    columns = stage.rows(
        "select c.oid::regclass::text, a.attname, a.atttypid::regtype::text from pg_class c"
        " join pg_attribute a on a.attrelid = c.oid join pg_attribute o on o.attrelid = c.oid and o.attname = 'account_id'"
        " where c.relkind = 'r' and c.relnamespace in ('tenant'::regnamespace, 'search'::regnamespace)"
        " and a.atttypid in ('bytea'::regtype, 'uuid'::regtype) and a.attname not in ('agreement_id')"
    )
    for table, column, kind in columns:
        text = f"select {column}::text::bytea" if kind == "uuid" else f"select {column}"
        found |= {
            bytes(one)
            for one in stage.column(
                f"{text} from {table} where account_id = %s and {column} is not null", [account_id]
            )
        }
    return found


async def saboteur_keys_for_all(stage: Stage) -> None:
    """Looks people up under one key for all accounts"""

    async def shared(vault: Vault, _account_id: UUID, purpose: str, text: str) -> bytes:
        return vault.blind_installation(purpose, text)

    stage.swap(Vault, "blind", shared)


async def saboteur_makes_addresses_unique(stage: Stage) -> None:
    """Makes an address unique over all accounts"""
    stage.break_in("create unique index on tenant.address_lookup (blind)")
