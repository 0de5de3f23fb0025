"""The root key in a file and with a keyholder outside: what leaves, what is refused, and that moving it loses nothing."""

import base64
import json
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from chatinbox.conftest import People, fresh_database
from chatinbox.core.egress.beforehand import Beforehand
from chatinbox.core.egress.ledger import Entry
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.logging import FIELDS
from chatinbox.core.postgres import Cluster
from chatinbox.core.root import move as moving
from chatinbox.core.root.keep import PLAIN, WRAPPED, Away, InFile, read
from chatinbox.core.root.keyholder import Refuses
from chatinbox.core.root.move import move
from chatinbox.core.root.opening import keeper_of, open_vault
from chatinbox.core.settings import Settings, read_settings
from chatinbox.core.tests.keyholder import ROLE, SECRET, TOKEN, Holder, held
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    with held(tmp_path) as one:
        yield one


def settings(tmp_path: Path, **more: Any) -> Settings:
    return replace(Settings(), data=tmp_path / "data", **more)


def keys(tmp_path: Path) -> list[str]:
    """What stands below `keys/`, but for the note of what was asked."""
    return sorted(one.name for one in (tmp_path / "data" / "keys").iterdir() if one.name != "asked")


@pytest.mark.parametrize("way", [Holder.settings, Holder.by_role])
async def test_a_first_start_has_its_root_key_wrapped_and_neither_disk_nor_keyholder_ever_has_it(
    tmp_path: Path, holder: Holder, way: Callable[[Holder], dict[str, str]]
) -> None:
    ours, account_id = settings(tmp_path, **way(holder)), new_id()
    vault = open_vault(ours)
    sealed = (await vault.create_account_key(account_id)).seal("words", account_id, "t", "c", account_id)
    vault.close()
    assert keys(tmp_path) == [WRAPPED]
    raw = read(ours.data, keeper_of(ours))
    again = open_vault(ours)
    assert (await again.account_key(account_id)).open_text(
        sealed, account_id, "t", "c", account_id
    ) == "words"
    again.close()
    on_disk = b"".join(one.read_bytes() for one in (tmp_path / "data").rglob("*") if one.is_file())
    sent = json.dumps(holder.asked)
    for secret in (raw, base64.b64encode(raw), raw.hex().encode()):
        assert secret not in on_disk and secret not in sent.encode()
    wrapping = next(body["plaintext"] for path, _, body in holder.asked if "encrypt" in path)
    assert base64.b64decode(wrapping) not in on_disk and wrapping.encode() not in on_disk
    assert os.stat(tmp_path / "data" / "keys" / WRAPPED).st_mode & 0o077 == 0


async def test_a_role_signs_in_once_and_again_when_its_token_has_ended_in_its_namespace(
    tmp_path: Path, holder: Holder
) -> None:
    holder.namespace = "shops/one"
    keeper = keeper_of(settings(tmp_path, **holder.by_role(keyholder_namespace="shops/one")))
    kept = keeper.wrap(b"r" * 32)
    assert keeper.unwrap(kept) == b"r" * 32 and holder.logins == 1
    holder.tokens = set()  # its time is over
    assert keeper.unwrap(kept) == b"r" * 32 and holder.logins == 2
    assert {headers.get("x-vault-namespace") for _, headers, _ in holder.asked} == {"shops/one"}
    other = keeper_of(settings(tmp_path, **holder.by_role(keyholder_namespace="shops/two")))
    with pytest.raises(Refuses, match="403"):
        other.unwrap(kept)


async def test_the_token_is_read_anew_each_time_for_another_program_renews_it(
    tmp_path: Path, holder: Holder
) -> None:
    keeper = keeper_of(settings(tmp_path, **holder.settings()))
    kept = keeper.wrap(b"r" * 32)
    holder.tokens = {"s.newer"}
    with pytest.raises(Refuses):
        keeper.unwrap(kept)
    (tmp_path / "token").write_text("s.newer")
    assert keeper.unwrap(kept) == b"r" * 32


