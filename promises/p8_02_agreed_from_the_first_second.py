"""A data-processing agreement is part of the contract from the second an account exists. The database refuses an account without one."""

from uuid import UUID

from psycopg.errors import IntegrityError

from chatinbox.accounts import agreements, documents
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from promises.means import lift
from promises.stage import Here, Stage

CLAUSES = ("C65",)


def look_at_every_account(here: Here) -> str:
    """Every account stands on an agreement of its own, and none can be altered or removed by the program"""
    bare = here.column(
        "select count(*) from tenant.account a left join tenant.agreement g on g.account_id = a.account_id and g.id = a.agreement_id"
        " where g.id is null or g.dpa_seal is null"
    )[0]
    assert bare == 0, f"{bare} accounts have none"
    may = [
        kind
        for kind in ("update", "delete")
        if here.column("select has_table_privilege('chatinbox_app', 'tenant.agreement', %s)", [kind])[0]
    ]
    assert not may, f"the program may {' and '.join(may)} agreements"
    held = here.column(
        "select attnotnull from pg_attribute where attrelid = 'tenant.account'::regclass and attname = 'agreement_id'"
    )
    keys = here.column(
        "select conname from pg_constraint where conrelid = 'tenant.account'::regclass and contype = 'f' and confrelid = 'tenant.agreement'::regclass"
    )
    assert held == [True] and keys, "the database would take an account without one"
    return "Each account stands on an agreement of its own."


async def proof_that_none_is_stored_without(stage: Stage) -> str:
    """An account without an agreement, with a made-up one or with a neighbour's is refused by the database"""
    ada, cyd = await stage.two_businesses()
    [agreed] = await agreements.read_agreements(stage.inst, ada.account_id)
    assert agreed.dpa == documents.in_force("dpa", now()).seal, (
        "another version was agreed to than the one in force"
    )
    [foreign] = await agreements.read_agreements(stage.inst, cyd.account_id)
    for agreement_id in (None, new_id(), foreign.id):
        assert await _refused(stage, agreement_id), "an account was stored without an agreement of its own"
    return "Three accounts without an agreement of their own were refused."


async def _refused(stage: Stage, agreement_id: UUID | None) -> bool:
    account_id = new_id()
    insert = "insert into account (account_id, name_sealed, created_at, agreement_id) values (%s, '\\x00', now(), %s)"
    try:
        await stage.inst.db.run(account_id, (insert, [account_id, agreement_id]))
    except IntegrityError:
        return True
    return False


async def saboteur_makes_it_optional(stage: Stage) -> None:
    """Makes the agreement optional"""
    stage.break_in("alter table tenant.account alter column agreement_id drop not null")


async def saboteur_takes_any(stage: Stage) -> None:
    """Takes any agreement, made-up ones too"""
    lift(stage, "tenant.account", kind="f")


async def saboteur_lets_it_be_altered(stage: Stage) -> None:
    """Lets agreements be altered afterwards"""
    stage.break_in("grant update on tenant.agreement to chatinbox_app")
