"""Copies as files: what is not whole, too old or of others is refused, and nothing lies where others reach it."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from chatinbox.app.backup import sealed
from chatinbox.app.backup.copy import back_up, forget_destroyed, remove_old
from chatinbox.app.backup.restore import UNDER_WAY, put_back, refuse_under_way
from chatinbox.app.tests.copies import HERS, Copies, customer_of, erases, writes
from chatinbox.conftest import People
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import SealKey
from chatinbox.customers.addresses import find_by_email


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
        await erases(inst, ada, await customer_of(inst, ada, HERS))
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
        there = copies.elsewhere(f"there {new_id().hex[-6:]}")
        with pytest.raises(Trouble, match=sentence):
            put_back(there, data, keys, copies.root, ledger, line)
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
            await erases(inst, ada, await customer_of(inst, ada, HERS))
            there = copies.restored(data, keys, copies.ledger, head)
    async with copies.opened(there) as inst:
        assert await find_by_email(inst, ada.account_id, HERS) is None


async def test_old_keys_open_nothing_and_go_with_the_next_copy(copies: Copies) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        data, keys, _ = copies.make(inst)
        root = copies.root
        with travel(timedelta(days=31)):
            with pytest.raises(Trouble, match="more than 30 days ago"):
                put_back(copies.elsewhere("old"), data, keys, root, None, "")
            assert keys.exists()
            _, fresh, _ = copies.make(inst)
            assert not keys.exists() and fresh.exists() and remove_old(copies.keys_to) == 0
        earlier = fresh.parent / "earlier.keys"
        shutil.copyfile(fresh, earlier)
        with travel(timedelta(days=32)):
            newer, _, _ = copies.make(inst)
            with pytest.raises(Trouble, match="older than this data"):
                put_back(copies.elsewhere("mixed"), newer, earlier, root, None, "")


async def test_a_copy_that_is_cut_altered_or_of_others_is_refused_and_overwrites_nothing(
    copies: Copies, tmp_path: Path
) -> None:
    async with copies.opened() as inst:
        ada = await People(inst).owner("Ada", "Ada's")
        await writes(inst, ada, HERS, "apricots")
        data, keys, _ = copies.make(inst)
    whole = data.read_bytes()
    assert b"apricots" not in whole and b"frida" not in whole and str(ada.account_id).encode() not in whole
    root = copies.root
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
        there = copies.elsewhere(f"there {name}")
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
