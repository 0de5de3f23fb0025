"""A customer with very much is erased while the server is killed in between; then nothing of them is in any store, nor in a copy
from before that is put back.
"""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import address_of, channel_of
from chatinbox.conftest import People
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core import postgres
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.core.vault import Vault, keystore_of
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy.erasure.ask import ask_erasure
from journeys.conftest import ROOT, House, aside

CANARY = "canary-5f1c9b"
HERS, HIS = "frida@mail.example", "karl@mail.example"
AT_MOST_SECONDS = 600.0
TOGETHER = 24


def dsn_of(cluster: postgres.Cluster) -> str:
    return cluster.dsn(cluster.superuser, "chatinbox")


async def fill(data: Path, messages: int, talks: int, letters: int) -> tuple[UUID, UUID]:
    """Frida writes very much, and Karl once; the account's id and Frida's."""
    cluster = postgres.up(data)
    inst = await Installation.open(replace(Settings(), data=data), dsn_of(cluster))
    try:
        with psycopg.connect(dsn_of(cluster)) as above:
            row = above.execute("select account_id, id, person_id from tenant.staff_user").fetchone()
        assert row
        ada = Staff(row[0], row[1], row[2], "owner", "Ada")
        channel_id, address = await channel_of(inst, ada), await address_of(inst, ada)

        async def say(sender: str, talk: UUID | None = None) -> UUID:
            words = Body(text=f"{CANARY} words")
            told = Incoming(
                channel_id, "email", Sender(sender, "Frida"), new_id(), words, conversation_id=talk
            )
            return (await receive(inst, ada.account_id, told)).conversation_id

        await say(HIS)
        begun = [await say(HERS) for _ in range(talks)]
        gate = asyncio.Semaphore(TOGETHER)

        async def one(number: int) -> None:
            async with gate:
                if number < letters:
                    await letter(inst, ada, channel_id, address)
                else:
                    await say(HERS, begun[number % talks])

        await asyncio.gather(*(one(number) for number in range(messages - talks)))
        hers = await find_by_email(inst, ada.account_id, HERS)
        assert hers
        await ask_erasure(inst, ada, hers, "Frida")
        people = People(inst)
        await people.say(await people.owner("Cyd", "Next door"), f"{CANARY} next door", HERS)
        with psycopg.connect(dsn_of(cluster)) as above:
            above.execute("update tenant.erasure set due_at = asked_at")
            above.execute("update work.procrastinate_jobs set scheduled_at = null where task_name = 'erase'")
        return ada.account_id, hers
    finally:
        await inst.close()
        postgres.leave(data)


async def letter(inst: Installation, ada: Staff, channel_id: UUID, address: str) -> None:
    made = EmailMessage()
    made["From"], made["Message-ID"], made["Subject"] = (
        f"Frida <{HERS}>",
        f"<{new_id()}@mail.example>",
        CANARY,
    )
    made.set_content(CANARY)
    made.add_attachment(CANARY.encode() * 9, maintype="application", subtype="pdf", filename=f"{CANARY}.pdf")
    arrived = await store(inst, ada.account_id, channel_id, made.as_bytes(), HERS, address)
    await place(inst, arrived)


