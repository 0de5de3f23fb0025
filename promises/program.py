"""A program of somebody else's, as a business connects one: it listens on this machine and keeps what it hears."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chatinbox.core.egress import Egress
from chatinbox.core.installation import Installation

NO = b"HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n"
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    heads: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_with(self, secret: str) -> bool:
        """As a program checks it, by the specification, with nothing of ours."""
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.heads['webhook-id']}.{self.heads['webhook-timestamp']}.".encode() + self.body
        right = "v1," + base64.b64encode(hmac.digest(raw, signed, "sha256")).decode()
        return hmac.compare_digest(right, self.heads["webhook-signature"])


@dataclass(slots=True)
class Program:
    """Where it listens, what it heard, and what it answers."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    says: bytes = YES

    @property
    def kinds(self) -> list[str]:
        """Which events it heard of."""
        return [one.said["type"] for one in self.heard]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes one message."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        heads = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        body = await reader.readexactly(int(heads.get("content-length", "0")))
        self.heard.append(Heard(heads, body))
        writer.write(self.says)
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Program]:
    """A program for a while."""
    program = Program()
    server = await asyncio.start_server(program.serve, "127.0.0.1", 0)
    program.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hear"
    async with server:
        yield program


def near(inst: Installation) -> Installation:
    """The installation of an operator who lets programs on this machine be connected."""
    egress = Egress(inst.db, inst.vault, None, inside=True)
    return replace(inst, egress=egress, settings=replace(inst.settings, inside_targets=True))
