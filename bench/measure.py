"""The measures, one after the other: the app alone on the first core, PostgreSQL and the load on the second."""

import asyncio
import contextlib
import json
import os
import random
import resource
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import psycopg

from bench import arrive, fill, privacy, reference
from bench.browser import next_conversation
from bench.fill import Account
from bench.load import Told, answer_body, load
from bench.report import Report
from bench.streams import Streams
from chatinbox.core import postgres
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings

sys.path.insert(0, str(Path(__file__).parent.parent / "checks"))
ACCOUNTS = 100
DATABASE = "chatinbox"


async def everything(folder: Path, report: Report, quick: bool) -> None:
    """Every measure, with loads of a length that fits."""
    with contextlib.suppress(ValueError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
    _weights(report)
    if report.wants("start_cold", "start_warm", "idle_memory"):
        _starts(folder / "starts", report)
    if not quick:
        await privacy.rights(folder / "rights", report)
    await privacy.copies(folder / "copies", report, 200 if quick else 2_000)
    if report.only and report.only <= privacy.NAMES:
        return
    data = folder / "data"
    cluster = postgres.up(data)
    _pin_database(cluster)
    dsn = cluster.dsn(cluster.superuser, DATABASE)
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {DATABASE}")
    settings = replace(Settings(), data=data, sign_up="open").with_addresses(0, 0)
    rng = random.Random(11)
    inst = await Installation.open(settings, dsn)
    try:
        made = await fill.accounts(inst, ACCOUNTS)
        await fill.fill(inst, dsn, made, 10_000, 320, rng)
        async with app(data) as running:
            await _speeds(running, cluster, made[:50], made[50:], report, 1.5 if quick else 8, folder)
            await _reads(running, made, report, "10k", 2 if quick else 5, rng)
            await _caught_up(cluster)
            await _live(running, made[0], report, 500 if quick else 5000)
            await _latencies(running, made[1], report, 10 if quick else 40)
            await _browser(running, made[2], report, 20 if quick else 45)
            await _mail_in(running, made, report, 100 if quick else 500)
        await _arrivals(data, report, 10 if quick else 40)
        if not quick:
            for name, more in (("100k", 90_000), ("1M", 900_000)):
                await fill.fill(inst, dsn, made, more, 0, rng)
                async with app(data) as running:
                    await _reads(running, made, report, name, 5, rng)
    finally:
        await inst.close()
    _growth(report)


def _weights(report: Report) -> None:
    import weights

    for name, weigh, limit in weights.LIMITS:
        report.add(f"weight: {name}", weigh() / 1000, "KB", at_most=limit / 1000)


class Running:
    """The app under load: its ports and process."""

    def __init__(self, process: subprocess.Popen[str], ready: dict) -> None:  # type: ignore[type-arg]
        self.process, self.pid = process, process.pid
        self.port = int(ready["url"].rsplit(":", 1)[1])
        self.mail_port = int(ready["smtp"]["port"])


def begin(data: Path, *more: str, also: Mapping[str, str] | None = None) -> tuple[Running, float]:
    """Starts `serve` on free ports on the first core; how long until it was ready, in seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-m", "chatinbox", "serve", "--json", "--port", "0", "--mail-port", "0", "--data", str(data), *more],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"CHATINBOX_SIGN_UP": "open", "CHATINBOX_PROVE": "no"} | dict(also or {}),
    )  # fmt: skip
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the app did not start; run bin/serve to see why")
    return Running(process, json.loads(line)), time.perf_counter() - started


@contextlib.asynccontextmanager
async def app(data: Path, also: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    """The app while the block runs."""
    running, _ = await asyncio.to_thread(partial(begin, data, also=also))
    try:
        yield running
    finally:
        running.process.terminate()
        await asyncio.to_thread(running.process.wait, 20)


def _pin_database(cluster: postgres.Cluster) -> None:
    pid = int((cluster.socket_dir.parent / "pg" / "postmaster.pid").read_text().split()[0])
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            process.cpu_affinity([min(1, (os.cpu_count() or 1) - 1)])


def _starts(data: Path, report: Report) -> None:
    running, cold = begin(data)
    report.add("start_cold", cold, "s")
    _stop(running)
    running, warm = begin(data)
    report.add("start_warm", warm, "s", at_most=3.0)
    time.sleep(3)
    whole = _memory([psutil.Process(running.pid), *_postgres_of(data)])
    report.add("idle_memory", whole, "MB", at_most=300.0)
    _stop(running)


def _stop(running: Running) -> None:
    running.process.terminate()
    running.process.wait(20)


def _postgres_of(data: Path) -> list[psutil.Process]:
    pid = int(next(data.rglob("postmaster.pid")).read_text().split()[0])
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def _memory(processes: list[psutil.Process]) -> float:
    """Proportional set size in MB: shared pages are counted once."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


async def _speeds(
    running: Running,
    cluster: postgres.Cluster,
    made: list[Account],
    others: list[Account],
    report: Report,
    seconds: float,
    folder: Path,
) -> None:
    # The reference writes to as many accounts, of its own: what it stores is not sealed and cannot be read.
    rng = random.Random(5)
    text = fill.words(25, rng)

    def post() -> tuple[str, str, str, bytes]:
        account = rng.choice(made[1:])
        return (
            "POST",
            f"/api/conversations/{rng.choice(account.conversations[:30])}/messages",
            account.cookie,
            answer_body(text),
        )

    def lists() -> tuple[str, str, str, bytes]:
        return (
            "GET",
            "/api/list?view=all",
            rng.choice(made[1:]).cookie,
            b"",
        )

    def conversation() -> tuple[str, str, str, bytes]:
        account = rng.choice(made[1:])
        return "GET", f"/api/conversations/{rng.choice(account.long)}?before=1000000", account.cookie, b""

    for name, kind, make, bar in (
        ("post_message", "post", post, 0.4),
        ("list", "list", lists, 0.3),
        ("conversation", "conversation", conversation, 0.3),
    ):
        if not report.wants(name):
            continue
        await load(running.port, running.pid, make, 0.7)
        drive = partial(
            reference.drive,
            cluster,
            DATABASE,
            kind,
            others if kind == "post" else made[1:],
            seconds / 2,
            folder,
        )
        ours, theirs, behind = [], [], []
        for _ in range(3):
            behind.append(await _caught_up(cluster))  # the reference has the database to itself
            theirs.append(await asyncio.to_thread(drive))
            ours.append(await load(running.port, running.pid, make, seconds))
        middle: Told = sorted(ours, key=lambda told: told.rate)[len(ours) // 2]
        report.add(name, middle.rate, "/s", limit=statistics.median(theirs), at_least=bar, by_ratio=True,
                   p50_ms=middle.p50, p95_ms=middle.p95, cpu_us=middle.cpu, **({"catch_up_s": behind[-1]} if kind == "post" else {}))  # fmt: skip
        if kind != "post":
            report.add(f"{name}_p95", middle.p95, "ms", at_most=80.0)


async def _caught_up(cluster: postgres.Cluster) -> float:
    """Waits until the outbox is empty and each letter has left; how long that took, in seconds."""
    started = time.perf_counter()
    left = "select (select count(*) from work.outbox) + (select count(*) from work.procrastinate_jobs where status = 'doing' or (status = 'todo' and coalesce(scheduled_at, now()) <= now()))"
    async with await psycopg.AsyncConnection.connect(
        cluster.dsn(cluster.superuser, DATABASE), autocommit=True
    ) as conn:
        while (await (await conn.execute(left)).fetchone() or (0,))[0]:
            await asyncio.sleep(0.2)
    return time.perf_counter() - started


async def _reads(
    running: Running, made: list[Account], report: Report, size: str, seconds: float, rng: random.Random
) -> None:
    largest = made[0]
    asks = {
        "list": lambda: "/api/list?view=all",
        "conversation": lambda: f"/api/conversations/{rng.choice(largest.long)}?before=1000000",
        "search": lambda: f"/api/search?q={rng.choice(fill.WORDS[20:600])}+{rng.choice(fill.WORDS[20:600])}",
    }
    for name, path in asks.items():
        if report.wants(f"{name}_{size}", name):
            told = await load(
                running.port, running.pid, lambda path=path: ("GET", path(), largest.cookie, b""), seconds, 2
            )
            bar = 100.0 if name == "search" and size == "1M" else None
            report.add(f"{name}_{size}_p95", told.p95, "ms", at_most=bar, p50_ms=told.p50, rate=told.rate)


def _growth(report: Report) -> None:
    for name in ("list", "conversation", "search"):
        small, large = (report.values.get(f"{name}_{size}_p95") for size in ("10k", "1M"))
        if small and large:
            fits = 1.5 if large["value"] > 20 else 1e9
            report.add(f"{name}_growth", large["value"] / small["value"], "times", at_most=fits)


async def _live(running: Running, account: Account, report: Report, idle: int) -> None:
    if not report.wants("live_fanout_1000", "live_idle"):
        return
    process = psutil.Process(running.pid)
    await asyncio.sleep(1)
    before = process.memory_info().rss
    streams = await Streams.open(running.port, account.cookie, idle)
    await asyncio.sleep(2)
    report.add(
        "live_idle", (process.memory_info().rss - before) / 1000 / idle, "KB", at_most=20.0, connections=idle
    )
    streams.keep(1000)
    if len(streams) < 1000:
        await streams.more(running.port, account.cookie, 1000 - len(streams))
    times: list[float] = []
    for number in range(12):
        body = answer_body(f"Fan-out {number}")
        path = f"/api/conversations/{account.conversations[number]}/messages"
        times += await streams.ring(running.port, path, account.cookie, body)
        await asyncio.sleep(0.1)
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    report.add(
        "live_fanout_1000", p99, "ms", at_most=150.0, p50_ms=times[len(times) // 2], heard=len(times) / 12
    )
    streams.close()


async def _latencies(running: Running, account: Account, report: Report, count: int) -> None:
    """From a customer's words to the staff's hint: the chat and the mail, one after the other."""
    if not report.wants("chat_visible", "mail_visible"):
        return
    streams = await Streams.open(running.port, account.cookie, 1)
    chat, mail = [], []
    token = None
    for number in range(count):
        body = {"id": str(new_id()), "text": f"Hello {number}", "files": []}
        took, answer = await streams.once(
            running.port, "POST", f"/chat/{account.chat_key}/messages", json.dumps(body).encode(), token
        )
        token = json.loads(answer).get("token", token)
        chat.append(took)
        heard = asyncio.create_task(streams.next())
        await asyncio.to_thread(send_mail, running.mail_port, account.address, number)
        accepted = time.perf_counter()
        at = await asyncio.wait_for(heard, 10)
        mail.append(max(0.0, at - accepted) * 1000)
    chat.sort()
    mail.sort()
    report.add("chat_visible", chat[int(len(chat) * 0.95)], "ms", at_most=300.0, p50_ms=chat[len(chat) // 2])
    report.add("mail_visible", mail[int(len(mail) * 0.95)], "ms", at_most=1000.0, p50_ms=mail[len(mail) // 2])
    streams.close()


def send_mail(port: int, address: str, number: int) -> None:
    """One ordinary letter."""
    raw = (
        f"From: Casey <casey{number}@mail.example>\r\nTo: {address}\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{new_id()}@mail.example>\r\n\r\nHello, this is letter {number}. {'Words and words. ' * 40}\r\n"
    )
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("casey@mail.example", address, raw)


async def _arrivals(data: Path, report: Report, count: int) -> None:
    if not report.wants("sign_up_to_inbox"):
        return
    async with arrive.letters() as (box, told), app(data, told) as running:
        times = sorted([await arrive.arrive(running.port, box, number) for number in range(count)])
    p95 = times[int(len(times) * 0.95)]
    report.add("sign_up_to_inbox", p95, "ms", at_most=1000.0, p50_ms=times[len(times) // 2])


async def _browser(running: Running, account: Account, report: Report, count: int) -> None:
    if not report.wants("next_conversation"):
        return
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # a reader's browser has a machine of its own
    try:
        times = await next_conversation(f"http://127.0.0.1:{running.port}", account.cookie, count)
    finally:
        os.sched_setaffinity(0, pinned)
    if times:
        p95 = times[int(len(times) * 0.95)]
        report.add("next_conversation", p95, "ms", at_most=50.0, p50_ms=times[len(times) // 2])


async def _mail_in(running: Running, made: list[Account], report: Report, count: int) -> None:
    if not report.wants("mail_in"):
        return
    numbers: Iterator[int] = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            send_mail(running.mail_port, made[number % len(made)].address, number)

    started = time.perf_counter()
    await asyncio.gather(*(asyncio.to_thread(work) for _ in range(4)))
    report.add("mail_in", count / (time.perf_counter() - started), "/s")


def tidy(folder: Path) -> None:
    """Stops what the bench started."""
    for data in (*map(folder.joinpath, ("data", "starts", "this", "other")), *(folder / "rights").glob("*")):
        if data.exists():
            with contextlib.suppress(Exception):
                postgres.down(data)
