"""Steadily: work that begins again when it breaks, for want of a database most likely."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

log = structlog.get_logger()
PAUSE_SECONDS = 1.0
END_SECONDS = 8.0


async def steadily(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Does this until it ends by itself or is cancelled."""
    while True:
        try:
            await work()
            return
        except Exception:
            log.exception("begins_again", name=name)
            await asyncio.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def meanwhile(name: str, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Does this steadily while the block runs; afterwards it gets a moment to end."""
    task = asyncio.create_task(steadily(name, work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=END_SECONDS)
