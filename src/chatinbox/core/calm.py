"""People first: what runs behind the scenes in this process gives way while many requests are being answered, but never
for long.
"""

import asyncio
import contextlib
from collections.abc import Iterator

MANY = 4
TURN_SECONDS = 0.1
LASTS_SECONDS = 0.05  # shorter lulls are only the gap between one answer and the next question


class Calm:
    """Knows how many requests are being answered just now."""

    def __init__(self) -> None:
        self._answering = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._lull: asyncio.TimerHandle | None = None
        self._turns = asyncio.Lock()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """One request, while the block runs."""
        self._answering += 1
        if self._answering == MANY:
            self._calm.clear()
            if self._lull:
                self._lull.cancel()
        try:
            yield
        finally:
            self._answering -= 1
            if self._answering == MANY - 1:
                self._lull = asyncio.get_running_loop().call_later(LASTS_SECONDS, self._calm.set)

    async def wait(self, at_most: float) -> None:
        """Until there are few requests again and it lasts, or so many seconds have passed."""
        if self._calm.is_set():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._calm.wait(), at_most)

    async def turn(self) -> None:
        """As `wait`, for many small pieces: while it is busy they begin one after the other, ten a second."""
        if not self._calm.is_set():
            async with self._turns:
                await self.wait(TURN_SECONDS)