async def test_a_certificate_that_is_not_believed_gets_no_token(tmp_path: Path, holder: Holder) -> None:
    for more in ({"keyholder_ca": ""}, {"keyholder_url": holder.url.replace("127.0.0.1", "localhost")}):
        keeper = keeper_of(settings(tmp_path, **{**holder.settings(), **more}))
        with pytest.raises(Away, match="does not answer"):
            keeper.wrap(b"r" * 32)
    assert holder.asked == []
    with pytest.raises(Trouble, match="cannot be read"):
        keeper_of(settings(tmp_path, **{**holder.settings(), "keyholder_ca": str(tmp_path / "none")}))


_OTHER = base64.b64encode(b"o" * 32).decode()
ANSWERS: list[tuple[int, bytes, type[Trouble], str]] = [
    (503, b'{"errors":["Vault is sealed"]}', Away, "sealed"),
    (500, b"", Away, "500"),
    (429, b"{}", Away, "429"),
    (473, b"{}", Away, "473"),
    (403, b'{"errors":["hunter2"]}', Refuses, "may not do it"),
    (404, b'{"errors":["hunter2"]}', Refuses, "no such engine"),
    (400, b'{"errors":["hunter2"]}', Refuses, "did not wrap this"),
    (307, b"", Refuses, "answers as no keyholder does"),
    (200, b"<html>hunter2</html>", Refuses, "does not answer as Vault"),
    (200, b"[]", Refuses, "does not answer as Vault"),
    (200, b'{"data":null}', Refuses, "another key"),
    (200, b'{"data":{"plaintext":"hunter2"}}', Refuses, "another key"),
    (200, b'{"data":{"plaintext":"%s"}}' % _OTHER.encode(), Refuses, "another key"),
    (200, b"x" * 1_100_000, Away, "does not answer"),
]


@pytest.mark.parametrize(("status", "said", "kind", "words"), ANSWERS)
async def test_whatever_else_it_answers_is_one_sentence_and_repeats_none_of_its_words_or_ours(
    tmp_path: Path, holder: Holder, status: int, said: bytes, kind: type[Trouble], words: str
) -> None:
    ours = settings(tmp_path, **holder.settings())
    open_vault(ours).close()
    holder.says = (status, said)
    with pytest.raises(Trouble, match=words) as caught:
        open_vault(ours)
    assert type(caught.value) is (Away if kind is Away else Trouble)
    told = str(caught.value)
    assert "hunter2" not in told and TOKEN not in told and told[0].isupper() and "\n" not in told
    assert keys(tmp_path) == [WRAPPED], "a new root key was made beside data"


async def test_one_that_is_not_there_can_be_asked_again(tmp_path: Path) -> None:
    with held(tmp_path) as holder:
        ours = settings(tmp_path, **holder.settings())
        open_vault(ours).close()
    with pytest.raises(Away, match=r"cannot be opened now\. The keyholder at 127.0.0.1 does not answer"):
        open_vault(ours)


async def test_what_another_key_wrapped_or_somebody_altered_is_refused(
    tmp_path: Path, holder: Holder
) -> None:
    ours = settings(tmp_path, **holder.settings())
    open_vault(ours).close()
    path = ours.data / "keys" / WRAPPED
    told = json.loads(path.read_text())
    for altered in (
        told | {"sealed": base64.b64encode(b"\x01" * 61).decode()},
        told | {"key": "vault:v1:" + base64.b64encode(b"\x01" * 60).decode()},
        {"by": told["by"]},
        [],
    ):
        path.write_text(json.dumps(altered))
        with pytest.raises(Trouble):
            open_vault(ours)
    path.write_text(json.dumps(told))
    holder.keys["transit/chatinbox"] = os.urandom(32)
    with pytest.raises(Trouble, match="did not wrap this"):
        open_vault(ours)


def test_settings_that_would_send_it_in_the_clear_or_do_not_say_how_to_sign_in_are_refused() -> None:
    def said(**more: str) -> Settings:
        return read_settings(
            Namespace(), {f"CHATINBOX_KEYHOLDER_{name.upper()}": text for name, text in more.items()}
        )

    for more, words in (
        ({"url": "http://vault.example:8200", "token_file": "t"}, "in the clear"),
        ({"url": "https://vault.example:8200/v1", "token_file": "t"}, "without a path"),
        ({"url": "https://vault.example:8200"}, "To sign in"),
        ({"url": "https://vault.example:8200", "role_id": "r"}, "To sign in"),
        (
            {"url": "https://vault.example:8200", "token_file": "t", "role_id": "r", "secret_file": "s"},
            "To sign in",
        ),
    ):
        with pytest.raises(Trouble, match=words):
            said(**more)
    assert said(url="http://127.0.0.1:8200", token_file="t").keyholder_key == "chatinbox"
    assert said().keyholder_url == ""


