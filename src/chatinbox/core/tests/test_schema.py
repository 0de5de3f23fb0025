"""The catalogue keeps the rules of data: forced row security, the account first in every key, no role that bypasses."""

import psycopg
import pytest
from psycopg import errors

from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation

OF_ACCOUNTS = "select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'tenant' and c.relkind in ('r', 'p')"


async def ask(inst: Installation, text: str) -> list[str]:
    return sorted(str(row[0]) for row in await inst.db.directory(text))


async def test_every_account_table_has_forced_row_security_by_the_signed_context(inst: Installation) -> None:
    unforced = f"select relname from pg_class where oid in ({OF_ACCOUNTS}) and not (relrowsecurity and relforcerowsecurity)"
    assert await ask(inst, unforced) == []
    policies = await inst.db.directory(
        f"select polrelid::regclass, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), polpermissive"
        f" from pg_policy where polrelid in ({OF_ACCOUNTS}) and polpermissive"
    )
    tables = await inst.db.directory(f"select count(*) from ({OF_ACCOUNTS}) t")
    assert len(policies) == tables[0][0] > 20
    for table, using, check, _ in policies:
        assert "ctx.account()" in using and using == check, table


async def test_every_other_policy_takes_rows_away_and_those_the_operators_role_reads_name_a_look(
    inst: Installation,
) -> None:
    others = await inst.db.directory(
        "select polrelid::regclass::text, polroles::regrole[]::text[], polcmd::text, pg_get_expr(polqual, polrelid) from pg_policy"
        f" where polrelid in ({OF_ACCOUNTS}) and not polpermissive"
    )
    assert {roles[0] for _, roles, _, _ in others} == {"chatinbox_app", "chatinbox_operator"}
    assert all(len(roles) == 1 for _, roles, _, _ in others)
    not_to_read = [(table, *roles, how) for table, roles, how, _ in others if how != "r"]
    assert not_to_read == [("ledger_waiting", "chatinbox_app", "a")]  # what is put in there has a seal
    named = {
        table for table, [role], _, using in others if role == "chatinbox_operator" and "desk.rows" in using
    }
    reads = f"select oid::regclass from pg_class where oid in ({OF_ACCOUNTS}) and has_any_column_privilege('chatinbox_operator', oid, 'select')"
    assert sorted(named) == await ask(inst, reads) and len(named) == 11
    writes = f"select oid::regclass from pg_class where oid in ({OF_ACCOUNTS}) and has_table_privilege('chatinbox_operator', oid, 'insert, update, delete, truncate')"
    assert await ask(inst, writes) == []


async def test_every_unique_and_foreign_key_and_index_leads_with_the_account(inst: Installation) -> None:
    keys = (
        "select conrelid::regclass::text || ' ' || conname from pg_constraint where contype in ('p', 'u', 'f')"
        f" and conrelid in ({OF_ACCOUNTS}) and (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1])"
        " <> 'account_id'"
    )
    indexes = (
        f"select indexrelid::regclass from pg_index where indrelid in ({OF_ACCOUNTS})"
        " and (select attname from pg_attribute where attrelid = indrelid and attnum = indkey[0]) <> 'account_id'"
    )
    assert await ask(inst, keys) == []
    assert await ask(inst, indexes) == []


async def test_no_account_table_has_a_trigger_of_ours_or_sets_null_on_delete(inst: Installation) -> None:
    assert (
        await ask(
            inst, f"select tgname from pg_trigger where tgrelid in ({OF_ACCOUNTS}) and not tgisinternal"
        )
        == []
    )
    nulling = (
        f"select conname from pg_constraint where conrelid in ({OF_ACCOUNTS}) and confdeltype in ('n', 'd')"
    )
    assert await ask(inst, nulling) == []


async def test_none_of_our_roles_is_a_superuser_or_bypasses_row_security(inst: Installation) -> None:
    strong = "select rolname from pg_roles where rolname like 'chatinbox%%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"
    assert await ask(inst, strong) == []
    assert (await inst.db.directory("select current_user"))[0][0] == "chatinbox_app"


