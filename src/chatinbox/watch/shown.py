"""What an operator sees of the statistics: lists with a total, no number below ten, and none that could be worked out.

A cell below ten is hidden. If what is hidden together is still below ten, subtracting the shown from the total would give it
away, so the smallest shown cells are hidden as well until it is not (complementary suppression).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from chatinbox.core.db import Database
from chatinbox.watch.visit import UNTOLD

LEAST = 10
DAYS = 28  # always the same span, of whole days: two spans of a reader's choice could be subtracted


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as it may be shown: what is told, and whether more is hidden. `total` is None below ten."""

    rows: list[tuple[str, int]]
    hidden: bool
    total: int | None


def shown(cells: Mapping[str, int], least: int = LEAST) -> Shown:
    """A list whose every number, and whose rest, is at least `least`; the largest first."""
    total = sum(cells.values())
    told = sorted(((name, n) for name, n in cells.items() if n), key=lambda cell: (-cell[1], cell[0]))
    kept = [cell for cell in told if cell[1] >= least]
    rest = total - sum(n for _, n in kept)
    while rest and rest < least and kept:
        rest += kept.pop()[1]
    if total < least:
        return Shown([], total > 0, None)
    return Shown(kept, rest > 0, total)


@dataclass(frozen=True, slots=True)
class Summary:
    """The last 28 whole days."""

    first: date
    last: date
    days: Shown
    visitors: dict[str, int]
    routes: Shown
    devices: Shown
    referrers: Shown


async def read_summary(db: Database, today: date) -> Summary:
    """Reads and hides. Today is left out: it is not whole."""
    first, last = today - timedelta(days=DAYS), today - timedelta(days=1)
    rows = await db.directory(
        "select day, route, device, referrer, visit_count from watch.read_visits(%s, %s)", [first, last]
    )
    counted = await db.directory("select day, visitor_count from watch.read_visitors(%s, %s)", [first, last])
    return Summary(
        first,
        last,
        days=shown(_by((str(day), n) for day, *_, n in rows)),
        visitors={str(day): n for day, n in counted if n >= LEAST},
        routes=shown(_by((_told(route), n) for _, route, *_, n in rows)),
        devices=shown(_by((_told(device), n) for _, _, device, _, n in rows)),
        referrers=shown(_by((_from(route, referrer), n) for _, route, _, referrer, n in rows)),
    )


def _by(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for name, n in pairs:
        summed[name] += n
    return summed


def _told(name: str) -> str:
    return "(asked not to be told apart)" if name == UNTOLD else name


def _from(route: str, referrer: str) -> str:
    if route == UNTOLD:
        return _told(route)
    return "(came by themselves)" if referrer == UNTOLD else referrer
