"""When the business asks us to change, complete or erase what is held about a person, we do it, and the keys go with the data."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import psycopg

from chatinbox.accounts.staff import Staff
from chatinbox.app.backup import replay
from chatinbox.app.backup import restore as restoring
from chatinbox.app.backup.copy import copy
from chatinbox.app.backup.restore import put_back
from chatinbox.channels.email import receive
from chatinbox.channels.email.raw import store
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.verbs import rename_customer
from chatinbox.core.clock import travel
from chatinbox.core.files import Files
from chatinbox.core.ids import new_id
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault
from chatinbox.customers.addresses import find_by_email
from chatinbox.customers.read import read_customer
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C60",)
LATER = UNDO + timedelta(seconds=1)
HERS = "frida@mail.example"


def look_for_what_waits(here: Here) -> str:
    """No wish to erase somebody waits longer than a day"""
    late = here.column(
        "select count(*) from tenant.erasure where done_at is null and due_at < now() - interval '1 day'"
    )[0]
    assert late == 0, f"{late} erasures wait longer than a day"
    return "No wish waits longer than a day."


async def proof_that_nothing_is_left(stage: Stage) -> str:
    """A customer was renamed, then erased: key, rows, files, letters and search words are gone, a copy stays away, others are as they were"""
    ada, cyd = await stage.two_businesses()
    for staff in (ada, cyd):
        await _writes(stage, staff)
    [row] = (await read_list(stage.inst, ada, "all")).rows
    conversation_id, customer_id = row.id, row.customer.id
    await rename_customer(stage.inst, ada, customer_id, "Frida Lind")
    assert (await read_customer(stage.inst, ada.account_id, customer_id)).name == "Frida Lind", (
        "a change was not kept"
    )
    await verbs.add_note(stage.inst, ada, conversation_id, new_id(), Body(text="A note"))
    await stage.settle()
    neighbour = stage.contents(cyd.account_id)
    ids = {
        customer_id,
        conversation_id,
        *stage.column("select id from tenant.message where account_id = %s", [ada.account_id]),
    }
    erasure_id = await ask_erasure(stage.inst, ada, customer_id, "Frida Lind")
    with travel(LATER):
        assert await engine.erase(stage.inst, ada.account_id, erasure_id), "it was not done"
        stage.vault.forget()
        assert not await stage.opens(ada.account_id, customer_id), "the key is still there"
        where = {
            table
            for table, rows in stage.contents(ada.account_id).items()
            if any(str(one) in row for row in rows for one in ids)
        }
        left = where - {
            "tenant.erasure",
            "tenant.setting_change",
            "tenant.received",
            "tenant.ledger",
            "tenant.staff_record",
        }
        assert not left, f"something of them stands in {', '.join(sorted(left))}"
        for table in (
            "tenant.message",
            "tenant.raw_mail",
            "tenant.address",
            "tenant.address_lookup",
            "search.place",
            "search.fresh",
        ):
            assert not stage.contents(ada.account_id)[table], f"{table} still has rows"
        assert await stage.inst.files.count_account(ada.account_id) == 0, "files are left"
        await _writes(stage, ada)
        for table in ("tenant.message", "tenant.raw_mail"):
            assert not stage.contents(ada.account_id)[table], "a copy of an erased letter came back"
    assert stage.contents(cyd.account_id) == neighbour, (
        "the same person's data with another business was touched"
    )
    return "Renamed, then erased: nothing was left, a copy of the letter stayed away, another business was not touched."


async def proof_that_an_older_copy_brings_nobody_back(stage: Stage) -> str:
    """Copied, then erased, then put back: who was erased is gone there, who was not is there; keys of last month are refused"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    await _writes(stage, ada)
    other = await stage.people.say(ada, "Words of his", "casey@mail.example")
    hers = await find_by_email(stage.inst, ada.account_id, HERS)
    assert hers
    folders = [stage.settings.data / name for name in ("copies", "keys copies")]
    for folder in folders:
        folder.mkdir()
    dsn = stage.above.info.dsn
    data, keys, _ = copy(stage.settings, stage.vault, dsn, *folders)
    erasure_id = await ask_erasure(stage.inst, ada, hers, "Frida")
    with travel(LATER):
        await engine.erase(stage.inst, ada.account_id, erasure_id)
    with stage.second_database() as there:
        ways = (data, keys, stage.settings.data / "keys" / "root.key", stage.vault.destroyed.path, "")
        await asyncio.to_thread(put_back, there, *ways)
        with psycopg.connect(there.database_url or "") as above:
            known = {row[0] for row in above.execute("select id from tenant.customer").fetchall()}
        vault = Vault.open(there.data)
        try:
            assert hers not in known and not vault.known_customer_keys(ada.account_id, [hers]), (
                "an older copy brought somebody back who was erased"
            )
            assert other.customer_id in known and vault.known_customer_keys(
                ada.account_id, [other.customer_id]
            ), "somebody who was not erased is missing"
        finally:
            vault.close()
    with (
        stage.second_database() as there,
        travel(timedelta(days=31)),
        refused(by=Trouble, otherwise="keys that are older than the horizon were taken"),
    ):
        await asyncio.to_thread(put_back, there, *ways)
    return "After a copy was put back, who had been erased since was gone and others were there; keys of last month were refused."


