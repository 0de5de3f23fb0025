"""One open connection of server-sent events: written to directly, the newest wins, nobody waits for a slow reader."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import Send

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]
BEAT = b": here\n\n"


class Stream:
    """A reader. `tell` never waits: what cannot be written now is replaced by what is told later."""

    __slots__ = ("_flushing", "_send", "_waiting")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: bytes | None = None
        self._flushing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Sends the head of the answer and a first line, so that the reader knows it is connected."""
        await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._send(_piece(b"retry: 2000\n: welcome\n\n"))

    def tell(self, data: bytes) -> None:
        """Writes now when the reader keeps up; else keeps the newest for later."""
        if self._flushing is not None:
            self._waiting = data
            return
        attempt: Coroutine[Any, Any, None] = self._send(_piece(data))  # type: ignore[assignment]
        try:
            attempt.send(None)
        except StopIteration:
            return
        # The server waits for the reader before it writes: take the attempt back and write when it reads again.
        attempt.close()
        self._waiting = data
        self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while (data := self._waiting) is not None:
            self._waiting = None
            await self._send(_piece(data))
        self._flushing = None

    def close(self) -> None:
        """Forgets what waits."""
        if self._flushing is not None:
            self._flushing.cancel()


def _piece(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}
