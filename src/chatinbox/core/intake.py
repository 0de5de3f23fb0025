"""What arrives at one door at the same time, counted byte by byte, so that many large uploads cannot fill the memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request

from chatinbox.core.errors import Refused

PATIENCE_SECONDS = 300.0


class Intake:
    """A door's room: at most `most` bytes under way at once. A body is counted from its first byte until it is stored."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """One body's share of the room; given back at the end of the block."""
        share = Share(self)
        try:
            yield share
        finally:
            share.give_back()


class Share:
    """What one body takes."""

    __slots__ = ("_bytes", "_intake")

    def __init__(self, intake: Intake) -> None:
        self._intake, self._bytes = intake, 0

    def take(self, size: int) -> bool:
        """Takes so many bytes more; False when the room is full."""
        if self._intake.held + size > self._intake.most:
            return False
        self._intake.held += size
        self._bytes += size
        return True

    def give_back(self) -> None:
        """Gives everything back."""
        self._intake.held -= self._bytes
        self._bytes = 0


async def read_upload(request: Request, limit: int, too_large: str, share: Share) -> bytes:
    """The body of a request up to `limit` bytes. Raises 413 with the sentence before reading more, 503 when too many
    bodies arrive at once, 408 when one takes longer than five minutes.
    """
    parts = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for part in bounded(request, limit, too_large):
                if not share.take(len(part)):
                    raise Refused(503, "Many files arrive just now. Please try again in a minute.", "busy")
                parts.append(part)
    except TimeoutError:
        raise Refused(408, "This took too long to arrive. Please try again.", "too_slow") from None
    return b"".join(parts)


async def read_small(request: Request, limit: int, too_large: str) -> bytes:
    """The body of a request up to a `limit` in bytes that needs no counting. Raises 413 with the sentence."""
    return b"".join([part async for part in bounded(request, limit, too_large)])


async def bounded(request: Request, limit: int, too_large: str) -> AsyncIterator[bytes]:
    """The parts of a body as long as they are within the limit. Raises 413 with the sentence."""
    declared, size = request.headers.get("content-length", ""), 0
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise Refused(413, too_large, "too_large")
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise Refused(413, too_large, "too_large")
        yield part
