"""Sealing: what is sealed opens only where it was sealed, and never again once its key is gone."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.files import Files
from chatinbox.core.ids import new_id
from chatinbox.core.vault import BadToken, Erased, SealKey, Tampered, Vault

KEY = SealKey(b"k" * 32)
ACCOUNT, ROW = new_id(), new_id()


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_in_its_place(value: bytes) -> None:
    sealed = KEY.seal(value, ACCOUNT, "message", "body", ROW)
    assert KEY.open(sealed, ACCOUNT, "message", "body", ROW) == value
    assert len(value) < 4 or value not in sealed


@given(st.integers(min_value=0, max_value=3))
def test_it_opens_nowhere_else(part: int) -> None:
    sealed = KEY.seal("words", ACCOUNT, "message", "body", ROW)
    place = [ACCOUNT, "message", "body", ROW]
    place[part] = [new_id(), "note", "subject", new_id()][part]
    with pytest.raises(Tampered):
        KEY.open(sealed, *place)  # type: ignore[arg-type]


@given(st.integers(min_value=0, max_value=33))
def test_a_changed_byte_is_noticed(at: int) -> None:
    sealed = bytearray(KEY.seal("words", ACCOUNT, "message", "body", ROW))
    sealed[1 + at % (len(sealed) - 1)] ^= 1
    with pytest.raises(Tampered):
        KEY.open(bytes(sealed), ACCOUNT, "message", "body", ROW)


async def test_a_destroyed_key_is_gone_at_once_and_from_the_file(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    account_id, customer_id, other_id = new_id(), new_id(), new_id()
    await vault.create_account_key(account_id)
    await vault.create_customer_key(account_id, customer_id)
    await vault.create_customer_key(account_id, other_id)
    file = tmp_path / "keystore" / "keys.sqlite"
    with sqlite3.connect(file) as db:
        (wrapped,) = db.execute(
            "select wrapped from wrapped_key where subject_id = ?", [customer_id.bytes]
        ).fetchone()
    await vault.destroy("customer", account_id, customer_id)
    with pytest.raises(Erased):
        await vault.customer_key(account_id, customer_id)
    assert await vault.customer_key(account_id, other_id)
    vault.close()
    for left in file.parent.iterdir():
        assert wrapped not in left.read_bytes()


async def test_keys_survive_a_new_start_and_two_makers_of_one_key_agree(tmp_path: Path) -> None:
    account_id = new_id()
    first, second = Vault.open(tmp_path), Vault.open(tmp_path)
    one = await first.create_account_key(account_id)
    two = await second.create_account_key(account_id)
    assert one.blind("x", "y") == two.blind("x", "y")
    first.close(), second.close()
    assert (await Vault.open(tmp_path).account_key(account_id)).blind("x", "y") == one.blind("x", "y")


async def test_a_customers_key_does_not_open_with_another_accounts(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    account_id, foreign_id, customer_id = new_id(), new_id(), new_id()
    await vault.create_account_key(account_id)
    await vault.create_account_key(foreign_id)
    await vault.create_customer_key(account_id, customer_id)
    with pytest.raises(Erased):
        await vault.customer_key(foreign_id, customer_id)


@given(st.binary(max_size=80))
def test_a_token_gives_back_what_was_put_in_and_fits_an_address(
    tmp_path_factory: pytest.TempPathFactory, value: bytes
) -> None:
    vault = _vault(tmp_path_factory)
    token = vault.mint("reply-address", value)
    assert token == token.lower() and token.isalnum()
    assert vault.read("reply-address", token) == value == vault.read("reply-address", token.upper())
    for wrong in (token[:-2], "a" + token[1:] if token[0] != "a" else "b" + token[1:], "", "%", token + "aa"):
        with pytest.raises(BadToken):
            vault.read("reply-address", wrong)
    with pytest.raises(BadToken):
        vault.read("file-link", token)


_made: list[Vault] = []


def _vault(factory: pytest.TempPathFactory) -> Vault:
    if not _made:
        _made.append(Vault.open(factory.mktemp("vault")))
    return _made[0]


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
async def test_a_file_comes_back_whole_and_lies_sealed(tmp_path: Path, size: int) -> None:
    files, content = Files(tmp_path), b"secret words " * (size // 13 + 1)
    content = content[:size]
    await files.put(KEY, ACCOUNT, ROW, content)
    assert await files.get(KEY, ACCOUNT, ROW) == content
    assert b"".join([piece async for piece in files.stream(KEY, ACCOUNT, ROW)]) == content
    assert b"secret words" not in files.path(ACCOUNT, ROW).read_bytes()


async def test_a_cut_or_swapped_file_is_noticed(tmp_path: Path) -> None:
    files = Files(tmp_path)
    await files.put(KEY, ACCOUNT, ROW, b"x" * (2 << 20))
    path = files.path(ACCOUNT, ROW)
    whole = path.read_bytes()
    piece = (1 << 20) + 29
    for wrong in (whole[:piece], whole[piece:], whole[piece:] + whole[:piece], whole + whole[piece:]):
        path.write_bytes(wrong)
        with pytest.raises(Tampered):
            await files.get(KEY, ACCOUNT, ROW)
