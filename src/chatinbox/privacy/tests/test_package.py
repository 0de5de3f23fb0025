"""A copy for a customer: all of theirs, nobody else's, sealed, handed over once, gone in time."""

import asyncio
import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.conversations.verbs import rename_customer
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.files import PIECE
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.read import read_customer
from chatinbox.customers.source import Kind
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.hold import hold
from chatinbox.privacy.objection import note_objection
from chatinbox.privacy.package.ask import KEPT, Reach, ask_package
from chatinbox.privacy.package.gather import SOURCES
from chatinbox.privacy.package.make import end_old, make_package
from chatinbox.privacy.package.read import list_packages, package_state, read_package
from chatinbox.privacy.package.redact import Redaction
from chatinbox.privacy.package.share import look_at_shared, share_package, take_shared
from chatinbox.privacy.restriction.restrict import restrict
from chatinbox.privacy.retention.due import Asked
from chatinbox.privacy.retention.rules import make_rule

NewBrowser = Callable[[], Browser]
HERS = "frida@mail.example"
QUOTED = "On Mon, 3 Nov 2026 at 10:23, Karl Berg <karl@other.example> wrote:\n> Karl's words"


@pytest.fixture
async def frida(inst: Installation, ada: Staff, say: Say) -> UUID:
    """Frida Lind: a letter with Karl in copy and quoted, a file, a note by Ada, an answer."""
    body = Body(
        text="Words of hers. Karl Berg agrees, write to karl@other.example.",
        quoted_text=QUOTED,
        author_name="Frida Lind",
        from_address=HERS,
        to=["tea@shop.example"],
        cc=["karl@other.example"],
    )
    file = NewFile("tea.txt", "text/plain", b"y" * 99)
    got = await say(
        ada, email=HERS, body=body, sender=Sender(HERS, "Frida Lind"), subject="Tea", files=[file]
    )
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="A note of Ada's"))
    await verbs.reply(
        inst, ada, got.conversation_id, new_id(), Body(text="Here.", author_name=ada.name), seen_position=9
    )
    await say(
        ada, "Canary of somebody else", "karl@other.example", sender=Sender("karl@other.example", "Karl Berg")
    )
    return got.customer_id


async def made(inst: Installation, by: Staff, customer_id: UUID, reach: Reach = "person") -> UUID:
    package_id = await ask_package(inst, by.account_id, customer_id, by, reach)
    assert await make_package(inst, by.account_id, package_id)
    return package_id


async def opened(content: AsyncIterator[bytes]) -> dict[str, bytes]:
    whole = zipfile.ZipFile(io.BytesIO(b"".join([part async for part in content])))
    return {name: whole.read(name) for name in whole.namelist()}


def lines(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in raw.splitlines()]


async def test_it_holds_everything_about_them_and_nobody_elses_words(
    inst: Installation, ada: Staff, frida: UUID
) -> None:
    package_id = await made(inst, ada, frida)
    told = await opened(await read_package(inst, ada.account_id, package_id, ada))
    you, entries = json.loads(told["you.json"]), lines(told["entries.jsonl"])
    assert [(one["what"], one["value"]) for one in you["facts"]] == [
        ("Name", "Frida Lind"),
        ("E-mail address", HERS),
    ]
    assert you["facts"][1]["source"] == "from what you wrote" and you["business"]["name"] == "Ada's Tea"
    assert [(one["kind"], one["by"]) for one in entries] == [
        ("message", "you"),
        ("note", "the business"),
        ("message", "the business"),
    ]
    assert "Words of hers." in entries[0]["text"] and entries[1]["text"] == "A note of Ada's"
    [file] = entries[0]["files"]
    assert told[file["path"]] == b"y" * 99 and file["name"] == "tea.txt"
    assert [one["subject"] for one in lines(told["conversations.jsonl"])] == ["Tea"]
    assert you["purposes"] and you["recipients"] and you["rights"] and you["left_out"]
    whole = b"".join(told.values())
    for word in (b"Karl Berg", b"karl@other.example", b"Canary of somebody else"):
        assert word not in whole
    assert b"[another person]" in told["conversations/1.html"]


def test_a_copy_can_say_of_every_source_what_it_is() -> None:
    assert set(SOURCES) == set(get_args(Kind))


