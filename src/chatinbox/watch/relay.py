"""The relay: finished counts of whole days, to the one analytics company the policy names, where the operator wants it (C10).

Off by default. What is sent is what an operator would be shown: lists of pages, devices and domains without any number
below ten, made from visits without a signal alone. Who asked not to be followed is in no number that leaves and moves none
(C11). Nothing is sent of a day that began before this was said publicly for a day and an hour (W3C TPE §6.5.2 asks for a day).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import msgspec
import structlog

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.egress import Egress, Errand
from chatinbox.core.settings import Settings
from chatinbox.watch.shown import shown
from chatinbox.watch.visit import UNTOLD

log = structlog.get_logger()
RECIPIENT = "google_analytics"
SAID_BEFORE = timedelta(hours=25)
DAYS_BACK = 7  # how far back a day is still sent that could not be sent in its turn
EVENTS = 25  # most in one request (Measurement Protocol, GA4: limitations)
# The protocol asks for the id of a browser. This is nobody's: the same for every sum of every installation.
NOBODY = "0.0"
_PATH = "/mp/collect"


def is_on(settings: Settings) -> bool:
    """Whether the operator turned it on."""
    return bool(settings.analytics)


async def declare(db: Database, settings: Settings) -> None:
    """A start says that there is a relay, or that there is none; after a time without, the day of waiting begins anew."""
    if is_on(settings):
        await db.directory("select watch.declare_relay(%s, %s)", [RECIPIENT, now()])
    else:
        await db.directory("select watch.end_relay()")


async def begins_at(db: Database) -> datetime | None:
    """From when days may be sent; None where there is no relay."""
    [[declared_at]] = await db.directory("select watch.read_relay()")
    return declared_at + SAID_BEFORE if declared_at else None


async def relay_due(db: Database, egress: Egress, settings: Settings) -> list[date]:
    """Sends every whole day that may be sent and was not; which."""
    begins = await begins_at(db) if is_on(settings) else None
    if begins is None:
        return []
    today, sent = now().date(), []
    for back in range(DAYS_BACK, 0, -1):
        day = today - timedelta(days=back)
        if datetime.combine(day, time(), UTC) >= begins and await _relay(db, egress, settings, day):
            sent.append(day)
    return sent


async def _relay(db: Database, egress: Egress, settings: Settings, day: date) -> bool:
    """Sends one day, once. One of which nothing left may be tried again."""
    [[is_ours]] = await db.directory("select watch.claim_day(%s, %s)", [day, now()])
    if not is_ours:
        return False
    events, left = list(await events_of(db, day)), 0
    errand = Errand(None, RECIPIENT, "subprocessor", "the operator's setting", ("sums of visits",))
    query = {"measurement_id": settings.google_measurement_id, "api_secret": settings.google_api_secret}
    try:
        async with egress.client(errand) as client:
            for start in range(0, len(events), EVENTS):
                body = msgspec.json.encode(payload(day, events[start : start + EVENTS]))
                url = httpx.URL(settings.google_analytics_base + _PATH, params=query)
                await client.post(
                    url, content=body, headers={"user-agent": "", "content-type": "application/json"}
                )
                left += 1
    except httpx.RequestError as error:
        log.warning("counts_not_relayed", error=type(error).__name__)
        if not left and not isinstance(error, httpx.ReadTimeout):
            await db.directory("select watch.release_day(%s)", [day])
        return False
    return True


def payload(day: date, events: list[dict[str, Any]]) -> dict[str, Any]:
    """One request's words: sums at noon of their day, for nobody."""
    noon = datetime.combine(day, time(12), UTC)
    return {
        "client_id": NOBODY,
        "timestamp_micros": int(noon.timestamp()) * 1_000_000,
        "non_personalized_ads": True,
        "events": events,
    }


async def events_of(db: Database, day: date) -> Iterator[dict[str, Any]]:
    """The sums of a day, small ones hidden. A visit with a signal is left out before anything is added or compared."""
    rows = await db.directory(
        "select route, device, referrer, visit_count from watch.read_visits(%s, %s)", [day, day]
    )
    told = [row for row in rows if row[0] != UNTOLD]
    return (
        {"name": "visits_counted", "params": {"list": name, "what": what, "count": count, "day": str(day)}}
        for column, name in enumerate(("page", "device", "came_from"))
        for what, count in shown(_sums(told, column)).rows
    )


def _sums(rows: list[Any], column: int) -> Counter[str]:
    summed: Counter[str] = Counter()
    for row in rows:
        summed[row[column]] += row[3]
    return summed
