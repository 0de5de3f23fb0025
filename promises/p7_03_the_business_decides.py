"""As a customer user, the business you wrote to decides about your data. We hold no decision of our own, and when the business closes its account its data goes."""

from datetime import timedelta
from typing import Any

from chatinbox.accounts.closing import close_account, undo_closing
from chatinbox.accounts.queries import read_account_name
from chatinbox.conversations.incoming import NewFile
from chatinbox.core import sure, vault
from chatinbox.core.clock import jump, travel
from chatinbox.privacy import destroy
from promises.stage import Here, Stage

CLAUSES = ("C58", "C59")
OVER = timedelta(days=30, minutes=1)


def look_that_nobody_else_decides(here: Here) -> str:
    """No role but the program's, which needs the account's word each time, can change what customers wrote"""
    may = here.column(
        "select rolname from pg_roles where not rolsuper and rolname like 'chatinbox%' and rolname <> 'chatinbox_owner'"
        " and has_table_privilege(oid, 'tenant.message', 'insert, update, delete') order by 1"
    )
    assert may == ["chatinbox_app"], f"it can be changed by {', '.join(may)}"
    return "One role can change it, under the account's word each time."


async def proof_that_it_goes(stage: Stage) -> str:
    """Thirty days after closing, rows, files and keys of an account are gone and a copy stays closed; a neighbour is untouched"""
    ada, cyd = await stage.two_businesses()
    got = [
        await stage.people.say(staff, "Words", files=[NewFile("a.txt", "text/plain", b"x" * 99)])
        for staff in (ada, cyd)
    ]
    await stage.settle()
    neighbour = stage.contents(cyd.account_id)
    copy = stage.rows("select id, body_sealed from tenant.message where account_id = %s", [ada.account_id])
    name = await read_account_name(stage.inst, ada.account_id)
    await close_account(stage.inst, ada, name)
    await undo_closing(stage.inst, ada)
    await close_account(stage.inst, ada, name)
    with travel(timedelta(days=29)):
        assert not await destroy.destroy_due(stage.inst), "it went while it could be undone"
    with travel(OVER):
        assert await destroy.destroy_due(stage.inst) == [ada.account_id], "it did not go"
    stage.vault.forget()
    assert not await stage.opens(ada.account_id, got[0].customer_id), (
        "a key is still there, so that a copy can be opened"
    )
    assert copy, "there was no copy, so this shows nothing"
    left = {table for table, rows in stage.contents(ada.account_id).items() if rows} - {"directory.closure"}
    assert not left, f"rows are left in {', '.join(sorted(left))}"
    assert await stage.inst.files.count_account(ada.account_id) == 0, "files are left"
    assert stage.contents(cyd.account_id) == neighbour, "a neighbour lost or gained something"
    assert await stage.opens(cyd.account_id, got[1].customer_id), "a neighbour's key is gone"
    return (
        "A closed account was gone after thirty days with rows, files and keys; its neighbour was the same."
    )


async def proof_that_a_jump_of_the_clock_decides_nothing(stage: Stage) -> str:
    """A clock that jumps ahead ends no account before its thirty days, nor while it can be undone"""
    ada, _ = await stage.two_businesses()
    await close_account(stage.inst, ada, await read_account_name(stage.inst, ada.account_id))
    await sure.arrive(stage.inst.db)
    stage.later(sure.leave)
    with jump(OVER):
        assert not await destroy.destroy_due(stage.inst), "a jump of the clock destroyed it"
    with travel(OVER):
        assert await destroy.destroy_due(stage.inst) == [ada.account_id], "it did not go when its time came"
    return "A clock set thirty days ahead destroyed nothing; thirty days that passed did."


async def saboteur_keeps_keys(stage: Stage) -> None:
    """Keeps the keys of a closed account"""

    async def keep(*_: Any) -> None: ...

    stage.swap(vault.Vault, "destroy_account", keep)


async def saboteur_keeps_files(stage: Stage) -> None:
    """Keeps the files of a closed account"""

    async def keep(*_: Any) -> None: ...

    stage.swap(type(stage.inst.files), "remove_account", keep)


async def saboteur_hides_instead(stage: Stage) -> None:
    """Only hides a closed account"""
    stage.break_in(
        "create or replace function work.erase_account(upto timestamptz) returns bigint language sql as $$ select 0::bigint $$"
    )


async def saboteur_lets_the_operator_decide(stage: Stage) -> None:
    """Gives the operator a role that changes what customers wrote"""
    stage.break_in("create role chatinbox_backroom", "grant update on tenant.message to chatinbox_backroom")
    stage.later(lambda: stage.break_in("drop owned by chatinbox_backroom", "drop role chatinbox_backroom"))


async def saboteur_believes_every_clock(stage: Stage) -> None:
    """Destroys by whatever the clock says"""
    stage.swap(destroy, "may_destroy", lambda _what: True)
