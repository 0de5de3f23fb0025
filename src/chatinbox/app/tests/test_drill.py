"""A drill puts copies back beside the installation, opens them, leaves nothing, and only then is noted."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatinbox.app.backup.drill import FOLDER, drill
from chatinbox.app.tests.copies import HERS, Copies, erases, writes
from chatinbox.conftest import People
from chatinbox.core.copied import last_copy, last_put_back
from chatinbox.core.postgres import Cluster
from chatinbox.core.trouble import Trouble
from chatinbox.customers.addresses import find_by_email


@pytest.fixture
def copies(cluster: Cluster) -> Iterator[Copies]:
    """In a folder that the database's user may enter: a drill has a database of its own."""
    with tempfile.TemporaryDirectory(prefix="chatinbox-drill-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "here").mkdir(mode=0o711)
        yield Copies(cluster, Path(folder))


def inside(data: Path) -> set[Path]:
    return {one.relative_to(data) for one in data.rglob("*")}


async def test_copies_are_tried_beside_the_installation_which_stays_as_it_was(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    async with copies.opened() as inst:
        ada, cyd = [await People(inst).owner(name, f"{name}'s") for name in ("Ada", "Cyd")]
        await writes(inst, ada, HERS, "apricots")
        await writes(inst, cyd, HERS, "cherries")
        copies.make(inst)
        hers = await find_by_email(inst, ada.account_id, HERS)
        assert hers
        await erases(inst, ada, hers)
        data = inst.settings.data
        before, ledger = inside(data), copies.ledger.read_bytes()
        assert last_put_back(data) is None, "it was guessed"
        assert await asyncio.to_thread(drill, copies.settings, copies.to, copies.keys_to) == 0
        told = capsys.readouterr().out
        assert "2 accounts" in told and "Erased again: 1 customers" in told
        done = last_put_back(data)
        assert done and done.of == last_copy(data)
        assert {str(one) for one in inside(data) - before} == {"restored", "drilling"}
        assert copies.ledger.read_bytes() == ledger
        assert await find_by_email(inst, cyd.account_id, HERS), "another account was touched"


async def test_copies_that_do_not_open_are_no_drill_that_passed(copies: Copies) -> None:
    async with copies.opened() as inst:
        await People(inst).owner("Ada", "Tea")
        data, keys, _ = copies.make(inst)
        raw = bytearray(data.read_bytes())
        raw[len(raw) // 2] ^= 1
        data.write_bytes(raw)
        with pytest.raises(Trouble):
            await asyncio.to_thread(drill, copies.settings, data, keys)
        shutil.rmtree(copies.to)
        copies.to.mkdir()
        with pytest.raises(Trouble, match="no copy"):
            await asyncio.to_thread(drill, copies.settings, copies.to, keys)
        assert last_put_back(inst.settings.data) is None
        assert not (inst.settings.data / FOLDER).exists()