async def test_a_start_whose_settings_and_key_do_not_fit_says_what_to_do(
    tmp_path: Path, holder: Holder
) -> None:
    plain, outside = settings(tmp_path), settings(tmp_path, **holder.settings())
    open_vault(plain).close()
    with pytest.raises(Trouble, match=r"still lies open in .*keys move keyholder"):
        open_vault(outside)
    assert move(plain.data, InFile(), keeper_of(outside))
    with pytest.raises(Trouble, match=r"nothing says which\. Set CHATINBOX_KEYHOLDER_URL"):
        open_vault(plain)
    (plain.data / "keys" / PLAIN).write_bytes(b"r" * 32)
    for one in (plain, outside):
        with pytest.raises(Trouble, match="moving it did not end"):
            open_vault(one)


async def test_it_is_moved_there_and_back_and_stays_the_same_key(tmp_path: Path, holder: Holder) -> None:
    plain, outside = settings(tmp_path), settings(tmp_path, **holder.settings())
    raw = read(plain.data, InFile())
    for old, new, left in ((plain, outside, WRAPPED), (outside, plain, PLAIN)):
        assert move(plain.data, keeper_of(old), keeper_of(new)) and keys(tmp_path) == [left]
        assert read(plain.data, keeper_of(new)) == raw
        assert not move(plain.data, keeper_of(old), keeper_of(new)), "it is there already"
    with pytest.raises(Trouble, match="There is no root key"):
        move(tmp_path / "nowhere", InFile(), keeper_of(outside))


