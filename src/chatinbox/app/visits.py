"""`visits`: what is known of visits to the website, as tables. For operators."""

import asyncio
from collections.abc import Iterator

from chatinbox.app import database
from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.migrate import app_dsn
from chatinbox.core.settings import Settings
from chatinbox.watch.shown import LEAST, Shown, Summary, read_summary


def print_visits(settings: Settings) -> int:
    """Prints the last 28 whole days. Raises Trouble where there is no installation."""
    with database.of_an_installation(settings) as admin_dsn:
        print("\n".join(lines(asyncio.run(_read(settings, admin_dsn)))))
    return 0


async def _read(settings: Settings, admin_dsn: str) -> Summary:
    vault = database.vault_of(settings, admin_dsn)
    db = await Database.open(app_dsn(admin_dsn, vault), vault)
    try:
        return await read_summary(db, now().date())
    finally:
        await db.close()
        vault.close()


def lines(summary: Summary) -> Iterator[str]:
    """The tables as text."""
    total = summary.days.total
    yield f"Visits to the website, {summary.first} to {summary.last}: {f'fewer than {LEAST}' if total is None else total}"
    yield f"Numbers below {LEAST} are not shown, nor others from which one could be worked out."
    yield from _table("Day", summary.days, summary.visitors)
    yield from _table("Page", summary.routes)
    yield from _table("Device", summary.devices)
    yield from _table("Came from", summary.referrers)


def _table(title: str, listed: Shown, visitors: dict[str, int] | None = None) -> Iterator[str]:
    more = f"{'visitors, about':>18}" if visitors is not None else ""
    yield f"\n{title:<44}{'visits':>8}{more}"
    rows = sorted(listed.rows) if visitors is not None else listed.rows
    for name, count in rows:
        about = f"{visitors.get(name, '-'):>18}" if visitors is not None else ""
        yield f"{name:<44}{count:>8}{about}"
    if listed.hidden:
        yield f"{'(more, too few to show apart)':<44}"
    elif not rows:
        yield "none"