async def test_who_is_known_by_a_letter_that_a_colleague_forwarded_gets_a_copy_as_well(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    sender = Sender("gus@mail.example", "Gus Berg", passed_on_by=bea.staff_user_id)
    got = await say(ada, "Where is it?", sender=sender)
    package_id = await made(inst, ada, got.customer_id)
    you = json.loads((await opened(await read_package(inst, ada.account_id, package_id, ada)))["you.json"])
    assert [(one["value"], one["source"]) for one in you["facts"]] == [
        ("Gus Berg", SOURCES["colleague"]),
        ("gus@mail.example", SOURCES["colleague"]),
    ]
    with pytest.raises(Refused):
        await ask_package(inst, cyd.account_id, got.customer_id, cyd)


async def test_its_pages_ask_no_network_and_its_records_are_as_the_schema_says(
    inst: Installation, ada: Staff, frida: UUID, say: Say
) -> None:
    await say(ada, "<script>alert(1)</script> http://evil.example/x.png", HERS)
    told = await opened(await read_package(inst, ada.account_id, await made(inst, ada, frida), ada))
    pages = {name: raw.decode() for name, raw in told.items() if name.endswith(".html")}
    assert set(pages) == {"read-me-first.html", "conversations/1.html", "conversations/3.html"}
    for page in pages.values():
        assert "default-src 'none'" in page and "<script" not in page and "src=" not in page
        assert not [word for word in page.split('href="')[1:] if word.startswith(("http", "//"))]
    schema = json.loads(told["schema.json"])
    known = schema["entries.jsonl"]["$defs"]["Entry"]["properties"]
    assert all(set(one) == set(known) for one in lines(told["entries.jsonl"]))


async def test_a_file_that_a_browser_would_run_lies_in_it_as_words(
    inst: Installation, ada: Staff, say: Say
) -> None:
    """Anybody can write in somebody's name, and the copy is opened on that person's own machine."""
    script = b"<script>new Image().src='https://evil.example'</script>"
    names = ["page.html", "picture.SVG", "x.xhtml", "notes.txt"]
    files = [NewFile(name, "text/plain", script) for name in names]
    got = await say(ada, "see files", HERS, files=files)
    package_id = await made(inst, ada, got.customer_id)
    told = await opened(await read_package(inst, ada.account_id, package_id, ada))
    [entry] = lines(told["entries.jsonl"])
    assert [one["name"] for one in entry["files"]] == names
    assert all(one["path"].endswith(".txt") and told[one["path"]] == script for one in entry["files"])


async def test_somebody_else_at_the_same_mailbox_is_left_out_unless_staff_say_it_is_one_person(
    inst: Installation, ada: Staff, frida: UUID, say: Say
) -> None:
    otto = Body(text="Otto's secret", author_name="Otto Lind", from_address=HERS)
    await say(
        ada,
        body=otto,
        sender=Sender(HERS, "Otto Lind"),
        subject="Canary subject",
        files=[NewFile("o.txt", "text/plain", b"canary-file")],
    )
    told = await opened(await read_package(inst, ada.account_id, await made(inst, ada, frida), ada))
    whole = b"".join(told.values())
    assert b"Otto" not in whole and b"Canary subject" not in whole and b"canary-file" not in whole
    assert [one["by"] for one in lines(told["entries.jsonl"])].count("somebody else") == 1
    both = await opened(
        await read_package(inst, ada.account_id, await made(inst, ada, frida, "mailbox"), ada)
    )
    assert b"Otto's secret" in both["entries.jsonl"] and b"canary-file" in b"".join(both.values())


async def test_a_colleague_keeps_the_given_name_alone(
    inst: Installation, ada: Staff, say: Say, people: Any
) -> None:
    await people.colleague(ada, "Bea Moss-Ziegler")
    got = await say(ada, "I spoke with Bea Moss-Ziegler", HERS)
    told = await opened(await read_package(inst, ada.account_id, await made(inst, ada, got.customer_id), ada))
    assert b"I spoke with Bea" in told["entries.jsonl"] and b"Ziegler" not in b"".join(told.values())


def test_names_beside_addresses_are_known_also_where_they_are_spoken_of_earlier() -> None:
    who = Redaction([HERS], ["tea@shop.example"], ["Frida Lind"], ["Bea Moss"])
    for quoted in (
        QUOTED,
        "Am 3. Nov 2026 um 10:23 Uhr schrieb Eva Holm <eva@x.example>:",
        "> From: Otto Kern\n> To: Frida Lind",
    ):
        who.learn_from(quoted)
    said = who.words("Karl  Berg, Eva Holm and Otto Kern met Frida Lind and Bea Moss at tea@shop.example")
    assert (
        said
        == "[another person], [another person] and [another person] met Frida Lind and Bea at tea@shop.example"
    )
    assert who.is_them("F. Lind", HERS) and who.is_them("Lind, Frida", None) and who.is_them("FRIDA", HERS)
    assert not who.is_them("Karl Lind", HERS) and not who.is_them("Frida Lind", "karl@other.example")


async def test_whoever_turned_out_to_be_them_is_in_it(
    inst: Installation, ada: Staff, say: Say, frida: UUID
) -> None:
    merged = await say(ada, "From home", "frida@home.example", sender=Sender("frida@home.example", "Frida"))
    ask = "update customer set merged_into = %s where account_id = %s and id = %s"
    await inst.db.run(ada.account_id, (ask, [frida, ada.account_id, merged.customer_id]))
    package_id = await made(inst, ada, merged.customer_id)
    told = await opened(await read_package(inst, ada.account_id, package_id, ada))
    assert b"From home" in told["entries.jsonl"] and b"frida@home.example" in told["you.json"]
    assert (await package_state(inst, ada.account_id, package_id)).customer_id == frida


async def test_only_who_may_asks_and_nobody_of_another_account_or_team(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, frida: UUID
) -> None:
    package_id = await made(inst, ada, frida)
    with pytest.raises(Refused, match="not_permitted"):
        await ask_package(inst, ada.account_id, frida, bea)
    for ask in (
        ask_package(inst, cyd.account_id, frida, cyd),
        ask_package(inst, cyd.account_id, new_id(), cyd),
        read_package(inst, cyd.account_id, package_id, cyd),
        share_package(inst, cyd, package_id),
    ):
        with pytest.raises(Refused, match="not_found"):
            await ask
    kept_out = replace(ada, kept_out=frozenset([await channel_of(inst, ada)]))
    for ask in (
        ask_package(inst, ada.account_id, frida, kept_out),
        read_package(inst, ada.account_id, package_id, kept_out),
    ):
        with pytest.raises(Refused, match="not_found"):
            await ask


async def test_it_lies_sealed_and_is_gone_after_seven_days(
    inst: Installation, ada: Staff, frida: UUID
) -> None:
    package_id = await made(inst, ada, frida)
    path = inst.files.path(ada.account_id, package_id)
    assert path.read_bytes()[:2] != b"PK" and b"frida" not in path.read_bytes()
    with travel(KEPT - timedelta(hours=1)):
        assert await end_old(inst, ada.account_id) == 0
        assert b"".join([part async for part in await read_package(inst, ada.account_id, package_id, ada)])
    with travel(KEPT):
        with pytest.raises(Refused, match="ended"):  # also before the round came by
            await read_package(inst, ada.account_id, package_id, ada)
        assert await end_old(inst, ada.account_id) == 1
    assert not path.exists()
    with pytest.raises(Erased):
        await inst.vault.package_key(ada.account_id, package_id)
    [one] = await list_packages(inst, ada, frida)
    assert one.made_at and one.ended_at and not one.is_there


async def test_one_that_is_asked_for_twice_is_made_once(inst: Installation, ada: Staff, frida: UUID) -> None:
    first = await ask_package(inst, ada.account_id, frida, ada)
    assert await ask_package(inst, ada.account_id, frida, ada) == first
    with pytest.raises(Refused, match="not_made"):
        await read_package(inst, ada.account_id, first, ada)
    assert await make_package(inst, ada.account_id, first)
    assert not await make_package(inst, ada.account_id, first)
    assert await ask_package(inst, ada.account_id, frida, ada) != first


async def test_a_link_gives_it_once_to_who_has_the_words(inst: Installation, ada: Staff, frida: UUID) -> None:
    shared = await share_package(inst, ada, await made(inst, ada, frida))
    await look_at_shared(inst, shared.token)
    with pytest.raises(Refused, match="phrase"):
        await take_shared(inst, shared.token, "wrong")
    both = await asyncio.gather(
        *(take_shared(inst, shared.token, shared.phrase.upper().replace("-", " ")) for _ in range(2)),
        return_exceptions=True,
    )
    [content] = [one for one in both if not isinstance(one, BaseException)]
    assert "you.json" in await opened(content)
    [one] = await list_packages(inst, ada, frida)
    assert one.handed_at and not one.is_shared
    assert (
        one.handed_at.time() == time()
    )  # the day alone: it cannot be laid beside the minute of a connection
    with pytest.raises(Refused, match="link"):
        await take_shared(inst, shared.token, shared.phrase)


async def test_five_wrong_words_end_a_link(inst: Installation, ada: Staff, frida: UUID) -> None:
    shared = await share_package(inst, ada, await made(inst, ada, frida))
    tries = await asyncio.gather(
        *(take_shared(inst, shared.token, f"wrong {n}") for n in range(12)), return_exceptions=True
    )
    assert [getattr(one, "code", "") for one in tries].count("phrase") == 5
    with pytest.raises(Refused, match="link"):
        await take_shared(inst, shared.token, shared.phrase)


async def test_used_expired_replaced_and_made_up_links_are_answered_alike(
    inst: Installation, ada: Staff, frida: UUID, new_browser: NewBrowser
) -> None:
    package_id, browser = await made(inst, ada, frida), new_browser()
    replaced = await share_package(inst, ada, package_id)
    used = await share_package(inst, ada, package_id)
    shown = await browser.get(f"/copy/{used.token}")
    assert shown.status_code == 200 and "frida" not in shown.text.lower()
    got = await browser.post(f"/copy/{used.token}", data={"phrase": used.phrase})
    assert got.status_code == 200 and got.content[:2] == b"PK" and got.headers["cache-control"] == "no-store"
    expired = await share_package(inst, ada, package_id)
    answers = []
    for token in (used.token, replaced.token, "made-up"):
        answers += [
            await browser.get(f"/copy/{token}"),
            await browser.post(f"/copy/{token}", data={"phrase": used.phrase}),
        ]
    with travel(timedelta(hours=73)):
        answers += [
            await browser.get(f"/copy/{expired.token}"),
            await browser.post(f"/copy/{expired.token}", data={"phrase": expired.phrase}),
        ]
    assert {one.status_code for one in answers} == {410}
    assert len({one.content for one in answers}) == 1


async def test_it_goes_with_the_customer_also_while_it_is_made(
    inst: Installation, ada: Staff, frida: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, name = await made(inst, ada, frida), (await read_customer(inst, ada.account_id, frida)).name
    shared = await share_package(inst, ada, there)
    under_way = await ask_package(inst, ada.account_id, frida, ada)
    erasure_id = await ask_erasure(inst, ada, frida, name)
    known, begun = type(inst.files).put_stream, asyncio.Event()

    async def slow(files: Any, *what: Any) -> int:
        begun.set()
        size = await known(files, *what)
        with travel(UNDO + timedelta(seconds=1)):
            await erase(inst, ada.account_id, erasure_id)
        return size

    monkeypatch.setattr(type(inst.files), "put_stream", slow)
    assert not await make_package(inst, ada.account_id, under_way)
    for one in (there, under_way):
        assert not inst.files.path(ada.account_id, one).exists()
        with pytest.raises(Erased):
            await inst.vault.package_key(ada.account_id, one)
    with pytest.raises(Refused, match="link"):
        await take_shared(inst, shared.token, shared.phrase)


@pytest.mark.parametrize("pieces", [1, 24])
async def test_whatever_the_size_of_a_file_no_more_than_some_pieces_are_in_memory(
    inst: Installation, ada: Staff, say: Say, pieces: int
) -> None:
    got = await say(ada, "Large", HERS, files=[NewFile("a.bin", "application/octet-stream", b"x")])
    key = await inst.vault.customer_key(ada.account_id, got.customer_id)
    [[(file_id,)]] = await inst.db.run(
        ada.account_id, ("select id from attachment where account_id = %s", [ada.account_id])
    )

    async def large() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield bytes(PIECE)

    assert await inst.files.put_stream(key, ada.account_id, file_id, large()) == pieces * PIECE
    tracemalloc.start()
    package_id = await made(inst, ada, got.customer_id)
    size = 0
    async for part in await read_package(inst, ada.account_id, package_id, ada):
        size += len(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > pieces * PIECE
    assert peak < 12 * PIECE, f"{peak:,} bytes"


async def test_asking_for_it_is_noted_without_a_name(inst: Installation, ada: Staff, frida: UUID) -> None:
    await rename_customer(inst, ada, frida, "Frida Lind")
    before = now()
    await made(inst, ada, frida)
    ask = "select what, subject_id, after_sealed from setting_change where account_id = %s and at >= %s"
    [rows] = await inst.db.run(ada.account_id, (ask, [ada.account_id, before]))
    assert rows == [("customer.copy_asked", frida, None)]


async def test_how_their_wishes_stand_is_told_in_it_with_the_grounds_and_the_rules_that_hold(
    inst: Installation, ada: Staff, frida: UUID
) -> None:
    await restrict(inst, ada, frida, "accuracy", "Karl Berg rang for her")
    await note_objection(inst, ada, frida)
    await hold(inst, ada, frida, "#1", "claims", "A claim", now().date() + timedelta(days=30))
    await make_rule(inst, ada, Asked("silence", 730))
    told = await opened(await read_package(inst, ada.account_id, await made(inst, ada, frida), ada))
    you = json.loads(told["you.json"])
    aside, objected, held = you["standing"]
    assert "set aside" in aside and "[another person] rang for her" in aside
    assert "objected" in objected and "#1 is held back" in held and "A claim" in held
    assert you["rules"] == ["730 days after the last words"]
