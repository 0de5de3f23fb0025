"""HTTP on its way out: an httpx transport that libraries are given, so that they reach nobody by another way.

Every request (and every hop, should a library follow redirects) has its own ledger row before anything leaves, a name
look-up included. Addresses an account chose are looked up once, judged, and connected to as judged: the name is not
asked again, so it cannot lead elsewhere meanwhile (DNS rebinding). Answers are read whole, up to a limit.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlsplit
from uuid import UUID

import httpcore
import httpx

from chatinbox.core.clock import now
from chatinbox.core.egress.addresses import Address, is_inside, is_public, read_address
from chatinbox.core.egress.daily import OnceADay
from chatinbox.core.egress.ledger import Entry, NoPermission, Outcome, Writes
from chatinbox.core.egress.recipients import REGISTER, Basis, Errand, Guard, pass_all

MOST_BYTES = 1_000_000
SECONDS = 15.0
LEAST_PORT = 1024  # of an address that an account chose, but for those of the web


class Withheld(httpx.RequestError):
    """We did not send it. `reason`: scheme, userinfo, elsewhere, port, address, unknown_host, unknown_recipient, basis,
    permission, not_begun, or what the guard says.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"withheld: {reason}")
        self.reason = reason


class TooMuch(httpx.RequestError):
    """The answer is larger than what is read, or packed, so that its size cannot be known."""


class HttpGate:
    """Where requests leave. `inside` lets addresses an account chose be private ones, for an operator's own network."""

    def __init__(self, ledger: Writes, inside: bool = False, trust: ssl.SSLContext | None = None) -> None:
        self.ledger, self.inside = ledger, inside
        self._daily = OnceADay(ledger)
        self.bases = {name: named.base for name, named in REGISTER.items()}
        self.begins: dict[str, datetime] = {}
        self.guard: Guard = pass_all
        self._trust = trust

    def trust(self) -> ssl.SSLContext:
        """Whose certificates are believed; made once."""
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust

    def transport(self, errand: Errand, once_a_day: bool = False) -> httpx.AsyncBaseTransport:
        """The way out for one errand."""
        return _Way(self, errand, self._daily if once_a_day else self.ledger)

    def client(self, errand: Errand, once_a_day: bool = False) -> httpx.AsyncClient:
        """A client for one errand: no proxies or passwords of the environment, no redirects."""
        return httpx.AsyncClient(
            transport=self.transport(errand, once_a_day),
            trust_env=False,
            follow_redirects=False,
            timeout=SECONDS,
        )

    async def refuse(self, errand: Errand, where: str, reason: str) -> None:
        """Writes down that nothing was sent: it was meant for what is no address that a request can be made to."""
        row_id = await self.ledger.begin(_entry(errand, where))
        await self.ledger.end(errand.account_id, row_id, "withheld", reason)

    async def by_browser(self, errand: Errand, where: str) -> UUID:
        """Writes down what a browser is sent with, to this origin. How it ends, we hear only where it comes back."""
        return await self.ledger.begin(_entry(errand, _origin(where)))

    async def allowed(self, errand: Errand, url: httpx.URL) -> list[str] | None:
        """The addresses to connect to, or None for a named recipient. Raises Withheld."""
        if errand.basis not in get_args(Basis):
            raise Withheld("basis")
        if url.userinfo:
            raise Withheld("userinfo")
        if errand.to is not None:
            self._check_named(errand, errand.to, url)
            if errand.account_id and (reason := await self.guard(errand.account_id, errand.to)):
                raise Withheld(reason)
            return None
        if errand.account_id is None:
            raise Withheld("unknown_recipient")
        if url.scheme not in ("https", "http"):
            raise Withheld("scheme")
        port = url.port or (443 if url.scheme == "https" else 80)
        if port < LEAST_PORT and port not in (
            80,
            443,
        ):  # 25, 22, 111, …: whoever listens there expects other words
            raise Withheld("port")
        found = await look_up(url.host, port)
        if not all(is_public(one) or (self.inside and is_inside(one)) for one in found):
            raise Withheld("address")
        if url.scheme == "http" and not (self.inside and all(one.is_loopback for one in found)):
            raise Withheld("scheme")
        return [str(one) for one in found]

    def _check_named(self, errand: Errand, name: str, url: httpx.URL) -> None:
        if name not in REGISTER or REGISTER[name].basis != errand.basis:
            raise Withheld("unknown_recipient")
        if _origin(str(url)) != _origin(self.bases[name]):
            raise Withheld("elsewhere")
        if name in self.begins and now() < self.begins[name]:
            raise Withheld("not_begun")


