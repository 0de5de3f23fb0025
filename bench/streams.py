"""Live connections, thousands of them: plain sockets that note when a hint arrived."""

import asyncio
import time
from typing import cast


class _Reader(asyncio.Protocol):
    def __init__(self, head: bytes) -> None:
        self._head = head
        self.heard: list[float] = []
        self.wake: asyncio.Event | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # not so by class on every loop
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if b'"feed"' in data:
            self.heard.append(time.perf_counter())
            if self.wake:
                self.wake.set()


class Streams:
    """Many open streams of one account."""

    def __init__(self) -> None:
        self._readers: list[_Reader] = []

    def __len__(self) -> int:
        return len(self._readers)

    @classmethod
    async def open(cls, port: int, cookie: str, count: int) -> "Streams":
        """Opens `count` streams, a hundred at a time."""
        streams = cls()
        await streams.more(port, cookie, count)
        return streams

    async def more(self, port: int, cookie: str, count: int) -> None:
        """Opens more."""
        head = f"GET /live HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: session={cookie}\r\naccept: text/event-stream\r\n\r\n".encode()
        loop = asyncio.get_running_loop()
        for begin in range(0, count, 100):
            made = await asyncio.gather(
                *(
                    loop.create_connection(lambda: _Reader(head), "127.0.0.1", port)
                    for _ in range(min(100, count - begin))
                )
            )
            self._readers += [reader for _, reader in made]
        await asyncio.sleep(0.5)

    def keep(self, count: int) -> None:
        """Closes all but `count`."""
        for reader in self._readers[count:]:
            if reader.transport:
                reader.transport.abort()
        del self._readers[count:]

    def close(self) -> None:
        """Closes all."""
        self.keep(0)

    async def ring(self, port: int, path: str, cookie: str, body: bytes) -> list[float]:
        """Posts one message; how long after the answer was sent off each stream heard of it, in milliseconds."""
        for reader in self._readers:
            reader.heard.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: session={cookie}\r\nx-chatinbox: 1\r\ncontent-length: {len(body)}\r\n\r\n"
        started = time.perf_counter()
        writer.write(head.encode() + body)
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(100):
            await asyncio.sleep(0.02)
            if all(one.heard for one in self._readers):
                break
        writer.close()
        return [(one.heard[0] - started) * 1000 for one in self._readers if one.heard]

    async def next(self) -> float:
        """When the first stream hears the next hint."""
        one = self._readers[0]
        one.heard.clear()
        one.wake = asyncio.Event()
        await one.wake.wait()
        return one.heard[0]

    async def once(
        self, port: int, method: str, path: str, body: bytes, token: str | None
    ) -> tuple[float, bytes]:
        """One request of a visitor; milliseconds until staff heard of it, and the answer."""
        heard = asyncio.create_task(self.next())
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        bearer = f"authorization: Bearer {token}\r\n" if token else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{bearer}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        started = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        told = await reader.readexactly(length)
        at = await asyncio.wait_for(heard, 10)
        writer.close()
        return (at - started) * 1000, told
