"""Visits to our website may be counted: page, hour, kind of device, linking site, and whether a cookie came along. A count has no row for you, no address, no cookie value and no name of your browser."""

import random
from dataclasses import replace
from typing import Any

from chatinbox.watch import visit, visits
from chatinbox.watch.visits import Visits
from promises.stage import Stage

CLAUSES = ("C07", "C08")
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0) Mobile/15E148",
)
CANARY = "canary-7f3a"


async def proof_that_who_came_leaves_no_trace(stage: Stage) -> str:
    """The same visits by other people in another order left the same rows, and no name, address or cookie is in them"""
    chance = random.Random(7)  # noqa: S311
    seen = [(chance.choice(("/", "/pricing")), chance.choice(BROWSERS)) for _ in range(60)]
    first = await _played(stage, seen, "10.0")
    chance.shuffle(seen)
    second = await _played(stage, [(page, f"{browser} {CANARY}") for page, browser in seen], "192.168")
    assert first == second, "what is stored changes with who came, or in which order"
    assert len(first) == 4 and CANARY not in str(second), (
        "more is kept than page, day, device and linking site"
    )
    assert not stage.found(CANARY), "the name of a browser stands somewhere"
    return "60 visits played twice, by other people in another order: the same four counts."


async def _played(stage: Stage, seen: list[tuple[str, str]], place: str) -> list[Any]:
    stage.above.execute("truncate watch.visit, watch.visitors")
    counters = Visits()
    for number, (page, browser) in enumerate(seen):
        counters.count(
            page, browser, f"https://news.example/{CANARY}", "own.example", f"{place}.{number}", signal=False
        )
    await counters.write(stage.inst.db)
    return stage.rows("select * from watch.visit order by ctid")


async def saboteur_keeps_a_hash(stage: Stage) -> None:
    """Keeps a salted hash of address and browser beside each count"""
    known = visit.cell_of

    def marked(day: Any, route: str, user_agent: str, referer: str, own_host: str, *, signal: bool) -> Any:
        cell = known(day, route, user_agent, referer, own_host, signal=signal)
        return replace(cell, referrer=f"{hash((user_agent, 'salt')):x}")

    stage.swap(visits, "cell_of", marked)


async def saboteur_keeps_the_browser(stage: Stage) -> None:
    """Keeps the browser's name in place of the kind of device"""
    stage.break_in("alter table watch.visit drop constraint if exists visit_device_check")
    stage.swap(visit, "device_class", lambda user_agent: user_agent)


async def saboteur_keeps_the_order(stage: Stage) -> None:
    """Writes counts in the order in which the visits came"""
    visits.sorted = list  # type: ignore[attr-defined]  # in place of the built-in that orders by name
    stage.later(lambda: delattr(visits, "sorted"))
