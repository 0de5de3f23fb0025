"""How the installation is right now, from what it can see itself. No history and no percentage: nobody measures those here."""

import asyncio
import time
from datetime import datetime, timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.clock import now
from chatinbox.core.copied import last_copy
from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.web.site import ending
from chatinbox.web.site.facts import Fact
from chatinbox.web.site.frame import Link, site_page

log = structlog.get_logger()
LOOKED_SECONDS = 15.0
PATIENCE_SECONDS = 2.0
BEATS_SECONDS = 60.0
KEYS_LIVE = timedelta(days=30)  # a copy of keys is good for no longer, and without keys no copy opens


class Look:
    """The last look, so that a crowd of readers looks once."""

    def __init__(self) -> None:
        self._next, self._at, self._parts = 0.0, now(), list[Fact]()
        self._one = asyncio.Lock()

    async def parts(self, inst: Installation) -> tuple[datetime, list[Fact]]:
        """When it was looked, and what was seen."""
        async with self._one:
            if time.monotonic() >= self._next:
                self._parts = [
                    PAGES_PART,
                    *await asyncio.gather(_database(inst), _worker(inst), _mail(inst)),
                    *ending.parts(),
                    _backup(inst),
                ]
                self._at, self._next = now(), time.monotonic() + LOOKED_SECONDS
        return self._at, self._parts


PAGES_PART = Fact("Website and inbox", "holds", "Works", "You are reading it.")


async def _database(inst: Installation) -> Fact:
    began = time.monotonic()
    try:
        await asyncio.wait_for(inst.db.directory("select 1"), PATIENCE_SECONDS)
    except Exception:
        log.warning("status_without_database")
        return Fact("Database", "broken", "Does not answer", "What was acknowledged is safe; new words wait.")
    took = max(1, round((time.monotonic() - began) * 1000))
    return Fact("Database", "holds", "Works", said("Answered in %(count)s ms.", count=took))


async def _worker(inst: Installation) -> Fact:
    try:
        asked = inst.db.directory(
            "select extract(epoch from now() - max(last_heartbeat))::float8 from work.procrastinate_workers"
        )
        [[age]] = await asyncio.wait_for(asked, PATIENCE_SECONDS)
    except Exception:
        return Fact("Deliveries", "open", "Unknown", "The database has to answer first.")
    if age is None or age > BEATS_SECONDS:
        return Fact(
            "Deliveries",
            "broken",
            "Stand still",
            "No worker has been heard for a minute. Answers wait and are kept.",
        )
    return Fact("Deliveries", "holds", "Works", "The worker was heard within the last minute.")


async def _mail(inst: Installation) -> Fact:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reading, writing = await asyncio.open_connection(inst.settings.host, inst.settings.mail_port)
            greeting = await reading.readline()
            writing.write(b"QUIT\r\n")
            writing.close()
    except (OSError, TimeoutError):
        return Fact(
            "Door for letters",
            "open",
            "Unknown",
            "It is not reached from here; it may run on another machine.",
        )
    if greeting.startswith(b"220"):
        return Fact("Door for letters", "holds", "Works", "It greeted when we knocked.")
    return Fact(
        "Door for letters",
        "broken",
        "Turns letters away",
        "Senders try again for days, so letters come late, not never.",
    )


def _backup(inst: Installation) -> Fact:
    at = last_copy(inst.settings.data)
    if at is None:
        return Fact(
            "Last backup",
            "open",
            "None here",
            "This program has made no copy here. The operator may make copies in another way.",
        )
    seen = said("This program made its last copy on %(day)s.", day=at.date())
    if at < now() - KEYS_LIVE:
        return Fact("Last backup", "open", "Long ago", seen)
    return Fact("Last backup", "holds", "Made", seen)


_look = Look()


async def get_status(inst: Installation, request: Request) -> Response:
    """The parts, as seen at most fifteen seconds ago."""
    at, parts = await _look.parts(inst)
    broken = [part for part in parts if part.state == "broken"]
    return site_page(
        inst, request, "site/status", at=at, parts=parts, broken=broken, kept="public, max-age=15"
    )


TO = Declared(("visitor",), ("A",))
PAGES = {"/status": (get_status, None)}
LINKS = (Link("product", "/status", "Status", 90),)
