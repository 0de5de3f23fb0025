"""What rights cost: a copy of one customer's 500 conversations with 2 GB of files, and one request carried to 10,000 businesses;
and what a backup of 2 GB of files, and putting it back, take of memory.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import psutil
import psycopg

from bench import fill
from bench.report import Report
from chatinbox.accounts.sign_up import sign_up
from chatinbox.channels.email.channel import open_channel
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, NewFile, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core import postgres
from chatinbox.core.clock import millis, now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.package.read import read_package
from chatinbox.privacy.requests import link
from chatinbox.privacy.requests.carry import carry, take

NAMES = {"large_copy", "across_accounts", "backup_memory", "restore_memory"}
HERS = "frida@mail.example"
_CHANCE = random.Random(11)


async def rights(folder: Path, report: Report) -> None:
    """Both measures, each on an installation of its own."""
    if report.wants("large_copy"):
        async with _opened(folder / "copy") as inst:
            await _copy(inst, report, 500, 2_000)
    if report.wants("across_accounts"):
        async with _opened(folder / "across") as inst:
            await _across(inst, report, 10_000)


async def copies(folder: Path, report: Report, megabytes: int) -> None:
    """A backup, and a drill that puts it back, by the command line beside a database that runs. Half of it is one file."""
    if not report.wants("backup_memory", "restore_memory"):
        return
    data, to, keys_to = folder / "data", folder / "to", folder / "keys"
    async with _opened(data) as inst:
        [one] = await fill.accounts(inst, 1)
        key = await inst.vault.account_key(one.staff.account_id)
        for size in (megabytes // 2, *[5] * (megabytes // 10)):
            await inst.files.put_stream(key, one.staff.account_id, new_id(), _noise(size))
        for name, words in (
            ("backup_memory", ["backup", "--to", to, "--keys-to", keys_to]),
            ("restore_memory", ["drill", "--from", to, "--keys", keys_to]),
        ):
            took, most = await asyncio.to_thread(_ran, [*words, "--data", data])
            report.add(name, most, "MB", at_most=200.0, megabytes=megabytes, seconds=took)


async def _noise(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield os.urandom(1_000_000)


def _ran(words: list[object]) -> tuple[float, float]:
    """How long a command took, and the most memory that it or a program that it started had resident (proc(5), VmHWM)."""
    began, most = time.perf_counter(), 0
    running = subprocess.Popen(
        [sys.executable, "-m", "chatinbox", *map(str, words)], stdout=subprocess.DEVNULL
    )
    while running.poll() is None:
        for pid in _family(running.pid):
            with contextlib.suppress(OSError):  # it ended meanwhile
                told = Path(f"/proc/{pid}/status").read_text()
                most = max(most, *(int(line.split()[1]) for line in told.splitlines() if "VmHWM" in line), 0)
        time.sleep(0.02)
    assert running.returncode == 0, f"{words[0]} did not end well"
    return time.perf_counter() - began, most * 1024 / 1e6


def _family(pid: int) -> list[int]:
    """A process and what it started, but not the database: its buffers are its own."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(pid).children(recursive=True)
        return [pid, *(one.pid for one in children if one.name() != "postgres")]
    return []


@contextlib.asynccontextmanager
async def _opened(data: Path) -> AsyncIterator[Installation]:
    cluster = postgres.up(data)
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute("create database chatinbox")
    settings = replace(Settings(), data=data, sign_up="open").with_addresses(0, 0)
    inst = await Installation.open(settings, cluster.dsn(cluster.superuser, "chatinbox"))
    try:
        yield inst
    finally:
        await inst.close()
        postgres.leave(data)


async def _copy(inst: Installation, report: Report, talks: int, megabytes: int) -> None:
    """From the wish to the last byte handed over, and how much memory that took above what was there before."""
    [one] = await fill.accounts(inst, 1)
    account_id, each = one.staff.account_id, megabytes * 1_000_000 // talks
    for _ in range(talks):
        file = NewFile("tea.bin", "application/octet-stream", os.urandom(each))
        words = Body(text=fill.words(60, _CHANCE), from_address=HERS)
        said = Incoming(one.channel_id, "email", Sender(HERS, "Frida Lind"), new_id(), words, files=[file])
        customer_id = (await receive(inst, account_id, said)).customer_id
    began, whole = time.perf_counter(), 0
    async with _most_memory() as most:
        package_id = await ask_package(inst, account_id, customer_id, one.staff, "person")
        assert await make_package(inst, account_id, package_id)
        async for part in await read_package(inst, account_id, package_id, one.staff):
            whole += len(part)
    assert whole > megabytes * 1_000_000, "the files are not in it"
    took = time.perf_counter() - began
    report.add("large_copy", took, "s", at_most=900.0, gigabytes=whole / 1e9, more_memory_mb=most[0])


@contextlib.asynccontextmanager
async def _most_memory() -> AsyncIterator[list[float]]:
    """The most megabytes above those at the beginning, looked at ten times a second."""
    me, most = psutil.Process(), [0.0]
    before = me.memory_info().rss

    async def look() -> None:
        while True:
            most[0] = max(most[0], (me.memory_info().rss - before) / 1e6)
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()


async def _across(inst: Installation, report: Report, businesses: int) -> None:
    """Three of them know her. Each signed up, and has a channel for letters."""
    for number in range(businesses):
        made = await sign_up(
            inst, f"Owner {number}", f"owner{number}@bench.example", f"Bench {number}", None, True
        )
        assert made
        if number % (businesses // 3) == 1:
            channel_id = await open_channel(inst, made.account_id, "Mail", f"{number}@bench.example")
            said = Incoming(
                channel_id, "email", Sender(HERS, "Frida"), new_id(), Body(text="Hello", from_address=HERS)
            )
            await receive(inst, made.account_id, said)
    asked = link.Asked(os.urandom(16), HERS, "access", millis(now() + link.GOOD_FOR))
    await take(inst, inst.vault.mint(link.PURPOSE, msgspec.msgpack.encode(asked)), "access")
    [(mac,)] = await inst.db.directory("select mac from work.data_request")
    began = time.perf_counter()
    await carry(inst, UUID(bytes=bytes(mac)))
    report.add("across_accounts", time.perf_counter() - began, "s", at_most=60.0, businesses=businesses)
