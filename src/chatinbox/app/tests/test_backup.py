"""Copies that are put back: what was erased stays erased, what was not is there, and nothing happens at once."""

import json
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts import owners, sessions
from chatinbox.accounts.access import note
from chatinbox.accounts.closing import close_account
from chatinbox.accounts.leave import delete_sign_in
from chatinbox.accounts.staff import Staff
from chatinbox.app.backup.replay import STILL
from chatinbox.app.backup.restore import refuse_under_way
from chatinbox.app.tests.copies import HERS, HIS, Copies, customer_of, erases, who, writes
from chatinbox.conftest import People
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.search.find import find
from chatinbox.conversations.verbs.set_out import set_out
from chatinbox.core.clock import now, travel
from chatinbox.core.copied import last_copy
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy import permission
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import ask_erasure
from chatinbox.privacy.glass import grants
from chatinbox.privacy.glass.forget import INSTEAD
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.requests import go_on
from chatinbox.privacy.requests.case import WINDOW
from chatinbox.privacy.requests.decide import approve
from chatinbox.privacy.retention.due import Asked
from chatinbox.privacy.retention.rules import make_rule
from chatinbox.privacy.retention.run import run_rules


async def test_what_was_erased_after_the_copy_does_not_come_back_with_it_and_the_rest_does(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        await writes(inst, ada, HERS, "apricots")
        await writes(inst, ada, HIS, "walnuts")
        await writes(inst, cyd, HERS, "cherries")
        await sessions.start(inst, ada, "tests")
        hers = await customer_of(inst, ada, HERS)
        his = await find_by_email(inst, ada.account_id, HIS)
        talks = {talk for talk, customer in (await who(inst, ada)).items() if customer == hers}
        assert last_copy(inst.settings.data) is None
        data, keys, _ = copies.make(inst)
        assert last_copy(inst.settings.data), "pages cannot say when"
        await erases(inst, ada, hers)
        await writes(inst, ada, HERS, "plums")  # somebody new, who is erased as well
        await erases(inst, ada, await customer_of(inst, ada, HERS))
        head = str(inst.vault.destroyed.head())
    there = copies.restored(data, keys, copies.ledger, head)
    assert last_copy(there.data) is None, "of this installation there is no copy yet"
    async with copies.opened(there) as inst:
        assert set((await who(inst, ada)).values()) == {his}
        assert (
            await find_by_email(inst, ada.account_id, HERS),
            await find_by_email(inst, ada.account_id, HIS),
        ) == (None, his)
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, hers)
        assert [len((await find(inst, ada, one)).hits) for one in ("walnuts", "apricots")] == [1, 0]
        assert await find_by_email(inst, cyd.account_id, HERS), (
            "the same person's data with another business went too"
        )
        assert await inst.files.count_account(ada.account_id) == 2  # his letter, and the file in it
        await writes(inst, ada, HERS, "plums")  # a mailbox offers it again
        await writes(inst, ada, HIS, "walnuts")
        assert len(await who(inst, ada)) == 1, "a copy of a letter came back"
        with psycopg.connect(there.database_url or "") as above:
            left = _tables_with(above, {hers, *talks})
            assert left <= {
                "work.outbox",  # no worker ran here; ids only
                "tenant.received",
                "tenant.setting_change",
                "tenant.ledger",
                "tenant.erasure",
                "tenant.staff_record",
            }
            assert above.execute("select count(*) from directory.session").fetchone() == (0,)
        await inst.vault.create_customer_key(ada.account_id, new_id())  # the keystore goes on
    refuse_under_way(there.data)


