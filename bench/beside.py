"""What a change costs: this checkout beside another one, loads taking turns in one run, so that both meet the same machine.

Each side has its own installation, app and cluster, made by the code of its checkout (bench/side.py); whoever is not asked
has nothing to do. Told is the middle of the ratios of neighbouring turns: 1.0 is as fast as the other, 0.85 is 15 % fewer.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench import fill
from bench.load import Request, answer_body, load
from bench.measure import send_mail
from bench.report import Report

HERE = Path(__file__).parent
SECONDS = 1.0  # of a turn: what an answer leaves to be done afterwards takes many times as long
AT_LEAST = 0.85


@dataclass
class Side:
    """One checkout's app, and who asks it."""

    process: subprocess.Popen[str]
    port: int
    pid: int
    mail_port: int
    accounts: list[dict[str, Any]]

    @classmethod
    def begin(cls, checkout: Path, data: Path) -> Self:
        """Starts a side and waits until it can be asked."""
        paths = os.pathsep.join([str(checkout / "src"), str(checkout)])
        process = subprocess.Popen(
            [sys.executable, str(HERE / "side.py"), str(data)],
            cwd=checkout, env=os.environ | {"PYTHONPATH": paths}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{checkout} could not be started; does its bin/bench run?")
        return cls(process, **json.loads(line))

    def calm(self) -> None:
        """Waits until nothing of what was asked is left to do."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("calm\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self) -> None:
        """Stops app and cluster."""
        self.process.communicate()


def _paths(side: Side, rng: random.Random) -> dict[str, Callable[[], Request]]:
    text = fill.words(25, rng)

    def post() -> Request:
        one = rng.choice(side.accounts[1:])
        path = f"/api/conversations/{rng.choice(one['conversations'][:30])}/messages"
        return "POST", path, one["cookie"], answer_body(text)

    def lists() -> Request:
        return "GET", "/api/list?view=all", rng.choice(side.accounts[1:])["cookie"], b""

    def conversation() -> Request:
        one = rng.choice(side.accounts[1:])
        return "GET", f"/api/conversations/{rng.choice(one['long'])}?before=1000000", one["cookie"], b""

    def search() -> Request:
        asked = "+".join(rng.choices(fill.WORDS[20:600], k=2))
        return "GET", f"/api/search?q={asked}", side.accounts[0]["cookie"], b""

    return {"post_message": post, "list": lists, "conversation": conversation, "search": search}


async def _letters(side: Side, count: int) -> float:
    started = time.perf_counter()
    for begin in range(0, count, 4):
        await asyncio.gather(
            *(
                asyncio.to_thread(
                    send_mail, side.mail_port, side.accounts[n % len(side.accounts)]["address"], n
                )
                for n in range(begin, begin + 4)
            )
        )
    return count / (time.perf_counter() - started)


async def compare(folder: Path, other: Path, report: Report, turns: int) -> None:
    """Every hot path of both, turn by turn."""
    theirs = await asyncio.to_thread(Side.begin, other.resolve(), folder / "other")
    try:
        ours = await asyncio.to_thread(Side.begin, HERE.parent, folder / "this")
        try:
            await _turns(ours, theirs, report, turns)
        finally:
            ours.end()
    finally:
        theirs.end()


async def _turns(ours: Side, theirs: Side, report: Report, turns: int) -> None:
    sides = (ours, theirs)
    paths = [_paths(side, random.Random(5)) for side in sides]
    for name in paths[0]:
        if not report.wants(name):
            continue
        connections = 2 if name == "search" else 16
        for side, make in zip(sides, paths, strict=True):
            await load(side.port, side.pid, make[name], 0.7, connections)
        rates: tuple[list[float], list[float]] = ([], [])
        costs: tuple[list[float], list[float]] = ([], [])
        for turn in range(turns):
            for at in (0, 1) if turn % 2 else (1, 0):
                told = await load(sides[at].port, sides[at].pid, paths[at][name], SECONDS, connections)
                rates[at].append(told.rate)
                costs[at].append(told.cpu)
                await asyncio.to_thread(sides[at].calm)
        _add(report, name, rates, cpu_us=statistics.median(costs[0]), cpu_us_other=statistics.median(costs[1]))  # fmt: skip
    if report.wants("mail_in"):
        rates = ([], [])
        for turn in range(turns):
            for at in (0, 1) if turn % 2 else (1, 0):
                rates[at].append(await _letters(sides[at], 60))
                await asyncio.to_thread(sides[at].calm)
        _add(report, "mail_in", rates)


def _add(report: Report, name: str, rates: tuple[list[float], list[float]], **more: float) -> None:
    ratio = statistics.median(ours / theirs for ours, theirs in zip(*rates, strict=True))
    report.add(
        f"beside: {name}", ratio, "times", at_least=AT_LEAST,
        rate=statistics.median(rates[0]), rate_other=statistics.median(rates[1]), **more,
    )  # fmt: skip
