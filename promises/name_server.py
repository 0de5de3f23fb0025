"""A name server on this machine that knows what it is told, for tests and proofs that need one: real questions, real answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from chatinbox.core.egress import Names

PEER = "5.9.17.33"
"""An address of the public internet, from which letters come in tests."""


@dataclass(slots=True)
class NameServer(asyncio.DatagramProtocol):
    """`knows` has values by kind and name (`"TXT mail.example"`); what begins a name in `silent` gets no answer."""

    knows: dict[str, Sequence[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """It is open."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: Any) -> None:
        """A question, and its answer."""
        message = dns.message.from_wire(data)
        question = message.question[0]
        name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {name}")
        if "" in self.silent or name in self.silent:
            return
        answer = dns.message.make_response(message)
        values = [f'"{one}"' if kind == "TXT" else one for one in self.knows.get(f"{kind} {name}", ())]
        values = [_in_pieces(one) for one in values]
        if values:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, values))
        elif name and not any(one.endswith(f" {name}") for one in self.knows):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), address)

    def names(self) -> Names:
        """What an installation that asks it has."""
        return Names(f"127.0.0.1:{self.port}")


def _in_pieces(value: str) -> str:
    """A text of a record has pieces of 255 bytes at most (RFC 1035 §3.3)."""
    if not value.startswith('"'):
        return value
    text = value.strip('"')
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))


@asynccontextmanager
async def name_server(**knows: Sequence[str]) -> AsyncIterator[NameServer]:
    """Answers while the block runs."""
    server = NameServer(dict(knows))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: server, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