async def test_ledgers_that_are_put_back_are_whole_and_a_newer_head_says_that_the_end_is_missing(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        for one in (ada, cyd):
            await owners.tell(inst, one.account_id, "One", "words", "a test", ("words",))
            await note(inst, one, "search", row_count=1)
        for book in (ACCESS, LEFT):
            assert await keep_up(inst, book, ada.account_id)
        data, keys, _ = copies.make(inst)
        await owners.tell(inst, ada.account_id, "Two", "words", "a test", ("words",))
        await note(inst, ada, "search", row_count=2)
        newer = {
            book.name: read_head(json.dumps(await newest_head(inst, book, ada.account_id)))
            for book in (ACCESS, LEFT)
        }
    async with copies.opened(copies.restored(data, keys, copies.ledger)) as inst:
        for book in (ACCESS, LEFT):
            for one in (ada, cyd):
                found = await verify(inst, book, one.account_id)
                assert found.whole and found.rows >= 1, found.faults
            given = newer[book.name]
            [told] = (await verify(inst, book, ada.account_id, [(given.head, given.signed)])).faults
            assert "the end is missing" in told and "an older copy was put back" in told


def _tables_with(above: psycopg.Connection, ids: set[UUID]) -> set[str]:
    tables = [
        row[0]
        for row in above.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('tenant', 'directory', 'search', 'work') and c.relkind = 'r' and c.relname not like 'procrastinate%'"
        )
    ]
    return {
        one
        for one in tables
        if any(
            str(wanted) in row[0]
            for row in above.execute(f"select t::text from {one} t").fetchall()
            for wanted in ids
        )  # type: ignore[arg-type]
    }


