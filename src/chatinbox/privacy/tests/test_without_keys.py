"""Who has the whole database and every file, and not the keys, reads no word of anybody in an account: customer, staff or business."""

import base64
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.send import send
from chatinbox.channels.email.tests.letters import channel_of, letter
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.conversations.search.index import index_ids
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault
from chatinbox.integrations.connect import Asked, connect
from chatinbox.privacy import permission
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.make import make_package

# In each that a person typed, sent or is called, of planes T and U, this stands.
WORD = "xqcanary"
ADDRESS = f"{WORD}@mail.example"


def spellings(word: str) -> Iterator[bytes]:
    """How a word can stand in bytes that somebody looks through: as it is, in hex as rows are shown, in base64, in wide letters."""
    for one in (word, word.upper(), word.capitalize()):
        raw = one.encode()
        yield from (raw, raw.hex().encode(), one.encode("utf-16-le"))
        for shift in range(3):  # what of it is the same wherever it begins
            whole = base64.b64encode(b"\0" * shift + raw + b"\0\0")
            yield whole[4 if shift else 0 : (shift + len(raw)) // 3 * 4]


def is_readable(content: bytes, word: str = WORD) -> bool:
    """Whether it stands in some bytes, packed or not."""
    sought = tuple(spellings(word))
    if any(one in content for one in sought):
        return True
    for unpack in (zlib.decompress, gzip.decompress):
        try:
            return any(one in unpack(content) for one in sought)
        except (zlib.error, OSError, EOFError):
            continue
    return False


def everything_in(above: psycopg.Connection[Any]) -> Iterator[tuple[str, bytes]]:
    """Each row of every table as its owner reads it, and the sequences of bytes in it as bytes."""
    tables = above.execute(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'm') and n.nspname not in ('information_schema')"
    ).fetchall()
    assert len(tables) > 100
    for (table,) in tables:
        for (row,) in above.execute(f"select t::text from {table} t".encode()):
            yield table, row.encode()


async def _filled(inst: Installation, ada: Staff, people: People, say: Say) -> None:
    """An account in which each of the words was said somewhere."""
    channel_id = await channel_of(inst, ada)
    await open_channel(inst, ada.account_id, f"{WORD} channel", f"box-{new_id().hex}@mail.example")
    file = NewFile(f"{WORD}.txt", "text/plain", f"{WORD} ".encode() * 40)
    got = await say(
        ada,
        f"{WORD} words " * 30,
        ADDRESS,
        subject=f"{WORD} subject",
        sender=Sender(ADDRESS, f"{WORD} name"),
        files=[file],
    )
    talk = got.conversation_id
    await verbs.add_note(inst, ada, talk, new_id(), Body(text=f"{WORD} note"))
    answer_id = new_id()
    await verbs.reply(inst, ada, talk, answer_id, Body(text=f"{WORD} answer"), seen_position=99)
    await verbs.set_out(inst, ada.account_id, [answer_id])
    await send(inst, ada.account_id, answer_id)
    await verbs.save_draft(inst, ada, talk, "reply", Body(text=f"{WORD} draft"), 1, [])
    await verbs.tag(inst, ada, talk, (await verbs.create_tag(inst, ada, f"{WORD} tag")).id)
    await index_ids(inst, ada.account_id, [got.message_id, answer_id])
    for text, heads in ((f"{WORD} letter", {}), (f"{WORD} held", {"From": ""})):
        raw = letter(text, subject=text, **heads).as_bytes()
        await place(inst, await store(inst, ada.account_id, channel_id, raw, ADDRESS, f"{WORD}@shop.example"))
    await permission.give(inst, ada, "support", "", "conversation", 1, f"{WORD} purpose for this", 2, [])
    await connect(inst, ada, Asked("in", f"{WORD} program", fields=["name"]))
    assert await make_package(
        inst, ada.account_id, await ask_package(inst, ada.account_id, got.customer_id, ada)
    )
    await verbs.rename_customer(inst, ada, got.customer_id, f"{WORD} renamed")


async def test_with_all_of_the_database_and_every_file_and_no_key_no_word_is_read(
    inst: Installation, above: psycopg.Connection[Any], people: People, say: Say
) -> None:
    ada = await people.owner(f"{WORD}-owner", f"{WORD} company")
    await _filled(inst, ada, people, say)
    rows = 0
    for table, row in everything_in(above):
        rows += 1
        assert not is_readable(row), f"readable in {table}"
    above.execute("checkpoint")
    [(cluster,)] = above.execute("show data_directory").fetchall()
    files = [
        path for folder in (inst.settings.data, Path(cluster)) for path in folder.rglob("*") if path.is_file()
    ]
    assert rows > 500 and any(path.suffix == "" and "pg_wal" in str(path) for path in files)
    contents = [(path, content) for path in files if (content := _content_of(path)) is not None]
    assert len(contents) > len(files) * 0.9, "what is looked at is there"
    for path, content in contents:
        assert not is_readable(content), f"readable in {path}"


def _content_of(path: Path) -> bytes | None:
    """What stands in a file; None for one that the running database took away since it was listed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


async def test_the_same_looking_finds_a_word_that_is_left_open(
    above: psycopg.Connection[Any], ada: Staff
) -> None:
    word = "zqcanary"  # the bytes of a transaction that was taken back lie there a while
    with above.transaction(force_rollback=True):
        above.execute("create table work.careless (a text, b bytea)")
        above.execute(
            f"insert into work.careless values (null, convert_to('of {word}', 'utf8')), ('OF {word.upper()}', null)"
        )
        found = [is_readable(row, word) for table, row in everything_in(above) if table == "work.careless"]
    assert found == [True, True]
    raw = f"an {word}".encode()
    for packed in (
        raw,
        zlib.compress(raw),
        gzip.compress(raw),
        base64.b64encode(raw),
        raw.decode().encode("utf-16-le"),
    ):
        assert is_readable(packed, word) and not is_readable(packed)


async def test_the_keys_as_they_lie_beside_it_open_nothing_without_the_root_key(
    inst: Installation, ada: Staff, tmp_path: Path
) -> None:
    (tmp_path / "keystore").mkdir()
    inst.vault.copy_keys_to(tmp_path / "keystore" / "keys.sqlite")
    with pytest.raises(Trouble, match="root key"):
        Vault.open(tmp_path)
    other = replace(inst.settings, data=tmp_path / "other")
    (tmp_path / "other").mkdir()
    made_up = Vault.open(other.data)  # a root key of one's own
    stolen = Vault(made_up.secret("a guess"), inst.vault.keystore)
    with pytest.raises(Exception, match="keystore"):
        await stolen.account_key(ada.account_id)
    made_up.close()