async def test_the_app_owns_nothing_and_is_member_of_nothing(inst: Installation) -> None:
    owned = "select relname from pg_class where relowner = 'chatinbox_app'::regrole"
    member = "select roleid::regrole from pg_auth_members where member = 'chatinbox_app'::regrole"
    assert await ask(inst, owned) == []
    assert await ask(inst, member) == []


async def test_without_a_context_there_are_no_rows(inst: Installation, ada: Staff) -> None:
    assert await inst.db.directory("select account_id from account") == []


async def test_with_one_accounts_context_the_other_account_is_not_there(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    rows = (await inst.db.run(ada.account_id, ("select account_id from account", [])))[0]
    assert rows == [(ada.account_id,)]
    [stolen] = await inst.db.run(
        ada.account_id, ("select 1 from staff_user where account_id = %s", [cyd.account_id])
    )
    assert stolen == []


async def test_writing_into_another_account_is_refused_by_the_database(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await inst.db.run(
            ada.account_id, ("insert into counter (account_id, kind) values (%s, 'feed')", [cyd.account_id])
        )


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_forged_context_is_an_error(inst: Installation, ada: Staff, cyd: Staff, part: int) -> None:
    pieces = inst.vault.context(ada.account_id).split(".")
    pieces[part] = [str(cyd.account_id), "9999999999", "0" * 64][part]
    async with (
        await psycopg.AsyncConnection.connect(inst.db.dsn, autocommit=True) as conn,
        conn.transaction(),
    ):
        await conn.execute(f"set local app.context = '{'.'.join(pieces)}'")  # type: ignore[arg-type]
        with pytest.raises(errors.InsufficientPrivilege):
            async with conn.transaction():
                await conn.execute("select account_id from account")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from ctx.secret",
        "select ctx.inner_pad()",
        "select ctx.outer_pad()",
        "select * from directory.chat_key",
        "set role chatinbox_owner",
    ],
)
async def test_the_app_cannot_read_the_signing_key_or_the_directory_or_become_the_owner(
    inst: Installation, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await inst.db.directory(statement)


@pytest.mark.parametrize("is_guarded", [True, False])
async def test_no_session_can_have_the_signing_key_printed(
    inst: Installation, above_all: str, ada: Staff, is_guarded: bool
) -> None:
    """The key stands in the plans of a session. Unguarded it would be printed: so the proof can fail."""
    said: list[str] = []
    async with (
        await psycopg.AsyncConnection.connect(above_all, autocommit=True) as conn,
        conn.transaction(force_rollback=True),
    ):
        if not is_guarded:
            await conn.execute("alter function ctx.account() reset debug_print_plan")
        found = await (await conn.execute("select inner_pad, outer_pad from ctx.secret")).fetchone()
        await conn.execute("set local role chatinbox_app")
        conn.add_notice_handler(
            lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}")
        )
        for name in ("debug_print_plan", "debug_print_parse", "debug_print_rewritten"):
            await conn.execute(f"set local {name} = on")
        await conn.execute("set local client_min_messages = log")
        await conn.execute(f"set local app.context = '{inst.vault.context(ada.account_id)}'")  # type: ignore[arg-type]
        assert await (await conn.execute("select account_id from tenant.account")).fetchall() == [
            (ada.account_id,)
        ]
    assert found and said
    plans = "".join("".join(said).split())  # lines break anywhere
    printed = ["".join(str(byte - 256 * (byte > 127)) for byte in pad) in plans for pad in found]
    assert printed == [not is_guarded] * 2


async def test_a_context_ends_with_its_transaction(inst: Installation, ada: Staff) -> None:
    async with inst.db.account(ada.account_id) as tx:
        assert await tx.all("select account_id from account") == [(ada.account_id,)]
    for _ in range(20):
        assert await inst.db.directory("select account_id from account") == []


async def test_no_column_is_made_for_a_network_address(inst: Installation) -> None:
    kinds = (
        "select attrelid::regclass || '.' || attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p')"
        " and atttypid in ('inet'::regtype, 'cidr'::regtype)"
        " and n.nspname not in ('pg_catalog', 'information_schema')"
    )
    assert await ask(inst, kinds) == []
