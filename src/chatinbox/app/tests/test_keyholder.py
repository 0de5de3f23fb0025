"""An installation whose root key a keyholder wrapped: it waits for it, hears when it is refused, is copied, put back and moved."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import structlog

from chatinbox.app import root_key
from chatinbox.app.backup.copy import back_up, copy
from chatinbox.app.backup.restore import put_back
from chatinbox.app.command import parser
from chatinbox.app.root_key import keep_asking, move_root_key, say_where, wait_for_root_key
from chatinbox.app.tests.test_serving import Started, data, sentence  # noqa: F401 — a fixture
from chatinbox.conftest import People, fresh_database
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.root.keep import PLAIN, WRAPPED
from chatinbox.core.settings import Settings
from chatinbox.core.tests.keyholder import TOKEN, Holder, held
from chatinbox.core.tests.test_logging import Lines, lines
from chatinbox.core.trouble import Trouble
from chatinbox.privacy.places import housed

__all__ = ["lines"]


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    with held(tmp_path) as one:
        yield one


@pytest.fixture
def ours(tmp_path: Path, holder: Holder, cluster: Cluster) -> Settings:
    """Settings of an installation whose root key is kept outside."""
    return settings(tmp_path / "data", cluster, **holder.settings())


def settings(folder: Path, cluster: Cluster, **more: str) -> Settings:
    dsn = fresh_database(cluster, f"test_{new_id().hex}")
    return replace(
        Settings(), data=folder, database_url=dsn, public_url="http://127.0.0.1:8000", sign_up="open", **more
    )


@pytest.fixture
async def outside(ours: Settings) -> AsyncIterator[Installation]:
    inst = await Installation.open(ours, ours.database_url or "")
    yield inst
    await inst.close()


async def test_a_start_waits_for_a_keyholder_that_is_away_and_not_for_one_that_refuses(
    ours: Settings, outside: Installation, holder: Holder
) -> None:
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        holder.says = None if len(waited) == 3 else holder.says

    wait_for_root_key(ours, pause)
    assert waited == []
    holder.says = (503, b"{}")
    wait_for_root_key(ours, pause)
    assert len(waited) == 3
    holder.says = (403, b"{}")
    with pytest.raises(Trouble, match="may not do it"):
        wait_for_root_key(ours, pause)
    assert len(waited) == 3


async def test_what_runs_goes_on_while_it_is_away_and_stops_when_it_refuses_twice_in_a_row(
    outside: Installation, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [(503, b"{}"), None, (403, b"{}"), None, (403, b"{}"), (403, b"{}")]
    seen: list[str] = []

    async def next_minute(_seconds: float) -> None:
        seen.append(outside.vault.keeper.away)  # type: ignore[attr-defined]
        holder.says = answers.pop(0)

    monkeypatch.setattr(root_key.asyncio, "sleep", next_minute)
    told: list[Trouble] = []
    await keep_asking(outside, told.append)
    assert answers == [] and len(told) == 1 and "may not do it" in str(told[0])
    assert "sealed" in seen[1] and seen[2] == "", "that it was away is not told, or is told on"
    with psycopg.connect(outside.settings.database_url or "") as above:
        rows = above.execute(
            "select outcome from work.house_ledger where instruction = 'the root key is opened' order by id"
        ).fetchall()
    assert [row[0] for row in rows] == ["taken", "refused"], (
        "the minutes of a day are one row, with how it ended last"
    )


async def test_the_log_says_why_it_waits_and_what_is_refused_by_a_code_and_by_no_words(
    ours: Settings,
    outside: Installation,
    holder: Holder,
    lines: Lines,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(root_key, "log", structlog.get_logger())
    answers = [(503, b"{}"), (500, b"grace@mail.example"), None]

    def pause(_seconds: float) -> None:
        holder.says = answers.pop(0)

    holder.says = (429, b"{}")
    wait_for_root_key(ours, pause)
    waits = [(line["reason_code"], line["seconds"]) for line in lines()]
    assert waits == [(code, root_key.PAUSE_SECONDS) for code in ("busy", "sealed", "busy")]
    token, minutes = Path(ours.keyholder_token_file), list[int]()
    kept = token.read_text()

    async def next_minute(_seconds: float) -> None:
        minute = minutes.pop(0)
        holder.says = (minute, b"{}") if minute else None
        token.write_text(kept)
        if minute == 1:
            token.unlink()

    monkeypatch.setattr(root_key.asyncio, "sleep", next_minute)
    for these, expected in (
        ([503, 403, 404], [("sealed", None), ("forbidden", 1), ("not_there", 2)]),
        ([400, 418], [("not_its_own", 1), ("strange", 2)]),
        ([1, 1], [("not_asked", 1), ("not_asked", 2)]),
    ):
        minutes[:] = these
        before = len(lines())
        await keep_asking(outside, lambda _trouble: None)
        told = lines()[before:]
        assert [(line["reason_code"], line.get("count")) for line in told] == expected
    assert not any(word in str(lines()) for word in ("grace", "127.0.0.1", str(tmp_path)))


async def test_another_root_key_in_its_place_is_as_good_as_a_refusal(
    outside: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_seconds: float) -> None: ...

    other = outside.vault.keeper.wrap(b"o" * 32)
    (outside.settings.data / "keys" / WRAPPED).write_bytes(other)
    monkeypatch.setattr(root_key.asyncio, "sleep", at_once)
    told: list[Trouble] = []
    await keep_asking(outside, told.append)
    assert "another root key" in str(told[0])


async def test_where_a_file_keeps_it_nobody_is_asked(inst: Installation, holder: Holder) -> None:
    await keep_asking(inst, lambda trouble: pytest.fail(str(trouble)))
    assert holder.asked == []


async def test_both_copies_are_put_back_with_the_wrapped_key_and_its_keyholder_and_not_without(
    ours: Settings, outside: Installation, holder: Holder, cluster: Cluster, tmp_path: Path
) -> None:
    ada = await People(outside).owner("Ada", "Ada's Tea")
    cyd = await People(outside).owner("Cyd", "Cyd's Coffee")
    (to := tmp_path / "to").mkdir()
    (keys_to := tmp_path / "keys to").mkdir()
    copied, keys, _ = copy(ours, outside.vault, ours.database_url or "", to, keys_to)
    wrapped = ours.data / "keys" / WRAPPED

    def restored(there: Settings, root: Path) -> list[str]:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(put_back, there, copied, keys, root, None, "").result()

    there = settings(tmp_path / "there", cluster, **holder.settings())
    with pytest.raises(Trouble, match=r"was wrapped by a keyholder\. Set CHATINBOX_KEYHOLDER_URL"):
        restored(settings(tmp_path / "there", cluster), wrapped)
    (tmp_path / "open").write_bytes(b"r" * 32)
    with pytest.raises(Trouble, match="lies open; restore without"):
        restored(there, tmp_path / "open")
    (tmp_path / "nothing").write_bytes(b"r" * 31)
    with pytest.raises(Trouble, match="is no root key"):
        restored(there, tmp_path / "nothing")
    holder.says = (503, b"{}")
    with pytest.raises(Trouble, match="sealed"):
        restored(there, wrapped)
    holder.says = None
    restored(there, wrapped)
    inst = await Installation.open(there, there.database_url or "")
    try:
        for one in (ada, cyd):
            await inst.vault.account_key(one.account_id)
        assert sorted(path.name for path in (there.data / "keys").iterdir()) == ["asked", WRAPPED]
    finally:
        await inst.close()


async def test_a_backup_says_what_is_not_in_it(
    ours: Settings, outside: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(back_up, ours, tmp_path / "to", tmp_path / "keys to").result() == 0
    told = capsys.readouterr().out
    assert "Not in the copies: keys/root.wrapped" in told and "the keyholder at 127.0.0.1 has" in told


async def test_keys_move_says_what_is_to_be_done_and_everything_still_opens(
    cluster: Cluster, holder: Holder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = settings(tmp_path / "data", cluster)
    named = replace(plain, **holder.settings())  # type: ignore[arg-type]
    inst = await Installation.open(plain, plain.database_url or "")
    ada = await People(inst).owner("Ada", "Ada's Tea")
    await inst.close()
    for to, found, then in (
        ("keyholder", WRAPPED, named),
        ("keyholder", WRAPPED, named),
        ("file", PLAIN, plain),
    ):
        given = parser().parse_args(["keys", "move", to])
        assert move_root_key(named, given.to) == 0
        told = capsys.readouterr().out
        assert f"keys/{found}" in told and TOKEN not in told
        assert not (plain.data / "keys" / ({PLAIN, WRAPPED} - {found}).pop()).exists()
        again = await Installation.open(then, then.database_url or "")
        await again.vault.account_key(ada.account_id)
        await again.close()
    with pytest.raises(Trouble, match="No keyholder is named"):
        move_root_key(plain, "keyholder")


async def test_the_doctor_says_who_keeps_it_and_whether_it_can_be_opened(
    ours: Settings, outside: Installation, holder: Holder, inst: Installation, tmp_path: Path
) -> None:
    assert say_where(ours) == (True, "kept by the keyholder at 127.0.0.1, which answers")
    holder.says = (503, b"{}")
    fine, told = say_where(ours)
    assert not fine and "sealed" in told
    assert say_where(inst.settings) == (True, "kept by a file in the data folder")
    assert say_where(replace(ours, data=tmp_path / "new"))[1].startswith("not made yet")


async def test_a_keyholder_on_another_machine_stands_in_the_register_or_stops_the_start(
    ours: Settings,
) -> None:
    there = replace(ours, keyholder_url="https://vault.example:8200")
    [one] = [one for one in housed(there) if one.what == "The keyholder"]
    assert one.host == "vault.example" and "nothing says where that stands" in one.missing
    [one] = [one for one in housed(replace(there, own_hosts="vault.example")) if one.what == "The keyholder"]
    assert one.missing == ""
    assert not [one for one in housed(ours) if one.what == "The keyholder"]


def test_a_server_starts_with_it_and_one_whose_token_was_taken_back_does_not(
    data: Path,  # noqa: F811
    tmp_path: Path,
    holder: Holder,
) -> None:
    words = {f"CHATINBOX_{name.upper()}": text for name, text in holder.settings().items()}
    started = Started(data, "--json", CHATINBOX_PROVE="no", **words)
    started.ready()
    status, out, log = started.stop()
    assert status == 0 and TOKEN not in out + log
    assert (data / "keys" / WRAPPED).exists() and not (data / "keys" / PLAIN).exists()
    holder.tokens = set()
    assert "may not do it" in sentence(data, **words)
    assert "nothing says which" in sentence(data)


@pytest.mark.parametrize("away", ["", "The keyholder is sealed."])
async def test_the_public_page_says_that_it_is_kept_outside_and_when_it_is_away(
    outside: Installation, away: str
) -> None:
    from chatinbox.web.site.environment import _keys

    outside.vault.keeper.away = away  # type: ignore[attr-defined]
    fact = _keys(outside)
    assert (fact.state, fact.word) == (("broken", "Keyholder away") if away else ("holds", "Kept outside"))
    assert "127.0.0.1" not in fact.seen