def chatinbox(*words: object) -> str:
    """One command of the program."""
    done = subprocess.run(
        [sys.executable, "-m", "chatinbox", *map(str, words)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": "/root"},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def look(house: House, text: str) -> Any:
    """One value of the running database."""
    cluster = postgres.up(house.data)
    try:
        with psycopg.connect(dsn_of(cluster)) as above:
            row = above.execute(text.encode()).fetchone()
            return row[0] if row else None
    finally:
        postgres.leave(house.data)


def holding(folder: Path, what: bytes) -> list[str]:
    """Files of a folder in which something stands."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and what in path.read_bytes()]


def key_of(data: Path, customer_id: UUID) -> bytes:
    """What opens a customer's words, as the keystore keeps it."""
    with sqlite3.connect(keystore_of(data)) as keys:
        [(wrapped,)] = keys.execute(
            "select wrapped from wrapped_key where subject_id = ?", [customer_id.bytes]
        ).fetchall()
    assert isinstance(wrapped, bytes)
    return wrapped


def tables_with(data: Path, one: UUID) -> set[str]:
    """Tables in which an id stands."""
    cluster = postgres.up(data)
    try:
        with psycopg.connect(dsn_of(cluster)) as above:
            names = above.execute(
                "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname in ('tenant', 'directory', 'search', 'work') and c.relkind = 'r' and c.relname not like 'procr%'"
            ).fetchall()
            return {
                name
                for (name,) in names
                if above.execute(
                    f"select 1 from {name} t where t::text like %s limit 1".encode(), [f"%{one}%"]
                ).fetchone()
            }
    finally:
        postgres.leave(data)


def next_door(data: Path, account_id: UUID) -> list[str]:
    """What stands about messages and customers of every other account."""
    cluster = postgres.up(data)
    try:
        with psycopg.connect(dsn_of(cluster)) as above:
            ask = "select t::text from tenant.{} t where account_id <> %s order by 1"
            return [
                row[0]
                for name in ("customer", "address", "conversation", "message")
                for row in above.execute(ask.format(name).encode(), [account_id]).fetchall()
            ]
    finally:
        postgres.leave(data)


async def prove(house: House, messages: int, talks: int, letters: int, kills: int, capsys: Any) -> None:
    """Filled, copied, erased while killed; then looked for everywhere."""
    client = house.set_up("Ada Lund", "ada@pottery.example", "Pottery")
    client.close()
    assert house.stop() == 0
    account_id, hers = await fill(house.data, messages, talks, letters)
    neighbours = next_door(house.data, account_id)
    assert len(neighbours) == 4, "Frida wrote next door, too"
    her_key = key_of(house.data, hers)
    assert holding(house.data, her_key), "her key would be found"
    copies, keys = house.data.parent / "copies", house.data.parent / "keys copies"
    await aside(lambda: chatinbox("backup", "--data", house.data, "--to", copies, "--keys-to", keys))
    [old] = copies.iterdir()
    began = time.monotonic()
    house.start()
    for turn in range(1, kills + 1):
        left = messages - messages * turn // (kills + 1)
        while look(house, "select count(*) from tenant.message where author = 'customer'") > left:
            await asyncio.sleep(0.05)
            assert time.monotonic() - began < AT_MOST_SECONDS
        house.kill()
        house.start()
    while look(house, "select done_at from tenant.erasure") is None:
        await asyncio.sleep(0.2)
        assert time.monotonic() - began < AT_MOST_SECONDS, "it was not done in ten minutes"
    took = time.monotonic() - began
    counts = look(house, "select counts from tenant.erasure")
    assert (counts["messages"], counts["conversations"]) == (messages, talks + letters), counts
    assert house.stop() == 0
    stays = {"tenant.erasure", "tenant.setting_change", "tenant.ledger", "tenant.staff_record"}
    assert tables_with(house.data, hers) <= stays
    assert next_door(house.data, account_id) == neighbours, "another account was touched"
    assert holding(house.data, CANARY.encode()) == [], "words lie somewhere as they are"
    assert holding(house.data, her_key) == [], (
        "her key lies somewhere, and with it every word in any log of the database"
    )
    await aside(lambda: chatinbox("backup", "--data", house.data, "--to", copies, "--keys-to", keys))
    older, newest = sorted(keys.glob("*.keys"))
    assert holding(copies, CANARY.encode()) == holding(keys, CANARY.encode()) == []
    assert older != newest
    back = house.data.parent / "back"
    root = house.data / "keys" / "root.key"
    told = await aside(
        lambda: chatinbox("restore", "--data", back, "--from", old, "--keys", newest, "--root-key", root)
    )
    assert "Erased again: 1 customers" in told
    assert next_door(back, account_id) == neighbours
    assert tables_with(back, hers) <= stays and holding(back, CANARY.encode()) == [] == holding(back, her_key)
    vault = Vault.open(back)
    assert (
        vault.known_customer_keys(account_id, [hers]) == {}
        and vault.count_account(account_id)["customer"] == 1
    )
    vault.close()
    postgres.down(back)
    with capsys.disabled():
        print(
            f"\n{messages} messages in {talks + letters} conversations, {kills} kills: erased in {took:.1f} s"
        )


async def test_whoever_is_erased_is_gone_although_the_server_is_killed_and_an_older_copy_put_back(
    new_house: Callable[[], House], capsys: Any
) -> None:
    await prove(new_house(), 400, 10, 10, 1, capsys)


@pytest.mark.long
async def test_a_hundred_thousand_messages_are_gone_within_ten_minutes_although_the_server_is_killed(
    new_house: Callable[[], House], capsys: Any
) -> None:
    await prove(new_house(), 100_000, 500, 1_000, 3, capsys)
