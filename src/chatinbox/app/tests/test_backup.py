"""Copies, and putting them back: what was erased stays erased, what was not is there, and what is not whole is refused."""

import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from chatinbox.accounts import owners, sessions
from chatinbox.accounts.access import note
from chatinbox.accounts.closing import close_account
from chatinbox.accounts.leave import delete_sign_in
from chatinbox.accounts.staff import Staff
from chatinbox.app.backup import sealed
from chatinbox.app.backup.copy import back_up, copy, forget_destroyed, remove_old
from chatinbox.app.backup.replay import STILL
from chatinbox.app.backup.restore import UNDER_WAY, put_back, refuse_under_way
from chatinbox.channels.email import receive
from chatinbox.channels.email.raw import store
from chatinbox.conftest import People, fresh_database
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.search.find import find
from chatinbox.conversations.verbs.set_out import set_out
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased, SealKey
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy import permission
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.glass import grants
from chatinbox.privacy.glass.forget import INSTEAD
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.requests import go_on
from chatinbox.privacy.requests.case import WINDOW
from chatinbox.privacy.requests.decide import approve
from chatinbox.privacy.retention.due import Asked
from chatinbox.privacy.retention.rules import make_rule
from chatinbox.privacy.retention.run import run_rules

HERS, HIS = "frida@mail.example", "casey@mail.example"
LATER = UNDO + timedelta(seconds=1)


