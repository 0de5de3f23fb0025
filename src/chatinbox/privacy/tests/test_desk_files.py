"""Files over the desk: named one by one before anybody agrees, seen by who agrees, and handed out with their sums; no other leaves."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.canonical import canonical
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import signature
from chatinbox.privacy.desk import cases, files
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.counts import read_counts
from chatinbox.privacy.desk.files import list_files, name_files, read_named
from chatinbox.privacy.desk.release import PURPOSE, release
from chatinbox.privacy.desk.with_files import release_with_files
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.glass import look
from chatinbox.privacy.glass.seen import read_seen
from chatinbox.privacy.left.read import read_ledger
from chatinbox.privacy.restriction.restrict import restrict
from chatinbox.privacy.tests.test_desk import CONTENT, DANGER, above, checked, olga, opened, otto, subjects

__all__ = ["above", "olga", "otto"]

FILES = replace(CONTENT, kinds=["files"])
BILL = NewFile("bill.pdf", "application/pdf", b"canary bytes of a bill")
PHOTO = NewFile("photo.html", "text/html", b"canary bytes of a photo")


async def named(inst: Installation, by: Staff, case: Case, *names: str) -> Case:
    """The case, which names these files, or all."""
    await name_files(inst, by.person_id, case, list(names))
    return await cases.read_case(inst, case.id)


async def seen_and_checked(inst: Installation, case: Case, *by: Staff) -> Case:
    for one in by:
        await list_files(inst, one.person_id, case)
        case = await checked(inst, case, one)
    return case


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([one async for one in parts])


async def released(inst: Installation, by: Staff, case: Case) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    """The file, and the signed list in it, whose signature holds."""
    raw = await whole(await release_with_files(inst, by.person_id, case))
    assert (await cases.read_case(inst, case.id)).digest == hashlib.sha256(raw).digest()
    file = zipfile.ZipFile(io.BytesIO(raw))
    assert file.testzip() is None
    told = json.loads(file.read("release.json"))
    value = told.pop("signature")
    assert signature.public_key(inst.vault, PURPOSE) == value["public_key"]
    assert signature.is_genuine(canonical(told), b64decode(value["value"]), value["public_key"])
    return file, told


async def test_two_people_see_which_files_an_order_names_and_these_leave_with_their_sums_and_no_other(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "canary words", files=[BILL, PHOTO])
    await say(ada, email="other@mail.example", files=[NewFile("other.txt", "text/plain", b"canary other")])
    case = await opened(inst, olga, ada, FILES)
    for early in (list_files(inst, olga.person_id, case), checked(inst, case, olga)):
        with pytest.raises(Refused) as error:
            await early
        assert error.value.code == "unnamed"
    case = await named(inst, olga, case, "bill.pdf")
    assert case.file_count == 1
    with pytest.raises(Refused) as error:
        await checked(inst, case, olga)
    assert error.value.code == "unseen", "who named it has not seen what that is"
    assert [
        (one.name, one.type, one.size, one.number) for one in await list_files(inst, olga.person_id, case)
    ] == [("bill.pdf", "application/pdf", 22, 1)]
    case = await checked(inst, case, olga)
    with pytest.raises(Refused) as error:
        await checked(inst, case, otto)
    assert error.value.code == "unseen", "another's look is not his"
    assert "Data of your account was asked for" not in await subjects(inst, ada)
    with pytest.raises(Refused):
        await release_with_files(inst, olga.person_id, case)
    case = await seen_and_checked(inst, case, otto)
    assert case.told_at
    assert [(one.name, one.number) for one in (await read_named(inst, ada))[case.id]] == [("bill.pdf", 1)]
    assert await read_named(inst, cyd) == {}
    assert await read_named(inst, replace(ada, kept_out=frozenset([new_id()]))) == {}
    file, told = await released(inst, olga, case)
    assert file.namelist() == ["files/001.pdf", "release.json"] and file.read("files/001.pdf") == BILL.content
    [line] = told["files"]
    assert {name: line[name] for name in ("conversation", "path", "name", "type", "size", "sha256")} == {
        "conversation": 1, "path": "files/001.pdf", "name": "bill.pdf", "type": "application/pdf", "size": 22,
        "sha256": hashlib.sha256(BILL.content).hexdigest(),
    }  # fmt: skip
    assert told["data"] == {} and "canary" not in json.dumps(told)
    [row] = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert (row.recipient, row.fields, row.outcome) == ("Halden Police", ["files"], "taken")
    _, looks = await read_seen(inst, ada)
    assert [(one.what, one.file) for one in looks if one.what == "file"] == [("file", "bill.pdf")]
    assert {one.what for one in looks} == {"file", "list"}
    assert await read_seen(inst, cyd) == ([], [])
    with pytest.raises(Refused) as error:
        await release_with_files(inst, olga.person_id, case)
    assert error.value.code == "over"


async def test_a_conversation_may_be_named_whole_with_its_notes_where_these_are_named_and_in_its_time(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, "canary words", files=[BILL])
    noted, _ = [
        await verbs.attach(
            inst, ada.account_id, got.conversation_id, NewFile(name, "text/plain", b"canary note")
        )
        for name in ("noted.txt", "unsent.txt")
    ]
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="n"), attachment_ids=[noted])
    await say(ada, "later", files=[PHOTO], conversation_id=got.conversation_id)
    above.execute(
        "update tenant.message set at = at - interval '40 days' where account_id = %s and id = %s",
        [ada.account_id, got.message_id],
    )
    since = {"from_at": now() - timedelta(days=1), "to_at": now() + timedelta(days=1)}
    for order, names in (
        (replace(FILES, kinds=["messages", "files"]), ["bill.pdf", "photo.html"]),
        (replace(FILES, kinds=["notes", "files"]), ["bill.pdf", "noted.txt", "photo.html"]),
        (replace(FILES, **since), ["photo.html"]),
        (replace(FILES, object="account", number=None, **since), ["photo.html"]),
        (replace(FILES, object="customer"), ["bill.pdf", "photo.html"]),
    ):
        case = await named(inst, olga, await opened(inst, olga, ada, order))
        case = await seen_and_checked(inst, case, olga, otto)
        _, told = await released(inst, olga, case)
        assert sorted(one["name"] for one in told["files"]) == names
        assert ("canary words" in json.dumps(told)) == ("messages" in order.kinds)


@pytest.mark.parametrize(
    "order",
    [
        replace(FILES, instrument="subpoena"),
        replace(FILES, instrument="authority_order"),
        replace(FILES, object="account", number=None),
    ],
)
async def test_only_a_court_a_warrant_or_a_danger_names_files_and_never_all_of_an_account(
    inst: Installation, ada: Staff, olga: Staff, say: Say, above: psycopg.Connection, order: cases.Order
) -> None:
    await say(ada, files=[BILL])
    with pytest.raises(Refused):
        await opened(inst, olga, ada, order)
    ask = "select desk.open_case(%s, 'law', %s, %s, %s, %s, %s, null, null, null, %s)"
    given = [new_id(), order.instrument, b"x" * 80, ["files"], order.object, order.number, olga.person_id]
    with pytest.raises(psycopg.errors.CheckViolation):
        await ask_as_operator(inst, ada.account_id, ask, given)


async def test_files_are_named_once_within_what_it_names_and_before_anybody_checked_it(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, files=[BILL])
    await say(ada, email="other@mail.example", files=[NewFile("other.txt", "text/plain", b"canary other")])
    await say(cyd, files=[PHOTO])
    case = await opened(inst, olga, ada, FILES)
    for name in ("other.txt", "photo.html", "bill"):
        with pytest.raises(Refused) as error:
            await name_files(inst, olga.person_id, case, ["bill.pdf", name])
        assert error.value.code == "files" and name in error.value.sentence
    [rows] = await inst.db.run(
        ada.account_id, ("select id from attachment where account_id = %s", [ada.account_id])
    )
    with pytest.raises(psycopg.errors.NoDataFound):
        ask = "select desk.name_files(%s, %s, 9, 999)"
        await ask_as_operator(inst, ada.account_id, ask, [case.id, [row[0] for row in rows]])
    [[count]] = await ask_as_operator(
        inst, cyd.account_id, "select desk.name_files(%s, null, 9, 999)", [case.id]
    )
    assert count is None, "another account's files were named"
    case = await named(inst, olga, case)
    with pytest.raises(Refused) as error:
        await name_files(inst, olga.person_id, case, [])
    assert error.value.code == "over"
    await say(ada, files=[PHOTO], conversation_id=got.conversation_id)
    case = await seen_and_checked(inst, case, olga, otto)
    _, told = await released(inst, olga, case)
    assert [one["name"] for one in told["files"]] == ["bill.pdf"], "what came later was not named"
    none = await opened(inst, olga, cyd, FILES)
    above.execute(
        "update tenant.message set at = at - interval '9 days' where account_id = %s", [cyd.account_id]
    )
    above.execute("update desk.legal_case set from_at = now() where id = %s", [none.id])
    with pytest.raises(Refused) as error:
        await name_files(inst, olga.person_id, none, [])
    assert error.value is files.NONE


async def test_more_than_one_release_carries_is_said_when_it_is_named(
    inst: Installation,
    ada: Staff,
    olga: Staff,
    say: Say,
    above: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say(ada, files=[BILL, PHOTO])
    case = await opened(inst, olga, ada, FILES)
    with monkeypatch.context() as fewer:
        fewer.setattr(files, "MOST_FILES", 1)
        with pytest.raises(Refused) as error:
            await name_files(inst, olga.person_id, case, [])
    assert error.value is files.TOO_MUCH
    above.execute("update tenant.attachment set size = 1200000000 where account_id = %s", [ada.account_id])
    with pytest.raises(Refused) as error:
        await name_files(inst, olga.person_id, case, [])
    assert error.value is files.TOO_MUCH
    assert await name_files(inst, olga.person_id, case, ["bill.pdf"]) == 1


async def test_a_large_file_is_sent_on_piece_by_piece(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    size = 24 << 20
    await say(ada, files=[NewFile("film.bin", "video/mp4", bytes(size))])
    case = await named(inst, olga, await opened(inst, olga, ada, FILES))
    case = await seen_and_checked(inst, case, olga, otto)
    parts = await release_with_files(inst, olga.person_id, case)
    tracemalloc.start()
    try:
        lengths = [len(one) async for one in parts]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(lengths) > size and max(lengths) < 3 << 20 and peak < size // 2


async def test_what_is_killed_midway_stands_in_the_ledger_as_broken_off_and_can_be_released_again_within_a_day(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, files=[NewFile("film.bin", "video/mp4", bytes(3 << 20))])
    case = await named(inst, olga, await opened(inst, olga, ada, replace(DANGER, kinds=["files"])))
    with pytest.raises(Refused) as error:
        await release_with_files(inst, olga.person_id, case)
    assert error.value.code == "unseen", "who releases alone has not seen it either"
    await list_files(inst, olga.person_id, case)
    async with aclosing(await release_with_files(inst, olga.person_id, case)) as parts:  # type: ignore[type-var]
        await anext(parts)
    [row] = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert row.outcome == "begun", "on its way, or broken off"
    assert [one.file for one in (await read_seen(inst, ada))[1] if one.what == "file"] == ["film.bin"]
    begun = await cases.read_case(inst, case.id)
    assert begun.is_to_go_on and begun.digest is None
    _, told = await released(inst, otto, case)
    assert told["files"][0]["size"] == 3 << 20
    ended = await cases.read_case(inst, case.id)
    assert (ended.released_by, ended.released_at, ended.review_due_at) == (
        olga.person_id,
        begun.released_at,
        begun.review_due_at,
    ), "a second try moves no review"
    outcomes = [one.outcome for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert sorted(outcomes) == ["begun", "taken"]
    assert [one for one in await read_ledger(inst, cyd) if one.gate == "desk"] == []
    above.execute(
        "update desk.legal_case set digest = null, released_at = released_at - interval '25 hours',"
        " review_due_at = review_due_at - interval '25 hours'"
    )
    with pytest.raises(Refused) as error:
        await release_with_files(inst, otto.person_id, case)
    assert error.value.code == "over"
    assert {(one.came, one.released) for one in await read_counts(inst)} == {(1, 1)}


async def test_the_ledger_has_its_row_before_anything_is_read(
    inst: Installation,
    ada: Staff,
    olga: Staff,
    otto: Staff,
    say: Say,
    above: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say(ada, files=[BILL])
    case = await named(inst, olga, await opened(inst, olga, ada, FILES))
    case = await seen_and_checked(inst, case, olga, otto)
    rows: list[list[str]] = []

    async def killed(*_: Any) -> look.Look:
        rows.append([one.outcome for one in await read_ledger(inst, ada) if one.gate == "desk"])
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(look, "look", killed)
        with pytest.raises(KeyboardInterrupt):
            await release_with_files(inst, olga.person_id, case)
    assert rows == [["begun"]]
    [row] = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert row.outcome == "withheld", "not a byte was out"


async def test_of_an_erased_customer_nothing_leaves_and_the_list_says_that_it_is_gone(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, files=[BILL])
    await say(ada, email="other@mail.example", files=[PHOTO])
    order = replace(
        FILES,
        object="account",
        number=None,
        from_at=now() - timedelta(days=1),
        to_at=now() + timedelta(days=1),
    )
    case = await named(inst, olga, await opened(inst, olga, ada, order))
    case = await seen_and_checked(inst, case, olga)
    erasure_id = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, ada.account_id, erasure_id)
    assert [one.name for one in await list_files(inst, otto.person_id, case)] == ["photo.html"]
    assert [one.name for one in (await read_named(inst, ada)).get(case.id, [])] == []
    case = await seen_and_checked(inst, case, otto)
    assert [one.name for one in (await read_named(inst, ada))[case.id]] == ["photo.html"]
    file, told = await released(inst, olga, case)
    gone, there = sorted(told["files"], key=lambda one: "gone" not in one)
    assert gone == {"place": gone["place"], "conversation": None, "gone": True}
    assert (there["name"], there["path"][-9:]) == ("photo.html", ".html.txt"), "opened, it would run"
    assert len(file.namelist()) == 2


async def test_the_file_of_somebody_who_is_set_aside_leaves_where_the_law_names_it(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, files=[BILL])
    await restrict(inst, ada, got.customer_id, "accuracy")
    case = await named(inst, olga, await opened(inst, olga, ada, FILES))
    _, told = await released(inst, olga, await seen_and_checked(inst, case, olga, otto))
    assert [one["name"] for one in told["files"]] == ["bill.pdf"]


async def test_what_an_order_keeps_secret_of_its_files_is_seen_nowhere_before_its_day(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, files=[BILL])
    order = replace(FILES, gag_until=now() + timedelta(days=30))
    case = await named(inst, olga, await opened(inst, olga, ada, order), "bill.pdf")
    await released(inst, olga, await seen_and_checked(inst, case, olga, otto))

    async def seen() -> list[int]:
        grants, looks = await read_seen(inst, ada)
        left = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
        return [len(grants), len(looks), len(left), len(await read_named(inst, ada))]

    assert await seen() == [0, 0, 0, 0]
    assert not [one for one in await subjects(inst, ada) if "operator" in one or "asked for" in one]
    for table, column in (("desk.legal_case", "gag_until"), ("tenant.ledger", "shown_from"), ("tenant.operator_grant", "shown_from"), ("tenant.operator_access", "shown_from")):  # fmt: skip
        above.execute(f"update {table} set {column} = now() where {column} is not null")
    assert await seen() == [4, 4, 1, 1]


async def test_a_list_opens_no_word_and_no_file_and_a_release_no_file_that_is_not_named(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, files=[BILL, PHOTO])
    case = await named(
        inst, olga, await opened(inst, olga, ada, replace(FILES, kinds=["messages", "files"])), "bill.pdf"
    )
    [rows] = await inst.db.run(
        ada.account_id, ("select id from attachment where account_id = %s order by id", [ada.account_id])
    )
    bill, photo = [row[0] for row in rows]

    async def refused(grant_id: Any, what: str, thing: Any) -> bool:
        try:
            await look.look(inst, olga.person_id, ada.account_id, grant_id, what, thing)
        except Refused:
            return True
        return False

    listing = new_id()
    ask = "select desk.list_files(%s, %s, %s, %s)"
    await ask_as_operator(inst, ada.account_id, ask, [case.id, listing, b"x" * 60, olga.person_id])
    for what, thing in (
        ("conversation", got.conversation_id),
        ("file", bill),
        ("file", photo),
        ("account", None),
    ):
        assert await refused(listing, what, thing)
    case = await seen_and_checked(inst, case, olga, otto)
    given = new_id()
    ask = "select desk.release_case(%s, %s, %s, %s)"
    await ask_as_operator(inst, ada.account_id, ask, [case.id, given, b"x" * 60, olga.person_id])
    seen = (
        await look.look(inst, olga.person_id, ada.account_id, given, "conversation", got.conversation_id)
    ).seen
    assert len(seen["message"]) == 1 and seen["attachment"] == []
    assert await refused(given, "file", photo) and not await refused(given, "file", bill)
    with pytest.raises(Refused):
        await list_files(inst, olga.person_id, await cases.read_case(inst, case.id))


async def test_an_order_that_names_no_file_gives_the_file_it_always_gave(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "canary words", files=[BILL])
    case = await checked(inst, await opened(inst, olga, ada, CONTENT), olga, otto)
    text = (await release(inst, olga.person_id, case)).decode()
    assert "canary words" in text and "bill.pdf" not in text and "attachment" not in text
