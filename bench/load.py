"""Load over HTTP: sixteen connections that ask again and again, light enough not to be the limit."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

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


async def load(
    port: int, pid: int, make: Callable[[], Request], seconds: float, connections: int = 16
) -> Told:
    """Asks for `seconds`. Raises on the first answer that is no success."""
    latencies: list[float] = []
    process = psutil.Process(pid)
    before, started = sum(process.cpu_times()[:2]), time.perf_counter()
    end = started + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            method, path, cookie, body = make()
            head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: session={cookie}\r\nx-chatinbox: 1\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 2"):
                raise RuntimeError(f"{method} {path}: {answer.splitlines()[0].decode()}")
            length = next(
                int(line[15:])
                for line in answer.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            await reader.readexactly(length)
            latencies.append((time.perf_counter() - begun) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
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