class Copies:
    """Where copies lie, and an installation whose data and keys they are of."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.settings = self._settings("here")
        self.to, self.keys_to = folder / "copies", folder / "keys copies"

    def _settings(self, name: str) -> Settings:
        dsn = fresh_database(self.cluster, f"test_{new_id().hex}")
        data = self.folder / name
        return replace(
            Settings(), data=data, database_url=dsn, public_url="http://127.0.0.1:8000", sign_up="open"
        )

    @asynccontextmanager
    async def opened(self, settings: Settings | None = None) -> AsyncIterator[Installation]:
        settings = settings or self.settings
        inst = await Installation.open(settings, settings.database_url or "")
        try:
            yield inst
        finally:
            await inst.close()

    def make(self, inst: Installation) -> tuple[Path, Path, str]:
        """Both copies; and the line that `backup` prints."""
        for one in (self.to, self.keys_to):
            one.mkdir(exist_ok=True)
        data, keys, head = copy(
            self.settings, inst.vault, self.settings.database_url or "", self.to, self.keys_to
        )
        return data, keys, str(head)

    def restored(self, data: Path, keys: Path, ledger: Path | None = None, head: str = "") -> Settings:
        """Into a new folder and database; the settings there."""
        there = self._settings(f"there {new_id().hex[-6:]}")
        root = self.settings.data / "keys" / "root.key"
        with ThreadPoolExecutor(1) as thread:  # it has a loop of its own, and here one runs already
            assert thread.submit(put_back, there, data, keys, root, ledger, head).result()
        return there

    @property
    def ledger(self) -> Path:
        """The live one."""
        return self.settings.data / "keystore" / "destroyed.ledger"


@pytest.fixture
def copies(cluster: Cluster, tmp_path: Path) -> Copies:
    return Copies(cluster, tmp_path)


async def writes(inst: Installation, staff: Staff, sender: str, words: str) -> None:
    """A letter with a file arrives."""
    channel_id = await People(inst).channel(staff, "email")
    letter = EmailMessage()
    for name, value in {
        "From": f"Somebody <{sender}>",
        "Subject": "Hello",
        "Message-ID": f"<{words}@mail.example>",
    }.items():
        letter[name] = value
    letter.set_content(f"Words about {words}")
    letter.add_attachment(words.encode() * 9, maintype="application", subtype="pdf", filename=f"{words}.pdf")
    arrived = await store(inst, staff.account_id, channel_id, letter.as_bytes(), None, "to@x.example")
    await receive.place(inst, arrived)


async def who(inst: Installation, staff: Staff) -> dict[UUID, UUID]:
    """Customers by their conversation."""
    return {row.id: row.customer.id for row in (await read_list(inst, staff, "all")).rows}


async def erases(inst: Installation, staff: Staff, customer_id: UUID) -> None:
    erasure_id = await ask_erasure(inst, staff, customer_id, "Somebody")
    with travel(LATER):
        assert await engine.erase(inst, staff.account_id, erasure_id)


async def test_what_was_erased_after_the_copy_does_not_come_back_with_it_and_the_rest_does(
    copies: Copies,
) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        await writes(inst, ada, HERS, "apricots")
        await writes(inst, ada, HIS, "walnuts")
        await writes(inst, cyd, HERS, "cherries")
        await sessions.start(inst, ada, "tests")
        hers = (await find_by_email(inst, ada.account_id, HERS)) or new_id()
        his = await find_by_email(inst, ada.account_id, HIS)
        talks = {talk for talk, customer in (await who(inst, ada)).items() if customer == hers}
        data, keys, _ = copies.make(inst)
        await erases(inst, ada, hers)
        await writes(inst, ada, HERS, "plums")  # somebody new, who is erased as well
        await erases(inst, ada, (await find_by_email(inst, ada.account_id, HERS)) or new_id())
        head = str(inst.vault.destroyed.head())
    there = copies.restored(data, keys, copies.ledger, head)
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
        hers = (await find_by_email(inst, ada.account_id, HERS)) or new_id()
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
        hers = (await find_by_email(inst, ada.account_id, HERS)) or new_id()
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


async def test_a_ledger_that_is_too_old_altered_or_missing_lets_nothing_start(
    copies: Copies, tmp_path: Path
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        inst.vault.destroyed.add([("raw_mail", ada.account_id, new_id())])
        empty = tmp_path / "empty.ledger"
        empty.write_text("")
        data, keys, _ = copies.make(inst)
        stale = copies.keys_to / "destroyed.ledger"
        await erases(inst, ada, (await find_by_email(inst, ada.account_id, HERS)) or new_id())
        head = str(inst.vault.destroyed.head())
    altered = tmp_path / "altered.ledger"
    altered.write_text(copies.ledger.read_text().replace("customer", "raw_mail"))
    for ledger, line, sentence in (
        (stale, head, "is older than the line you gave"),
        (empty, "", "is older than these keys"),
        (altered, "", "was altered"),
        (tmp_path / "nowhere", "", "There is no ledger"),
        (copies.ledger, "words", "--head is the line"),
    ):
        there = copies._settings(f"there {new_id().hex[-6:]}")
        with pytest.raises(Trouble, match=sentence):
            put_back(there, data, keys, copies.settings.data / "keys" / "root.key", ledger, line)
        with pytest.raises(Trouble, match="did not end"):
            refuse_under_way(there.data)
        assert (there.data / UNDER_WAY).exists()


async def test_keys_are_put_back_with_a_ledger_whose_older_lines_were_let_go(copies: Copies) -> None:
    """The keys were copied when the last line was old; that line is gone by now, and a newer one is there."""
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        with travel(-timedelta(days=20)):
            inst.vault.destroyed.add([("raw_mail", ada.account_id, new_id())])
        data, keys, head = copies.make(inst)
        with travel(timedelta(days=20)):
            assert forget_destroyed(inst.vault) == 1
            await erases(inst, ada, (await find_by_email(inst, ada.account_id, HERS)) or new_id())
            there = copies.restored(data, keys, copies.ledger, head)
    async with copies.opened(there) as inst:
        assert await find_by_email(inst, ada.account_id, HERS) is None


async def test_old_keys_open_nothing_and_go_with_the_next_copy(copies: Copies) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        data, keys, _ = copies.make(inst)
        root = copies.settings.data / "keys" / "root.key"
        with travel(timedelta(days=31)):
            with pytest.raises(Trouble, match="more than 30 days ago"):
                put_back(copies._settings("old"), data, keys, root, None, "")
            assert keys.exists()
            _, fresh, _ = copies.make(inst)
            assert not keys.exists() and fresh.exists() and remove_old(copies.keys_to) == 0
        earlier = fresh.parent / "earlier.keys"
        shutil.copyfile(fresh, earlier)
        with travel(timedelta(days=32)):
            newer, _, _ = copies.make(inst)
            with pytest.raises(Trouble, match="older than this data"):
                put_back(copies._settings("mixed"), newer, earlier, root, None, "")


async def test_a_copy_that_is_cut_altered_or_of_others_is_refused_and_overwrites_nothing(
    copies: Copies, tmp_path: Path
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        data, keys, _ = copies.make(inst)
    whole = data.read_bytes()
    assert b"apricots" not in whole and b"frida" not in whole and str(ada.account_id).encode() not in whole
    root = copies.settings.data / "keys" / "root.key"
    other = tmp_path / "other.key"
    other.write_bytes(b"o" * 32)
    for name, content, key in (
        ("cut", whole[:-40], root),
        ("cut at a piece", whole[: whole.rindex(whole[-20:]) - 3], root),
        ("altered", whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], root),
        ("none", b"something else", root),
        ("other", whole, other),
    ):
        bad = tmp_path / f"{name}.data"
        bad.write_bytes(content)
        there = copies._settings(f"there {name}")
        with pytest.raises(Trouble):
            put_back(there, bad, keys, key, None, "")
        with pytest.raises(Trouble, match="did not end"):
            refuse_under_way(there.data)
    with pytest.raises(Trouble, match="is not empty"):
        put_back(copies.settings, data, keys, root, None, "")
    with pytest.raises(Trouble, match="Name two folders"):
        back_up(copies.settings, copies.to, copies.to)


def test_a_folder_in_which_anything_stands_is_not_empty_and_one_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(name: str, sentence: str) -> None:
        nothing = tmp_path / "nothing"
        with pytest.raises(Trouble, match=sentence):
            put_back(replace(Settings(), data=tmp_path / name), nothing, nothing, nothing, None, "")

    def folder(name: str) -> Path:
        (made := tmp_path / name).mkdir()
        return made

    (folder("folder") / "files").mkdir()
    (folder("link") / "keys").symlink_to(tmp_path)
    (folder("leads nowhere") / "database").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder("pipe") / "pipe")
    (folder("asked") / "asked").touch()
    (folder("deeper") / "keys" / "asked").mkdir(parents=True)
    for name in ("folder", "link", "leads nowhere", "pipe", "asked", "deeper"):
        refused(name, "is not empty")
    folder("empty")
    (folder("keys") / "keys").mkdir()
    (folder("refused before") / "keys").mkdir()
    (tmp_path / "refused before" / "keys" / "asked").touch()
    for name in ("empty", "keys", "refused before"):
        refused(name, "There is no file")
    (tmp_path / "file").touch()
    refused("file", "cannot be looked into")
    looks = Path.iterdir

    def closed(self: Path) -> Iterator[Path]:
        if self.name == "keys":
            raise PermissionError(errno.EACCES, "Permission denied")
        return looks(self)

    monkeypatch.setattr(Path, "iterdir", closed)
    refused("keys", "cannot be looked into .Permission denied")


async def test_keys_that_are_no_sealed_copy_lie_nowhere_but_beside_the_keys_even_when_killed(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that were left by a killed backup go with the next; one that is made at this moment stays."""
    makes, seen = tempfile.mkdtemp, []

    def only_there(*args: str, **words: str) -> str:
        seen.append(makes(*args, **words))
        return seen[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", only_there)
    keystore = copies.settings.data / "keystore"
    async with copies.opened() as inst:
        await People(inst).owner("Ada", "Ada's")
        killed, under_way, foreign = [keystore / name for name in (".copying-killed", ".copying-now", "else")]
        for one in (killed, under_way, foreign):
            one.mkdir()
            (one / "keys.sqlite").write_bytes(b"keys")
        copies.make(inst)
        half = copies.keys_to / ".chatinbox-20200101T000000Z.keys.new"
        half.write_bytes(b"keys")
        for one in (killed, foreign):
            os.utime(one, (0, 0))
        data, keys, _ = copies.make(inst)
    assert not killed.exists() and under_way.exists() and foreign.exists() and not half.exists()
    assert seen and {Path(one).parent for one in seen} == {keystore}
    copies.restored(data, keys, copies.ledger)
    assert {Path(one).parent for one in seen} == {keystore}, "a restore lays the root key nowhere else"


async def test_a_link_that_lies_where_a_copy_is_written_leads_nowhere(copies: Copies, tmp_path: Path) -> None:
    """Whoever may write in the folder of the copies is not to have a file of the operator's written over."""
    theirs = tmp_path / "theirs"
    theirs.write_text("kept")
    for place in (tmp_path / ".copy.new", copies.keys_to / ".destroyed.ledger.new"):
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(theirs)
    with sealed.Writer(tmp_path / "copy", SealKey(b"k" * 32)) as writer:
        writer.part("manifest", io.BytesIO(b"words"))
    async with copies.opened() as inst:
        copies.make(inst)
    assert theirs.read_text() == "kept"
    assert not (tmp_path / "copy").is_symlink() and not (copies.keys_to / "destroyed.ledger").is_symlink()


@how(max_examples=80)
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=9), st.binary(max_size=60)), min_size=1, max_size=6),
    st.data(),
)
def test_parts_come_back_as_they_were_and_a_file_that_is_not_whole_never(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    path, key = tmp_path_factory.mktemp("sealed") / "a.data", SealKey(b"k" * 32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "PIECE", 16)
        with sealed.Writer(path, key) as writer:
            for name, content in parts:
                writer.part(name, io.BytesIO(content))
    assert [(name, b"".join(content)) for name, content in sealed.read_parts(path, key)] == parts
    assert [name for name, _ in sealed.read_parts(path, key)] == [name for name, _ in parts]
    raw = path.read_bytes()
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(Trouble):
        for _, content in sealed.read_parts(path, key):
            b"".join(content)
