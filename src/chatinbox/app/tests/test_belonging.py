"""Database, keystore, root key and ledger of one installation: what does not belong together does not start, and nothing of it
was changed.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app import database
from chatinbox.app.backup.copy import copy
from chatinbox.app.opening import open_installation
from chatinbox.app.tests.copies import HERS, Copies, customer_of, erases, writes
from chatinbox.conftest import People
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import migrate
from chatinbox.core.root.opening import open_vault
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble

_PASSWORDS = "select rolname, rolpassword from pg_authid where rolname like 'chatinbox%' order by 1"
_FORGET = (
    "drop table migration.installation",
    "drop table work.clock",
    "delete from migration.applied where name = '0066_installation.sql'",
)


def asked(settings: Settings, *statements: str) -> list[Any]:
    """What the last one answers to who may ask everything."""
    with psycopg.connect(settings.database_url or "", autocommit=True) as conn:
        for text in statements:
            answer = conn.execute(text.encode())
        return answer.fetchall() if answer.description else []


def seen(settings: Settings) -> list[Any]:
    """What a start could change: passwords, signature, schema, and every file of the folder."""
    # SQLite makes and takes away what stands beside the keystore while somebody reads
    files = [
        one
        for one in sorted(settings.data.rglob("*"))
        if one.is_file() and one.suffix not in {".sqlite-wal", ".sqlite-shm", ".lock"}
    ]
    return [
        [
            (str(one.relative_to(settings.data)), hashlib.sha256(one.read_bytes()).hexdigest())
            for one in files
        ],
        asked(settings, _PASSWORDS),
        asked(settings, "select inner_pad from ctx.secret")
        if asked(settings, "select to_regclass('ctx.secret')") != [(None,)]
        else [],
        asked(settings, "select to_regclass('migration.installation')"),
    ]


async def start(settings: Settings) -> None:
    """As a start does it."""
    with database.opened(settings) as admin_dsn:
        inst = await open_installation(settings, admin_dsn)
        await inst.close()


async def refuses(settings: Settings, sentence: str) -> None:
    """It does, with that sentence, each time; and nothing is changed."""
    before = seen(settings)
    for _ in range(2):
        with pytest.raises(Trouble, match=sentence):
            await start(settings)
    assert seen(settings) == before


async def begun(copies: Copies, name: str = "here") -> tuple[Settings, Staff]:
    """An installation with an account; another than before unless it is the first."""
    settings = copies.settings if name == "here" else copies.elsewhere(name)
    async with copies.opened(settings) as inst:
        return settings, await People(inst).owner("Ada", "Ada's")


def swap(one: Settings, other: Settings, name: str) -> None:
    """Puts a file of another installation in the place of one's own."""
    for left in (one.data / name).parent.glob(f"{Path(name).name}*"):
        left.unlink()
    shutil.copyfile(other.data / name, one.data / name)
    (one.data / name).chmod(0o600)


def is_open(inst: Installation, ada: Staff) -> bool:
    """Whether the account's key opens."""
    return bool(inst.vault.known_account_key(ada.account_id))


KEYS, ROOT = "keystore/keys.sqlite", "keys/root.key"


async def test_a_keystore_that_is_missing_is_not_made_anew(copies: Copies) -> None:
    settings, ada = await begun(copies)
    aside = copies.folder / "aside"
    shutil.move(settings.data / "keystore", aside)
    await refuses(settings, "its keystore is missing")
    assert not (settings.data / "keystore").exists()
    shutil.move(aside, settings.data / "keystore")
    await start(settings)
    async with copies.opened() as inst:
        assert is_open(inst, ada)


async def test_what_is_of_another_installation_ends_the_start(copies: Copies) -> None:
    settings, _ = await begun(copies)
    other, _ = await begun(copies, "other")
    await start(settings)  # roles are the cluster's: theirs have our passwords again
    kept = copies.folder / "kept"
    shutil.copytree(settings.data, kept)

    def as_it_was() -> None:
        shutil.rmtree(settings.data)
        shutil.copytree(kept, settings.data)

    for names, sentence in (
        ([KEYS], "keystore .* is of another installation than the database"),
        ([ROOT], "another root key"),
        ([KEYS, ROOT], "database is of another installation"),
    ):
        for name in names:
            swap(settings, other, name)
        await refuses(settings, sentence)
        as_it_was()
    await refuses(replace(settings, database_url=other.database_url), "database is of another installation")
    await start(settings)


