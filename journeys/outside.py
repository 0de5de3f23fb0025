"""The world outside a served installation, on this machine: a web server, a mail server and a name server that answer as such
servers do, and keep every connection with whatever came over it.
"""

import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

import dns.message
import dns.rcode

from chatinbox.core.clock import now


@dataclass(slots=True)
class Arrival:
    """One connection: what came, for which mailbox, and what was `known` elsewhere the moment it was opened."""

    where: Literal["web", "mail"]
    at: datetime
    known: Any
    raw: bytes = b""
    to: str = ""


@dataclass
class Outside:
    """Where it all listens, and what arrived. `look` is asked before a connection is read or greeted; while `holding`, nobody on
    the web is answered.
    """

    look: Callable[[], Any] = lambda: None
    arrived: list[Arrival] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    holding: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        outside = self

        class Web(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outside._serve_web(self)

        class Mail(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outside._serve_mail(self)

        class Names(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outside._serve_names(*self.request, self.client_address)

        self._servers = [
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Web),
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail),
            socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names),
        ]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        web, mail, names = (f"127.0.0.1:{server.server_address[1]}" for server in self._servers)
        self.web, self.smtp, self.names = f"http://{web}", f"smtp://{mail}", names
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.let_go.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        """What a start is told of it."""
        return {"smtp_url": self.smtp, "resolver": self.names}

    def at(self, where: str) -> list[Arrival]:
        """What came to one of them."""
        return [one for one in list(self.arrived) if one.where == where]

    def letters(self, to: str) -> list[str]:
        """The letters that came for a mailbox."""
        return [one.raw.decode() for one in self.at("mail") if one.to == to and one.raw]

    def forget(self) -> None:
        """Lets go of all that came until now."""
        self.arrived.clear()
        self.asked.clear()

    def _met(self, where: Literal["web", "mail"]) -> Arrival:
        known = self.look()
        arrival = Arrival(where, now(), known, to=self.web if where == "web" else "")
        self.arrived.append(arrival)
        return arrival

    def _serve_web(self, way: socketserver.StreamRequestHandler) -> None:
        """Takes whatever is sent; to who asks how to sign in here, it is a provider (OpenID Connect Discovery 1.0)."""
        arrival = self._met("web")
        while (line := way.rfile.readline()) not in (b"\r\n", b""):
            arrival.raw += line
        heads = arrival.raw.decode("latin-1").lower().split("\r\n")
        length = next((int(one[15:]) for one in heads if one.startswith("content-length:")), 0)
        arrival.raw += b"\r\n" + way.rfile.read(length)
        if self.holding.is_set():
            self.let_go.wait(30)
            return
        said = b"{}"
        if heads[0].startswith("get /.well-known/openid-configuration "):
            named = {"authorization_endpoint": "in", "token_endpoint": "token", "jwks_uri": "keys"}
            told = {name: f"{self.web}/{path}" for name, path in named.items()}
            said = json.dumps({"issuer": self.web} | told).encode()
        elif heads[0].startswith("get /keys "):
            said = b'{"keys": []}'
        way.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    def _serve_mail(self, way: socketserver.StreamRequestHandler) -> None:
        """Takes letters (RFC 5321), and offers nothing beyond."""
        arrival = self._met("mail")
        way.wfile.write(b"220 outside\r\n")
        while line := way.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                arrival.to = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"DATA":
                way.wfile.write(b"354 go on\r\n")
                raw = b""
                while (part := way.rfile.readline()) not in (b".\r\n", b""):
                    raw += part
                arrival.raw = raw
            way.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return

    def _serve_names(self, raw: bytes, door: Any, who: Any) -> None:
        """Knows no name."""
        question = dns.message.from_wire(raw)
        self.asked.append(str(question.question[0].name).rstrip(".").lower())
        answer = dns.message.make_response(question)
        answer.set_rcode(dns.rcode.NXDOMAIN if self.asked[-1] else dns.rcode.NOERROR)
        door.sendto(answer.to_wire(), who)