async def _writes(stage: Stage, staff: Staff) -> None:
    """The same letter with a file arrives."""
    channel = next(one for one in await read_channels(stage.inst, staff.account_id) if one.kind == "email")
    letter = EmailMessage()
    for name, value in {
        "From": f"Frida <{HERS}>",
        "Subject": "Hello",
        "Message-ID": "<one@mail.example>",
    }.items():
        letter[name] = value
    letter.set_content("Words of hers")
    letter.add_attachment(b"x" * 99, maintype="application", subtype="pdf", filename="a.pdf")
    arrived = await store(
        stage.inst, staff.account_id, channel.id, letter.as_bytes(), None, channel.address or ""
    )
    await receive.place(stage.inst, arrived)


async def saboteur_keeps_the_key(stage: Stage) -> None:
    """Removes the rows and keeps the key"""
    known = Vault.destroy

    async def keep(vault: Vault, kind: str, *where: Any) -> None:
        if kind != "customer":
            await known(vault, kind, *where)

    stage.swap(Vault, "destroy", keep)


async def saboteur_forgets_what_was_destroyed(stage: Stage) -> None:
    """Puts a copy back without looking at what was erased since"""

    async def nothing(*_: Any) -> list[str]:
        return []

    stage.swap(replay, "replay", nothing)


async def saboteur_takes_old_keys(stage: Stage) -> None:
    """Takes copies of the keys of any age"""
    stage.swap(restoring, "HORIZON", timedelta(days=999))


async def saboteur_keeps_files(stage: Stage) -> None:
    """Forgets the files"""

    async def keep(*_: Any) -> None: ...

    stage.swap(Files, "remove", keep)


async def saboteur_keeps_search_words(stage: Stage) -> None:
    """Forgets the words in the search"""
    stage.break_in(
        "create or replace function search.forget(subjects uuid[]) returns void language sql as $$ select null::void $$"
    )


async def saboteur_keeps_letters(stage: Stage) -> None:
    """Forgets the letters as they arrived"""

    async def keep(*_: Any) -> None: ...

    stage.swap(engine._Erasing, "_raw", keep)


async def saboteur_forgets_the_mark(stage: Stage) -> None:
    """Keeps no mark of what was erased, so that a copy comes back"""
    stage.break_in(
        "create function tenant.unmarked() returns trigger language plpgsql as $$ begin"
        " if new.erased_at is not null then delete from tenant.received r where r.account_id = new.account_id and r.key = new.key; end if; return null; end $$",
        "create trigger unmarked after update on tenant.received for each row execute function tenant.unmarked()",
    )


async def saboteur_forgets_an_address(stage: Stage) -> None:
    """Leaves them to be found by their address"""
    stage.break_in(
        "create function tenant.kept() returns trigger language plpgsql as $$ begin return null; end $$",
        "create trigger kept before delete on tenant.address_lookup for each row execute function tenant.kept()",
        "alter table tenant.address_lookup drop constraint address_lookup_account_id_customer_id_fkey",
    )