async def test_a_single_conversation_that_was_erased_after_the_copy_stays_away_and_its_customer_does_not_go(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        await writes(inst, ada, HERS, "plums")
        hers = await customer_of(inst, ada, HERS)
        old, new = await who(inst, ada)
        data, keys, _ = copies.make(inst)
        await engine._Erasing(
            inst, ada.account_id, new_id(), hers, [old]
        ).run()  # as a rule of the account does
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        assert await who(inst, ada) == {new: hers}
        assert await find_by_email(inst, ada.account_id, HERS) == hers


async def test_an_account_and_a_person_that_went_after_the_copy_stay_gone(copies: Copies) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        bea = await People(inst).colleague(ada, "Bea")
        await writes(inst, cyd, HERS, "cherries")
        data, keys, _ = copies.make(inst)
        await delete_sign_in(inst, bea, "delete my sign-in")
        await inst.vault.destroy_account(cyd.account_id)
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        with psycopg.connect(there.database_url or "") as above:
            assert above.execute("select account_id from tenant.account").fetchall() == [(ada.account_id,)]
            assert above.execute(
                "select id from tenant.staff_user where deactivated_at is not null"
            ).fetchall() == [(bea.staff_user_id,)]
            assert str(bea.person_id) not in str(
                above.execute("select * from directory.membership").fetchall()
            )
        with pytest.raises(Erased):
            await inst.vault.person_key(bea.person_id)
        assert await inst.files.count_account(cyd.account_id) == 0


async def test_roles_of_later_migrations_are_there_before_what_names_them(copies: Copies) -> None:
    """On a new machine the database has none of them; here they are the cluster's, so one more is taken away by hand."""
    role = f"chatinbox_{new_id().hex[-12:]}"
    with psycopg.connect(copies.settings.database_url or "", autocommit=True) as above:
        async with copies.opened() as inst:
            above.execute(f"create role {role} nologin".encode())
            above.execute(
                f"create function public.theirs() returns int language sql as 'select 1'; alter function public.theirs() owner to {role}".encode()
            )
            data, keys, _ = copies.make(inst)
        above.execute(f"drop owned by {role}; drop role {role}".encode())
    there = copies.restored(data, keys)
    with psycopg.connect(there.database_url or "", autocommit=True) as above:
        assert above.execute(
            "select rolcanlogin, rolsuper from pg_roles where rolname = %s", [role]
        ).fetchall() == [(False, False)]
        above.execute(f"drop owned by {role}; drop role {role}".encode())


async def test_what_was_on_its_way_is_not_sent_twice_and_a_wish_to_erase_waits_for_a_look(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HIS, "walnuts")
        [(talk, his)] = (await who(inst, ada)).items()
        message_id = new_id()
        await verbs.reply(inst, ada, talk, message_id, Body(text="Here they are"), seen_position=1)
        await set_out(inst, ada.account_id, [message_id])
        await ask_erasure(inst, ada, his, "Somebody")
        data, keys, _ = copies.make(inst)
    there = copies.restored(data, keys, copies.ledger)
    with psycopg.connect(there.database_url or "") as above:
        [(state, reason)] = above.execute("select state, reason from tenant.delivery").fetchall()
        assert state == "failed" and "may have been sent" in reason
        [(due_at,)] = above.execute("select due_at from tenant.erasure").fetchall()
        assert due_at > now() + timedelta(hours=23)


async def test_nothing_that_cannot_be_undone_is_done_at_once_after_putting_back(copies: Copies) -> None:
    """A case that people approved and one whose days are over, a rule that has begun, an account whose days are over."""
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        cyd = await People(inst).owner("Cyd", "Cyd's")
        with travel(-timedelta(days=40)):
            for words in ("apricots", "walnuts", "figs"):
                await writes(inst, ada, f"{words}@mail.example", words)
            await make_rule(inst, ada, Asked("age", 1))
            await close_account(inst, cyd, "Cyd's")
        hers, his, _ = sorted((await who(inst, ada)).values())
        await approve(inst, ada, await has_asked(inst, ada, hers))
        await has_asked(inst, ada, his)
        data, keys, _head = copies.make(inst)
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        with psycopg.connect(there.database_url or "", autocommit=True) as above:

            async def done() -> tuple[int, int, bool]:
                """Erasures asked for by cases, conversations given by rules, whether Cyd's account is gone."""
                await go_on.go_on(inst, ada.account_id)
                given = await run_rules(inst, ada.account_id)
                gone = await destroy_due(inst) == [cyd.account_id]
                [(asked,)] = above.execute(
                    "select count(*) from tenant.erasure where case_id is not null"
                ).fetchall()
                return asked, given, gone

            assert await done() == (0, 0, False)
            with travel(STILL + timedelta(seconds=1)):
                assert await done() == (2, 1, True), "a day later everything takes its course"


async def has_asked(inst: Installation, staff: Staff, customer_id: UUID) -> UUID:
    """A customer's own wish to be erased, to which the business had seven days to object; the case's id."""
    key, case_id, at = (
        await inst.vault.customer_key(staff.account_id, customer_id),
        new_id(),
        now() - timedelta(days=8),
    )
    sealed = key.seal(HERS, staff.account_id, "data_case", "address", case_id)
    insert = (
        "insert into data_case (account_id, id, customer_id, mark, wish, assurance, address_sealed, arrives_at, told_at,"
        " objection_until, due_at) values (%s, %s, %s, %s, 'erasure', 'mailbox', %s, %s, %s, %s, %s)"
    )
    values = [
        staff.account_id,
        case_id,
        customer_id,
        case_id.bytes,
        sealed,
        at,
        at,
        at + WINDOW,
        at + timedelta(days=30),
    ]
    await inst.db.run(staff.account_id, (insert, values))
    return case_id


async def test_a_permission_that_was_taken_back_or_was_about_whom_is_gone_does_not_come_back(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        hers = await customer_of(inst, ada, HERS)
        about_her, of_settings = [
            await permission.give(inst, ada, "support", "", thing, 1, f"to look into the {thing}", 3, [])
            for thing in ("customer", "settings")
        ]
        await grants.ask(
            inst, new_id(), ada.account_id, "terms", "conversation", 1, "a report about Frida", 60, False
        )
        data, keys, _ = copies.make(inst)
        await permission.take_back(inst, ada, of_settings)
        await erases(inst, ada, hers)
    there = copies.restored(data, keys, copies.ledger)
    async with copies.opened(there) as inst:
        found = {one.id: one for one in await permission.read_permissions(inst, ada.account_id)}
        assert not found[about_her].holds and found[about_her].purpose == INSTEAD
        assert not found[of_settings].holds, "what was taken back after the copy holds again"
        assert [one.reason for one in await grants.read_grants(inst, ada.account_id)] == [INSTEAD]