async def look_up(host: str, port: int) -> list[Address]:
    """Every address of a host, once. Raises Withheld when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Withheld("unknown_host") from None
    addresses = [read_address(str(one[4][0])) for one in found]
    known = list(dict.fromkeys(one for one in addresses if one is not None))
    if not known or len(known) != len(set(addresses)):
        raise Withheld("unknown_host")
    return known


class _Way(httpx.AsyncBaseTransport):
    """One errand's transport: a connection of its own for each request, closed behind it."""

    def __init__(self, gate: HttpGate, errand: Errand, ledger: Writes) -> None:
        self._gate, self._errand, self._ledger = gate, errand, ledger

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        errand, ledger = self._errand, self._ledger
        try:
            row_id = await ledger.begin(_entry(errand, _origin(str(request.url))))
        except NoPermission:
            raise Withheld("permission") from None
        outcome: Outcome = "unreachable"
        reason = "stopped"
        try:
            async with asyncio.timeout(SECONDS):
                pinned = await self._gate.allowed(errand, request.url)
                answer = await _exchange(request, pinned, self._gate.trust())
            outcome, reason = ("taken" if answer.status_code < 400 else "refused"), str(answer.status_code)
            return answer
        except Withheld as error:
            outcome, reason = "withheld", error.reason
            raise
        except TooMuch:
            outcome, reason = "taken", "too_much"
            raise
        except (TimeoutError, httpcore.TimeoutException) as error:
            reason = "too_slow"
            raise httpx.ReadTimeout("too slow", request=request) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            reason = "network"
            raise httpx.ConnectError("not reached", request=request) from error
        finally:
            await asyncio.shield(ledger.end(errand.account_id, row_id, outcome, reason))


async def _exchange(
    request: httpx.Request, pinned: list[str] | None, trust: ssl.SSLContext
) -> httpx.Response:
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"]
    url = request.url
    backend = httpcore.AnyIOBackend()
    async with httpcore.AsyncConnectionPool(
        ssl_context=trust, network_backend=_Pinned(backend, pinned) if pinned else backend
    ) as pool:
        answer = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=[*headers, (b"Accept-Encoding", b"identity")],
                content=request.stream,
                extensions=request.extensions,
            )
        )
        body = await _read(answer)
    # What was sent in pieces is whole now.
    kept = [(name, value) for name, value in answer.headers if name.lower() != b"transfer-encoding"]
    return httpx.Response(answer.status, headers=kept, content=body, request=request)


async def _read(answer: httpcore.Response) -> bytes:
    try:
        if any(
            name.lower() == b"content-encoding" and value.lower() != b"identity"
            for name, value in answer.headers
        ):
            raise TooMuch("packed")
        parts, size = [], 0
        async for part in answer.aiter_stream():
            size += len(part)
            if size > MOST_BYTES:
                raise TooMuch("too large")
            parts.append(part)
        return b"".join(parts)
    finally:
        await answer.aclose()


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, whatever the name says by now. The certificate is the name's still."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, addresses: list[str]) -> None:
        self._inner, self._addresses = inner, addresses

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._addresses[:3]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


def _entry(errand: Errand, where: str) -> Entry:
    return Entry(
        errand.account_id, "http", where, errand.subject_kind, errand.subject_id, errand.basis, errand.instruction,
        errand.fields, errand.to, errand.permission_id,
    )  # fmt: skip


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"
