"""The ledger of destroyed keys: a chain in which nothing can be changed, dropped, moved or invented."""

import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.core.clock import now, travel
from chatinbox.core.destroyed import ASIDE, Broken, Destroyed, Head, Line
from chatinbox.core.ids import new_id
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased, Vault

KEY = b"k" * 32


def filled(path: Path, count: int) -> Destroyed:
    ledger = Destroyed(path / "destroyed.ledger", KEY)
    ledger.begin()
    for _ in range(count):
        ledger.add([("customer", new_id(), new_id())])
    return ledger


def test_what_was_written_is_read_and_the_head_is_its_end(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 0)
    assert ledger.head() == Head() and ledger.read() == []
    names = [("customer", new_id(), new_id()), ("raw_mail", new_id(), new_id())]
    head = ledger.add(names)
    assert [(one.kind, one.account_id, one.subject_id) for one in ledger.read()] == names
    assert ledger.head() == head == ledger.read()[-1].head and head.number == 2
    assert Head.read(str(head)) == head


def test_a_ledger_from_before_lines_had_further_words_holds_and_goes_on(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 0)
    one, other, at = new_id(), new_id(), "2026-11-27T10:00:00+00:00"
    told = f"1 {at} customer {one.hex} {other.hex}"
    hash_ = hmac.digest(KEY, f"\n{told}".encode(), "sha256").hex()
    ledger.path.write_text(f"{told} {hash_}\n")
    ledger.add([(ASIDE, one, other)], [one.hex, "-"])
    ledger.add([("customer", one, other)])
    assert [line.more for line in ledger.read()] == [(), (one.hex, "-"), ()]
    ledger.path.write_text(ledger.path.read_text().replace(f"{one.hex} - ", f"{other.hex} - "))
    with pytest.raises(Broken, match="line 2"):
        ledger.read()


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_done_to_its_lines_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ledger = filled(tmp_path_factory.mktemp("ledger"), 5)
    end = ledger.head()
    lines = ledger.path.read_text().splitlines(keepends=True)
    at = data.draw(st.integers(0, 4))
    what = data.draw(st.sampled_from(["change", "drop", "swap", "invent"]))
    if what == "change":
        place = data.draw(st.integers(0, len(lines[at]) - 2))
        other = "0" if lines[at][place] != "0" else "1"
        lines[at] = lines[at][:place] + other + lines[at][place + 1 :]
    elif what == "drop":
        del lines[at]
    elif what == "swap":
        other_at = (at + 1) % 5
        lines[at], lines[other_at] = lines[other_at], lines[at]
    else:
        lines.insert(at, lines[data.draw(st.integers(0, 4))])
    ledger.path.write_text("".join(lines))
    try:
        kept = [one.head for one in ledger.read()]
    except (Broken, ValueError):
        return
    assert what == "drop" and at == 4, what  # an end that was cut off is a shorter chain:
    assert end not in kept  # who kept the head sees it


def test_another_installation_cannot_continue_it(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    with pytest.raises(Broken):
        Destroyed(tmp_path / "destroyed.ledger", b"o" * 32).read()


def test_a_line_that_a_crash_cut_off_is_taken_away_and_the_chain_goes_on(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    with ledger.path.open("a") as file:
        file.write("4 2026-11-27T10:00:00+00:00 custo")
    ledger.add([("customer", new_id(), new_id())])
    assert [one.head.number for one in ledger.read()] == [1, 2, 3, 4]


def test_old_lines_are_let_go_and_the_rest_still_holds(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    with travel(timedelta(days=40)):
        ledger.add([("customer", new_id(), new_id())])
        assert ledger.forget_before(now() - timedelta(days=31)) == 3
        assert [one.head.number for one in ledger.read()] == [4]
        ledger.add([("customer", new_id(), new_id())])
        assert [one.head.number for one in ledger.read()] == [4, 5]
    with travel(timedelta(days=80)):
        assert ledger.forget_before(now()) == 2
        end = ledger.head()
        assert (end.number, ledger.read()) == (5, [])
        assert ledger.add([("customer", new_id(), new_id())]).number == 6
    lines = ledger.path.read_text().splitlines(keepends=True)
    ledger.path.write_text(lines[0].replace("from 5", "from 4") + lines[1])
    with pytest.raises(Broken):
        ledger.read()


def test_two_who_let_go_at_once_let_go_of_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with two backups at once: the second one waits where the first one has read and not written yet."""
    ledger, other = filled(tmp_path, 3), Destroyed(tmp_path / "destroyed.ledger", KEY)
    with travel(timedelta(days=40)):
        for _ in range(4):
            ledger.add([("customer", new_id(), new_id())])
        kept, known = now() - timedelta(days=31), Destroyed.read
        with ThreadPoolExecutor(1) as second:

            def reads(self: Destroyed) -> list[Line]:
                found = known(self)
                if self is ledger:
                    second.submit(other.forget_before, kept).result()
                return found

            monkeypatch.setattr(Destroyed, "read", reads)
            ledger.forget_before(kept)
            second.submit(other.forget_before, kept).result()
        monkeypatch.undo()
        assert [one.head.number for one in ledger.read()] == [4, 5, 6, 7]


async def test_a_key_stands_in_the_ledger_before_it_goes(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    account_id, customer_id = new_id(), new_id()
    await vault.create_account_key(account_id)
    await vault.create_customer_key(account_id, customer_id)
    await vault.destroy("customer", account_id, customer_id)
    await vault.destroy_account(account_id)
    await vault.mark_gone(account_id, [bytes(range(16))])
    told = [(one.kind, one.subject_id) for one in vault.destroyed.read()]
    assert told == [("customer", customer_id), ("all", account_id), ("mark", UUID(bytes=bytes(range(16))))]
    vault.close()


async def test_a_key_that_is_gone_gets_no_second_line_however_often_it_is_destroyed(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    account_id, (his, hers) = new_id(), (new_id(), new_id())
    await vault.create_account_key(account_id)
    for customer_id in (his, hers):
        await vault.create_customer_key(account_id, customer_id)
    for _ in range(3):
        await vault.destroy("customer", account_id, his)
    for _ in range(2):
        await vault.destroy_account(account_id)
    assert [(one.kind, one.subject_id) for one in vault.destroyed.read()] == [
        ("customer", his),
        ("all", account_id),
    ]
    with pytest.raises(Erased):
        await vault.customer_key(account_id, hers)
    vault.close()


async def test_a_ledger_that_cannot_be_written_keeps_the_key(tmp_path: Path) -> None:
    disk = tmp_path / "a disk"
    with pytest.raises(Trouble, match="is not there"):
        Vault.open(tmp_path, str(disk / "destroyed.ledger"))
    disk.mkdir()
    vault = Vault.open(tmp_path, str(disk / "destroyed.ledger"))
    disk.rename(tmp_path / "taken out")
    account_id, customer_id = new_id(), new_id()
    await vault.create_account_key(account_id)
    await vault.create_customer_key(account_id, customer_id)
    with pytest.raises(FileNotFoundError):
        await vault.destroy("customer", account_id, customer_id)
    await vault.customer_key(account_id, customer_id)
    (tmp_path / "taken out").rename(disk)
    await vault.destroy("customer", account_id, customer_id)
    with pytest.raises(Erased):
        await vault.customer_key(account_id, customer_id)
    vault.close()
