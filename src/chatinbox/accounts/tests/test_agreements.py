"""No account without its agreement, by whatever door; where a sign-up came from is kept once and read by nobody."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import TupleRow

from chatinbox.accounts import agreements, documents
from chatinbox.accounts.sign_up import open_account, sign_up
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD, People, fresh_database
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import migrate
from chatinbox.core.postgres import Cluster
from chatinbox.core.vault import Vault


async def test_signing_up_stores_the_three_documents_with_the_account(inst: Installation, ada: Staff) -> None:
    [agreement] = await agreements.read_agreements(inst, ada.account_id)
    assert agreement.made_by == "sign_up" and agreement.staff_user_id == ada.staff_user_id
    for kind in documents.KINDS:
        assert getattr(agreement, kind) == documents.in_force(kind, now()).seal
    [acceptance] = await agreements.read_acceptances(inst, ada.account_id)
    assert (acceptance.terms, acceptance.privacy) == (agreement.terms, agreement.privacy)


async def test_no_account_can_be_stored_without_its_agreement(inst: Installation) -> None:
    account_id = new_id()
    insert = "insert into account (account_id, name_sealed, created_at, agreement_id) values (%s, '\\x00', now(), %s)"
    for agreement_id in (None, new_id()):
        with pytest.raises(errors.IntegrityError):
            await inst.db.run(account_id, (insert, [account_id, agreement_id]))
    [rows] = await inst.db.run(account_id, ("select 1 from account where account_id = %s", [account_id]))
    assert rows == []


async def test_an_account_cannot_stand_on_another_accounts_agreement(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    [foreign] = await agreements.read_agreements(inst, cyd.account_id)
    with pytest.raises(errors.ForeignKeyViolation):
        await inst.db.run(
            ada.account_id,
            ("update account set agreement_id = %s where account_id = %s", [foreign.id, ada.account_id]),
        )


async def test_a_person_who_opens_a_second_account_agrees_for_it_too(inst: Installation, ada: Staff) -> None:
    second = await open_account(inst, ada.person_id, "Ada", "ada@staff.example", "Second")
    assert [a.made_by for a in await agreements.read_agreements(inst, second.account_id)] == ["sign_up"]


async def test_who_joins_accepts_terms_and_privacy_policy(inst: Installation, ada: Staff, bea: Staff) -> None:
    found = {a.staff_user_id for a in await agreements.read_acceptances(inst, ada.account_id)}
    assert found == {ada.staff_user_id, bea.staff_user_id}


async def test_agreements_can_be_added_and_neither_altered_nor_removed(
    inst: Installation, ada: Staff
) -> None:
    for statement in ("update agreement set at = now()", "delete from agreement", "delete from acceptance"):
        with pytest.raises(errors.InsufficientPrivilege):
            await inst.db.run(ada.account_id, (f"{statement} where account_id = %s", [ada.account_id]))


async def test_nobody_sees_the_agreements_of_another_account(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    ask = ("select id from agreement where account_id = %s", [ada.account_id])
    assert (await inst.db.run(cyd.account_id, ask))[0] == []


async def test_only_who_may_hand_over_the_account_renews_its_agreement(
    inst: Installation, ada: Staff, bea: Staff
) -> None:
    with pytest.raises(Refused):
        await agreements.renew(inst, bea)
    await agreements.renew(inst, ada)  # nothing new is in force
    assert len(await agreements.read_agreements(inst, ada.account_id)) == 1


async def _as_owner(cluster: Cluster, inst: Installation, text: str, account_id: UUID) -> list[TupleRow]:
    """What the superuser of the database sees, whom row security does not bind."""
    [[name]] = await inst.db.directory("select current_database()")
    async with await psycopg.AsyncConnection.connect(cluster.dsn(cluster.superuser, name)) as conn:
        return await (await conn.execute(text, [account_id])).fetchall()


READ = "select id, ip_sealed from tenant.sign_up_origin where account_id = %s"


async def test_an_account_that_was_there_before_is_taken_over_and_agrees_when_its_owner_says_so(
    cluster: Cluster, inst: Installation, ada: Staff
) -> None:
    [[name]] = await inst.db.directory("select current_database()")
    async with await psycopg.AsyncConnection.connect(cluster.dsn(cluster.superuser, name)) as conn:
        await conn.execute(
            "update tenant.agreement set made_by = 'upgrade', staff_user_id = null, terms_seal = null,"
            " privacy_seal = null, dpa_seal = null where account_id = %s",
            [ada.account_id],
        )
    assert (await agreements.read_agreements(inst, ada.account_id))[0].terms is None
    await agreements.renew(inst, ada)
    present, before = await agreements.read_agreements(inst, ada.account_id)
    assert (present.made_by, before.made_by) == ("renewal", "upgrade") and present.dpa


async def test_where_a_sign_up_came_from_is_sealed_once_and_the_app_cannot_read_it(
    cluster: Cluster, inst: Installation
) -> None:
    email = f"ip.{new_id().hex}@staff.example"
    made = await sign_up(inst, "Ida", email, "Ida's", PASSWORD, origin="203.0.113.77")
    assert made
    with pytest.raises(errors.InsufficientPrivilege):
        await inst.db.run(made.account_id, (READ, [made.account_id]))
    [(row_id, sealed)] = await _as_owner(cluster, inst, READ, made.account_id)
    assert b"203.0.113.77" not in sealed
    key = await inst.vault.account_key(made.account_id)
    assert key.open_text(sealed, made.account_id, "sign_up_origin", "ip", row_id).strip() == "203.0.113.77"


async def test_two_sign_ups_from_one_place_have_nothing_in_common(
    cluster: Cluster, inst: Installation
) -> None:
    kept = []
    for origin in ("2001:db8::1", "2001:db8::1", "198.51.100.1"):
        made = await sign_up(inst, "Ida", f"same.{new_id().hex}@staff.example", "I", PASSWORD, origin=origin)
        assert made
        kept += [bytes(row[1]) for row in await _as_owner(cluster, inst, READ, made.account_id)]
    assert len(set(kept)) == 3
    assert len({len(one) for one in kept}) == 1  # the length tells not even the kind of address
    assert not {one[:14] for one in kept[:1]} & {one[:14] for one in kept[1:]}


async def test_what_is_no_network_address_is_not_kept(
    cluster: Cluster, inst: Installation, people: People
) -> None:
    for origin in (None, "", "testclient", "1.2.3.4; drop"):
        made = await sign_up(inst, "Ida", f"none.{new_id().hex}@staff.example", "I", PASSWORD, origin=origin)
        assert made
        assert await _as_owner(cluster, inst, READ, made.account_id) == []


async def test_the_migration_takes_over_accounts_that_are_older_and_says_that_nobody_agreed(
    cluster: Cluster, tmp_path: Path
) -> None:
    dsn, vault = fresh_database(cluster, f"older_{new_id().hex}"), Vault.open(tmp_path)
    migrate(dsn, vault)
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        # Back to the day before: as an installation stands that was made without agreements.
        await conn.execute("alter table tenant.account drop column agreement_id")
        await conn.execute("drop table tenant.agreement, tenant.acceptance, tenant.sign_up_origin")
        await conn.execute("delete from migration.applied where name like '0016%%'")
        older = new_id()
        add = "insert into tenant.account (account_id, name_sealed, created_at) values (%s, '\\x00', now())"
        await conn.execute(add, [older])
    assert migrate(dsn, vault) == ["0016_agreements.sql"]
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        ask = (
            "select made_by, terms_seal, staff_user_id from tenant.agreement g join tenant.account a"
            " on a.account_id = g.account_id and a.agreement_id = g.id where a.account_id = %s"
        )
        assert await (await conn.execute(ask, [older])).fetchall() == [("upgrade", None, None)]
        forced = "select relforcerowsecurity from pg_class where oid = 'tenant.account'::regclass"
        assert await (await conn.execute(forced)).fetchone() == (True,)