async def test_keys_without_their_root_key_get_no_new_one(copies: Copies) -> None:
    settings, _ = await begun(copies)
    (settings.data / ROOT).unlink()
    await refuses(settings, "its root key is missing")
    empty = replace(settings, database_url=copies.elsewhere("else").database_url)
    await refuses(empty, "the root key that opens it is missing")


async def test_an_empty_database_beside_keys_begins_nothing(copies: Copies) -> None:
    settings, _ = await begun(copies)
    empty = replace(settings, database_url=copies.elsewhere("else").database_url)
    await refuses(empty, "the database is empty")


async def test_an_installation_from_before_is_taken_over_once_where_its_keys_open(copies: Copies) -> None:
    settings, ada = await begun(copies)
    asked(settings, *_FORGET)
    with sqlite3.connect(settings.data / KEYS) as keys:
        keys.execute("drop table installation")
    keys.close()
    other, _ = await begun(copies, "other")
    await refuses(replace(settings, data=other.data), "another root key")
    old = copies.folder / "old"
    shutil.copytree(settings.data, old)
    with sqlite3.connect(settings.data / KEYS) as keys:
        keys.execute("delete from wrapped_key")
    keys.close()
    await refuses(settings, "No key in .* opens an account")
    shutil.rmtree(settings.data)
    shutil.move(old, settings.data)
    await start(settings)
    [(its_id,)] = asked(settings, "select id from migration.installation")
    await start(settings)
    assert asked(settings, "select id from migration.installation") == [(its_id,)]
    async with copies.opened() as inst:
        assert is_open(inst, ada)
        assert (inst.vault.keystore.read_mark() or [None])[0] == its_id


async def test_broken_off_between_the_two_the_next_start_goes_on(copies: Copies) -> None:
    settings, _ = await begun(copies)
    [(its_id,)] = asked(settings, "select id from migration.installation")
    asked(settings, *_FORGET)
    await start(settings)
    assert asked(settings, "select id from migration.installation") == [(its_id,)]


async def test_many_first_starts_at_once_are_one_installation(copies: Copies) -> None:
    settings = copies.settings

    def one_of_them() -> Any:
        vault = open_vault(settings)
        try:
            migrate(settings.database_url or "", vault)
            return vault.keystore.read_mark()
        finally:
            vault.close()

    with ThreadPoolExecutor(4) as starts:
        marks = [one.result() for one in [starts.submit(one_of_them) for _ in range(4)]]
    assert len(set(marks)) == 1 and marks[0]
    await start(settings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda ledger: ledger.unlink(), "ledger of destroyed keys is missing"),
        (lambda ledger: ledger.write_text(ledger.read_text().replace("customer", "raw_mail")), "was altered"),
        (lambda ledger: ledger.write_bytes(b"\xff\xfe no ledger\n"), "was altered"),
    ],
)
async def test_a_ledger_that_is_missing_or_altered_ends_the_start(
    copies: Copies, change: Callable[[Path], None], sentence: str
) -> None:
    settings, ada = await begun(copies)
    async with copies.opened() as inst:
        await writes(inst, ada, HERS, "apricots")
        await erases(inst, ada, await customer_of(inst, ada, HERS))
    kept = copies.ledger.read_bytes()
    change(copies.ledger)
    await refuses(settings, sentence)
    copies.ledger.write_bytes(kept + b"9 2026-01-01T00:00")  # what a crash cut off stops nobody
    await start(settings)
    assert copies.ledger.read_bytes() == kept


async def test_copies_belong_together_where_they_are_put_back(copies: Copies) -> None:
    """Also data from before the mark was kept, beside keys from after."""
    _, ada = await begun(copies)
    asked(copies.settings, *_FORGET)
    vault = open_vault(copies.settings)
    copies.to.mkdir()
    copies.keys_to.mkdir()
    older, *_ = copy(copies.settings, vault, copies.settings.database_url or "", copies.to, copies.keys_to)
    vault.close()
    older = older.rename(older.with_name("older.data"))
    async with copies.opened() as inst:
        data, keys, _ = copies.make(inst)
        its_id = (inst.vault.keystore.read_mark() or [None])[0]
    for one in (data, older):
        there = copies.restored(one, keys)
        await start(there)
        async with copies.opened(there) as inst:
            assert is_open(inst, ada) and (inst.vault.keystore.read_mark() or [None])[0] == its_id


async def test_a_command_that_opens_no_whole_installation_looks_too(copies: Copies) -> None:
    settings, _ = await begun(copies)
    other, _ = await begun(copies, "other")
    swap(settings, other, KEYS)
    with database.of_an_installation(settings) as admin_dsn, pytest.raises(Trouble, match="of another"):
        database.vault_of(settings, admin_dsn)
