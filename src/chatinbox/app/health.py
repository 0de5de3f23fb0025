"""Health: whether what the promises need is running, in one word. Whoever asks learns no more than that word."""

import asyncio
import time
from datetime import date, timedelta

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.watch.security_days import first_kept

log = structlog.get_logger()
WELL = "well"
KEPT_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
LATE = timedelta(
    hours=2
)  # old days go once an hour: after two rounds the sixty days still have most of a day left
STILL_SECONDS = 300.0
# Each minute's round writes its minute down, and does not as long as the one before waits: so work that is off and work that
# stands still look the same.
_LOOK = """
select (select min(day) from seclog.days() day),
       (select extract(epoch from now())::float8 - max(defer_timestamp) from work.procrastinate_periodic_defers
         where task_name = 'retry_stalled')
"""


class Health:
    """The last look of one web application, so that a crowd looks once a second."""

    def __init__(self, inst: Installation) -> None:
        self._inst, self._began = inst, time.monotonic()
        self._next, self._word = 0.0, WELL
        self._one = asyncio.Lock()

    async def get_health(self, _request: Request) -> Response:
        """`well`, or 503 and what is missing: `database`, `purge`, `worker`."""
        async with self._one:
            if time.monotonic() >= self._next:
                word = await self._look()
                if word not in (WELL, self._word):
                    log.error("not_well", name=word)
                self._word, self._next = word, time.monotonic() + KEPT_SECONDS
        return PlainTextResponse(
            f"{self._word}\n", 200 if self._word == WELL else 503, {"cache-control": "no-store"}
        )

    async def _look(self) -> str:
        try:
            asked = self._inst.db.directory(_LOOK)
            [[oldest, still]] = await asyncio.wait_for(asked, PATIENCE_SECONDS)
            keys = self._inst.vault.key_days()
        except Exception:
            return "database"
        if _is_overdue(oldest) or _is_overdue(min(keys, default=None)):
            return "purge"
        if (still is None or still > STILL_SECONDS) and time.monotonic() - self._began > STILL_SECONDS:
            return "worker"  # one that was away has some minutes to catch up after a start
        return WELL


def _is_overdue(oldest: date | None) -> bool:
    """Whether a day of the security log, or its key, is there longer than it may be (clause C14)."""
    return oldest is not None and oldest < first_kept((now() - LATE).date())