async def test_moving_it_removes_nothing_before_the_new_one_was_read_back_and_goes_on_where_it_broke(
    tmp_path: Path, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, outside = settings(tmp_path), settings(tmp_path, **holder.settings())
    raw = read(plain.data, InFile())

    def to_keyholder() -> bool:
        return move(plain.data, InFile(), keeper_of(outside))

    holder.says = (503, b"{}")
    with pytest.raises(Away):
        to_keyholder()
    assert keys(tmp_path) == [PLAIN]
    holder.says, right = None, Holder._turn
    monkeypatch.setattr(Holder, "_turn", lambda *a: (403, b"{}") if a[1] == "decrypt" else right(*a))
    with pytest.raises(Refuses):
        to_keyholder()
    assert keys(tmp_path) == [PLAIN, WRAPPED] and read_plain(plain) == raw
    monkeypatch.setattr(Holder, "_turn", right)
    with monkeypatch.context() as broken:
        broken.setattr(moving, "destroy", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            to_keyholder()
    assert keys(tmp_path) == [PLAIN, WRAPPED]
    assert to_keyholder() and keys(tmp_path) == [WRAPPED] and read(plain.data, keeper_of(outside)) == raw


def read_plain(ours: Settings) -> bytes:
    return (ours.data / "keys" / PLAIN).read_bytes()


async def test_two_different_keys_are_never_taken_for_one(tmp_path: Path, holder: Holder) -> None:
    plain, outside = settings(tmp_path), settings(tmp_path, **holder.settings())
    read(plain.data, InFile())
    (plain.data / "keys" / WRAPPED).write_bytes(keeper_of(outside).wrap(b"o" * 32))
    with pytest.raises(Trouble, match="hold different keys, so nothing was removed"):
        move(plain.data, InFile(), keeper_of(outside))
    assert keys(tmp_path) == [PLAIN, WRAPPED]


async def test_what_is_asked_before_the_database_is_open_stands_in_the_houses_ledger_and_on_disk_before_it_leaves(
    tmp_path: Path, holder: Holder, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = fresh_database(cluster, f"test_{new_id().hex}")
    ours = settings(
        tmp_path, database_url=dsn, public_url="http://127.0.0.1:8000", sign_up="open", **holder.settings()
    )
    before: list[int] = []
    right = Holder.answer

    def look(one: Holder, *given: Any) -> tuple[int, bytes]:
        note = ours.data / "keys" / "asked"
        before.append(note.read_text().count('"recipient"') if note.exists() else 0)
        return right(one, *given)

    monkeypatch.setattr(Holder, "answer", look)
    inst = await Installation.open(ours, dsn)
    try:
        ada = await People(inst).owner("Ada", "Ada's Tea")
        [theirs] = await inst.db.run(ada.account_id, ("select 1 from ledger where named = 'keyholder'", []))
        assert theirs == [] and (ours.data / "keys" / "asked").read_bytes() == b""
        assert await Beforehand(ours.data).hand_on(inst.behind) == 0
    finally:
        await inst.close()
    assert before == [1, 2]
    with psycopg.connect(dsn) as above:
        rows = above.execute(
            "select recipient, basis, instruction, fields, named, outcome, reason from work.house_ledger order by id"
        ).fetchall()
    assert [row[:3] for row in rows] == [
        (holder.url, "subprocessor", "a key is to be wrapped"),
        (holder.url, "subprocessor", "the root key is opened"),
    ]
    assert {row[4:] for row in rows} == {("keyholder", "taken", "200")}
    assert TOKEN not in str(rows)


async def test_a_line_that_a_power_cut_tore_keeps_nobody_from_starting_and_swallows_no_later_one(
    tmp_path: Path, inst: Installation
) -> None:
    ahead, note = Beforehand(tmp_path), tmp_path / "keys" / "asked"
    entry = Entry(None, "http", "https://x", "account", None, "subprocessor", "a test", ("b",), "keyholder")
    first = await ahead.begin(entry)
    whole = note.read_bytes()
    note.write_bytes(whole + b'{"id": "0198')  # the machine lost its power while it wrote
    second = await ahead.begin(entry)
    await ahead.end(None, second, "taken", "200")
    assert note.read_bytes().startswith(whole + b'{"id": "' + str(second).encode())
    # What an older program wrote behind half a line, what no program wrote, and half a line again.
    note.write_bytes(note.read_bytes() + b'{"id": "01{"id": "0199"}\n\0\xff\n{"id"')
    with capture_logs() as logs:
        assert await ahead.hand_on(inst.behind) == 2
    assert logs == [{"event": "asked_beforehand_unreadable", "log_level": "warning", "count": 2}]
    assert note.read_bytes() == b"" and "count" in FIELDS
    ask = "select id, outcome from work.house_ledger where id = any(%s) order by id"
    rows = [tuple(row) for row in await inst.db.directory(ask, [[first, second]])]
    assert rows == [(first, "begun"), (second, "taken")]


async def test_nothing_of_an_account_is_written_down_beforehand(tmp_path: Path) -> None:
    entry = Entry(new_id(), "http", "https://x", "account", None, "subprocessor", "a", ("b",), "keyholder")
    with pytest.raises(ValueError, match="waits for the database"):
        await Beforehand(tmp_path).begin(entry)


async def test_a_file_that_is_no_key_is_damaged_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / PLAIN).write_bytes(b"short")
    with pytest.raises(Trouble, match="damaged: it should be 32 bytes"):
        Vault.open(tmp_path)
    assert (tmp_path / "keys" / PLAIN).read_bytes() == b"short"


async def test_secrets_of_the_sign_in_that_cannot_be_read_or_are_wrong_are_one_sentence(
    tmp_path: Path, holder: Holder
) -> None:
    ours = settings(tmp_path, **holder.by_role())
    (tmp_path / "secret").write_text("another")
    with pytest.raises(Refuses, match=r"auth/approle/login \(400\)") as caught:
        keeper_of(ours).wrap(b"r" * 32)
    assert (
        "another" not in str(caught.value)
        and ROLE not in str(caught.value)
        and SECRET not in str(caught.value)
    )
    (tmp_path / "secret").unlink()
    with pytest.raises(Trouble, match="cannot be read"):
        keeper_of(ours).wrap(b"r" * 32)
