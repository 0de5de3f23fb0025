"""Closing an account: thirty days to read, take along and undo; then nothing opens, and a neighbour is untouched."""

import base64
import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts import people, sign_in
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.closing import close_account, undo_closing
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import channel as chat
from chatinbox.channels.email.channel import find_channels
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.token import find_token
from chatinbox.privacy import certificate as certificates
from chatinbox.privacy import signature
from chatinbox.privacy.data_map import read as data_map
from chatinbox.privacy.destroy import destroy, destroy_due

NewBrowser = Callable[[], Browser]
OVER = timedelta(days=30, minutes=1)


async def close(inst: Installation, by: Staff) -> None:
    await close_account(inst, by, await read_account_name(inst, by.account_id))


def everything(above_all: str) -> dict[str, list[str]]:
    """Every row of every table, seen by the superuser."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(above_all) as conn:
        for (table,) in conn.execute(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('tenant', 'directory', 'search', 'work') and c.relkind in ('r', 'p')"
            " and c.relname not like 'procrastinate%'"
        ).fetchall():
            found[table] = [row[0] for row in conn.execute(f"select to_jsonb(t)::text from {table} t")]  # type: ignore[arg-type]
    return found


def of(account_id: UUID, rows: dict[str, list[str]]) -> dict[str, list[str]]:
    found = {table: sorted(row for row in them if str(account_id) in row) for table, them in rows.items()}
    return {table: them for table, them in found.items() if them}


async def test_a_closed_account_reads_and_exports_but_changes_nothing(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    said, other = await say(ada, "Before"), await say(cyd, "Next door")
    await client.as_(ada)
    colleague, neighbour = await new_browser().as_(bea), await new_browser().as_(cyd)
    name = await read_account_name(inst, ada.account_id)
    wrong = await client.post("/settings/closing", data={"do": "close", "typed": "something"})
    assert "Type the name" in wrong.text
    assert "You can open it again" in (
        await client.post("/settings/closing", data={"do": "close", "typed": name})
    ).text.replace("you can", "You can")
    inboxes = [(await one.get("/inbox")).text for one in (client, colleague, neighbour)]
    assert ["This account is closed." in one for one in inboxes] == [True, True, False]
    assert ['"mend":"/settings/closing"' in one for one in inboxes] == [True, False, False]
    path = f"/api/conversations/{said.conversation_id}"
    assert (await colleague.get(path)).status_code == 200
    for browser in (client, colleague):
        answer = await browser.put(f"{path}/status", json={"status": "done"})
        assert (
            answer.status_code,
            answer.json()["error"]["code"] if "error" in answer.json() else answer.json()["code"],
        ) == (409, "closed")
    for page, act in (("people", "invite"), ("workspace", "name"), ("channels", "connect")):
        told = await client.post(
            f"/settings/{page}", data={"do": act, "email": "x@y.example", "company": "X"}
        )
        assert "This account is closed" in told.text and told.status_code == 409
    assert (
        "Your name is changed"
        in (await client.post("/settings/profile", data={"do": "rename", "name": "Ada L"})).text
    )
    export = await client.post("/settings/closing", data={"do": "export"})
    assert export.headers["content-type"] == "application/zip"
    done = await neighbour.put(f"/api/conversations/{other.conversation_id}/status", json={"status": "done"})
    assert done.status_code < 300


async def test_verbs_themselves_change_nothing_in_a_closed_account(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    said = await say(ada, "Before")
    await close(inst, ada)
    with pytest.raises(Refused):
        await say(ada, "After")
    for act in (
        lambda: verbs.set_status(inst, ada, said.conversation_id, "done"),
        lambda: verbs.add_note(inst, ada, said.conversation_id, new_id(), Body(text="x")),
        lambda: verbs.reply(
            inst, ada, said.conversation_id, new_id(), Body(text="x"), seen_position=9, send_anyway=True
        ),
    ):
        with contextlib.suppress(Refused):
            await act()
    [messages, notes, talk] = await inst.db.run(
        ada.account_id,
        ("select 1 from message where account_id = %s", [ada.account_id]),
        ("select 1 from note where account_id = %s", [ada.account_id]),
        ("select status from conversation where account_id = %s", [ada.account_id]),
    )
    assert (len(messages), len(notes), [row[0] for row in talk]) == (1, 0, ["todo"])
    await say(cyd, "A neighbour goes on")


async def test_letters_and_chats_to_a_closed_account_meet_nobody(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    ways = {c.kind: c.address for c in await read_channels(inst, ada.account_id)}
    theirs = {c.kind: c.address for c in await read_channels(inst, cyd.account_id)}
    await close(inst, ada)
    chat._found.clear()
    assert await find_channels(inst, [str(ways["email"])]) == {}
    assert await find_channels(inst, [str(theirs["email"])])
    with pytest.raises(Refused, match="not_found"):
        await chat.find_channel(inst, str(ways["chat"]))
    assert await chat.find_channel(inst, str(theirs["chat"]))
    await undo_closing(inst, ada)
    assert await find_channels(inst, [str(ways["email"])])
    assert await chat.find_channel(inst, str(ways["chat"]))


async def test_only_an_owner_closes_and_opens_again(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    with pytest.raises(Refused, match="not_permitted"):
        await close(inst, bea)
    await close(inst, ada)
    with pytest.raises(Refused, match="not_permitted"):
        await undo_closing(inst, bea)
    with travel(timedelta(days=29)):
        assert ada.account_id not in await destroy_due(inst)
        await undo_closing(inst, ada)
    with travel(OVER):
        assert ada.account_id not in await destroy_due(inst)
    assert await say(ada, "Open again")


async def test_after_thirty_days_nothing_opens_and_the_neighbour_is_the_same_byte_for_byte(
    inst: Installation, above_all: str, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    await join(inst, cyd.account_id, bea.person_id, "staff")
    said = await say(ada, "Secret words", files=[NewFile("a.txt", "text/plain", b"file words")])
    await say(cyd, "Next door", files=[NewFile("b.txt", "text/plain", b"theirs")])
    email = (await people.read_person(inst, ada.person_id)).email
    await close(inst, ada)
    assert any("is closed" in letter.header("subject") for letter in await list_kept(inst, ada))
    before = of(cyd.account_id, everything(above_all))
    folder = inst.files.path(cyd.account_id, new_id()).parents[1]
    files = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    with travel(OVER):
        with pytest.raises(Refused, match="over"):
            await undo_closing(inst, ada)
        assert ada.account_id in await destroy_due(inst)
        assert ada.account_id not in await destroy_due(inst)
        await destroy(inst, ada.account_id)
    left = of(ada.account_id, everything(above_all))
    assert set(left) <= {"directory.closure", "directory.session"}, left.keys()
    for opening in (
        inst.vault.account_key(ada.account_id),
        inst.vault.customer_key(ada.account_id, said.customer_id),
        inst.vault.person_key(ada.person_id),
    ):
        with pytest.raises(Erased):
            await opening
    assert inst.vault.count_account(ada.account_id) == {}
    assert not inst.files.path(ada.account_id, new_id()).parents[1].exists()
    with pytest.raises(Refused):
        await sign_in.sign_in(inst, email, PASSWORD, "tests")
    assert of(cyd.account_id, everything(above_all)) == before
    assert {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()} == files
    assert await inst.vault.person_key(bea.person_id), "who works elsewhere stays"


async def test_the_certificate_counts_what_was_and_can_be_verified_by_anybody(
    inst: Installation, ada: Staff, say: Say
) -> None:
    await say(ada, "One")
    await close(inst, ada)
    with travel(OVER):
        await destroy_due(inst)
    [(kept, signed, ended_at)] = await inst.db.directory(
        "select * from directory.find_closure(%s)", [ada.account_id]
    )
    certificate = certificates.read(kept)
    words = certificates.words(certificate)
    assert certificate.counts["message"] == 1 and certificate.keys["customer"] == 1 and ended_at
    key = certificates.public_key(inst.vault)
    assert signature.is_genuine(words, bytes(signed), key)
    assert not signature.is_genuine(words.replace(b'"message":1', b'"message":2'), bytes(signed), key)
    assert not signature.is_genuine(words, bytes(signed), base64.b64encode(bytes(32)).decode())


async def test_a_destruction_that_broke_off_is_finished_the_next_time(
    inst: Installation, above_all: str, ada: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(ada, "One")
    await close(inst, ada)

    async def breaks(_account_id: UUID) -> None:
        raise OSError("the disk is away")

    with travel(OVER):
        with monkeypatch.context() as broken:
            broken.setattr(type(inst.files), "remove_account", lambda _self, one: breaks(one))
            with pytest.raises(OSError, match="away"):
                await destroy(inst, ada.account_id)
        await destroy(inst, ada.account_id)
    assert set(of(ada.account_id, everything(above_all))) <= {"directory.closure", "directory.session"}


async def test_an_open_account_can_never_be_destroyed(inst: Installation, ada: Staff, say: Say) -> None:
    await say(ada, "One")
    await destroy(inst, ada.account_id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.run(ada.account_id, ("select work.erase_account(now() + interval '99 years')", []))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.directory("select directory.erase_account(%s, now())", [ada.account_id])
    assert await inst.vault.account_key(ada.account_id)


async def exported(browser: Browser) -> zipfile.ZipFile:
    answer = await browser.post("/settings/closing", data={"do": "export"})
    assert answer.headers["content-type"] == "application/zip", answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def lines(whole: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in whole.read(f"{name}.jsonl").splitlines()]


async def test_an_export_holds_every_word_of_the_account_and_none_of_another(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, say: Say
) -> None:
    for number in range(130):
        await say(ada, f"Letter {number}", email=f"c{number}@mail.example")
    said = await say(
        ada, "Hello", subject="A subject", files=[NewFile("../../x", "text/plain", b"file words" * 200_000)]
    )
    await verbs.add_note(inst, ada, said.conversation_id, new_id(), Body(text="note words"))
    await say(cyd, "NEIGHBOUR CANARY")
    await client.as_(ada)
    whole = await exported(client)
    assert whole.testzip() is None
    assert {
        f"{name.removeprefix('tenant.')}.jsonl"
        for name, line in data_map().items()
        if name.startswith("tenant.") and line.export
    } <= set(whole.namelist())
    texts = [one["body"]["text"] for one in lines(whole, "message")]
    assert sorted(texts) == sorted([f"Letter {number}" for number in range(130)] + ["Hello"])
    assert [one["body"]["text"] for one in lines(whole, "note")] == ["note words"]
    assert "A subject" in {one.get("subject") for one in lines(whole, "conversation")}
    assert len(lines(whole, "customer")) >= 131
    [stored] = lines(whole, "attachment")
    assert (
        stored["name"] == "../../x" and whole.read(f"attachments/{stored['id']}") == b"file words" * 200_000
    )
    assert all("CANARY" not in whole.read(name).decode("utf-8", "replace") for name in whole.namelist())


async def test_an_export_says_which_programs_were_connected_and_no_secret_and_destroying_ends_them(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff
) -> None:
    out = await connect(
        inst, ada, Asked("out", "Shop", "https://crm.example.com/hear", ["note.added"], ["note_words"])
    )
    brings = await connect(inst, ada, Asked("in", "List", fields=["name"]))
    theirs = await connect(inst, cyd, Asked("in", "NEIGHBOUR CANARY"))
    await client.as_(ada)
    whole = await exported(client)
    assert {(one["name"], one.get("target")) for one in lines(whole, "connection")} == {
        ("Shop", "https://crm.example.com/hear"), ("List", None),
    }  # fmt: skip
    every = b"".join(whole.read(name) for name in whole.namelist())
    assert out.secret.encode() not in every and brings.secret.encode() not in every and b"CANARY" not in every
    await close(inst, ada)
    with travel(OVER):
        await destroy_due(inst)
    assert await find_token(inst, brings.secret) is None and await find_token(inst, theirs.secret)
    for one in (out, brings):
        with pytest.raises(Erased):
            await inst.vault.connection_key(ada.account_id, one.id)
    await inst.vault.connection_key(cyd.account_id, theirs.id)


async def test_an_export_needs_the_permission_and_a_fresh_proof(
    client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    await client.as_(ada)
    colleague = await new_browser().as_(bea)
    assert (
        "application/zip"
        not in (await colleague.post("/settings/closing", data={"do": "export"})).headers["content-type"]
    )
    with travel(timedelta(minutes=20)):
        assert "Is it you?" in (await client.post("/settings/closing", data={"do": "export"})).text
