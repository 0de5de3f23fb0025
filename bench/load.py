"""Load over HTTP: sixteen connections that ask again and again, light enough not to be the limit."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import psutil

from chatinbox.core.ids import new_id

Request = tuple[str, str, str, bytes]  # method, path, cookie, body


@dataclass
class Told:
    """What a load saw: requests a second, latencies in milliseconds, the app's CPU in microseconds a request."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float


class _Asker(asyncio.Protocol):
    """One connection that asks, waits for the whole answer, and asks again until the end."""

    def __init__(self, port: int, make: Callable[[], Request], end: float, latencies: list[float]) -> None:
        self._port, self._make, self._end, self._latencies = port, make, end, latencies
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # not so by class on every loop
        self._ask()

    def _ask(self) -> None:
        self._asked = self._make()
        method, path, cookie, body = self._asked
        self._begun = time.perf_counter()
        self._transport.write(
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncookie: session={cookie}\r\n"
            f"x-chatinbox: 1\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def data_received(self, data: bytes) -> None:
        self._got = data if not self._got else self._got + data
        head, separator, body = self._got.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._got = b""
        now = time.perf_counter()
        self._latencies.append((now - self._begun) * 1000)
        if not head.startswith(b"HTTP/1.1 2"):
            method, path, *_ = self._asked
            self._end_with(RuntimeError(f"{method} {path}: {head.splitlines()[0].decode()}"))
        elif now < self._end:
            self._ask()
        else:
            self._end_with(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._end_with(error or RuntimeError("the app closed a connection under load"))

    def _end_with(self, error: Exception | None) -> None:
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)
        self._transport.close()


def _length(head: bytes) -> int:
    at = head.find(b"content-length: ") + 16
    return int(head[at : head.find(b"\r", at) if head.find(b"\r", at) > 0 else None])


async def load(
    port: int, pid: int, make: Callable[[], Request], seconds: float, connections: int = 16
) -> Told:
    """Asks for `seconds`. Raises on the first answer that is no success."""
    latencies: list[float] = []
    process, loop = psutil.Process(pid), asyncio.get_running_loop()
    before, started = sum(process.cpu_times()[:2]), time.perf_counter()
    end = started + seconds
    made = [
        await loop.create_connection(lambda: _Asker(port, make, end, latencies), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(asker.done for _, asker in made))
    spent = sum(process.cpu_times()[:2]) - before
    took = time.perf_counter() - started
    latencies.sort()
    at = lambda share: latencies[min(len(latencies) - 1, int(len(latencies) * share))]  # noqa: E731
    return Told(len(latencies) / took, at(0.5), at(0.95), at(0.99), spent / len(latencies) * 1e6)


def answer_body(text: str) -> bytes:
    """A staff user's answer as the browser sends it."""

    return json.dumps(
        {"id": str(new_id()), "text": text, "seen": 1 << 40, "html": None, "files": []}
    ).encode()
