"""Questions to a name server (DNS, RFC 1035), asked to find out what a domain says about its letters.

A question discloses a domain to whoever answers it, so the operator says whom to ask: the resolver of the machine, another,
or nobody. No ledger row is written: nothing of an account is in it, and the caller sees to it that no person's address is. An
`Inquiry` is one matter with a bounded number of questions. A server that does not even answer for the root is left alone for a
minute, so that it costs one letter a few seconds and not every letter; one that waits for a slow domain is not.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import structlog
from dns.asyncbackend import get_default_backend as get_backend

log = structlog.get_logger()
SECONDS_A_QUESTION = 2.0
MOST_QUESTIONS = 40
REST_SECONDS = 60.0
MOST_REMEMBERED = 2_000

Kind: TypeAlias = Literal["TXT", "A", "AAAA", "MX", "PTR"]


class NotAnswered(Exception):
    """Nobody answered, or nobody may be asked; whether there is such a name is not known."""


class Names:
    """Where questions go: `system`, `off`, or addresses with or without a port, such as `127.0.0.1:5353, 192.0.2.1`."""

    def __init__(self, ask: str = "off", clock: Callable[[], float] = time.monotonic) -> None:
        self._resolver = _resolver(ask)
        self._clock, self._silent_until = clock, 0.0

    @property
    def is_on(self) -> bool:
        """Whether anybody can be asked just now."""
        return self._resolver is not None and self._clock() >= self._silent_until

    def inquiry(self) -> "Inquiry":
        """A new matter."""
        return Inquiry(self)

    async def ask(self, name: str, kind: Kind) -> list[bytes]:
        """Everything that is known under a name; nothing when there is no such name. Raises NotAnswered."""
        if self._resolver is None or not self.is_on:
            raise NotAnswered
        try:
            answer = await self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return []
        except dns.resolver.LifetimeTimeout:
            await self._rest_if_silent()
            raise NotAnswered from None
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, UnicodeError, ValueError):
            return []
        except (dns.exception.DNSException, OSError):
            raise NotAnswered from None
        return [_plain(one, kind) for one in answer.rrset or ()]

    async def _rest_if_silent(self) -> None:
        assert self._resolver is not None
        question = dns.message.make_query(".", "NS")
        for server in self._resolver.nameservers:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                await server.async_query(question, SECONDS_A_QUESTION / 2, None, 0, False, get_backend())  # type: ignore[union-attr]
                return
        self._silent_until = self._clock() + REST_SECONDS
        log.warning("name_server_silent")


class Inquiry:
    """One matter: each question is asked once, and there are at most forty."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[tuple[str, Kind], list[bytes]] = {}

    async def ask(self, name: str, kind: Kind) -> list[bytes]:
        """As `Names.ask`. Raises NotAnswered also when there were too many questions."""
        key = (name.rstrip(".").lower(), kind)
        if key not in self._known:
            if len(self._known) >= MOST_QUESTIONS:
                raise NotAnswered
            self._known[key] = await self._names.ask(key[0], kind)
        return self._known[key]

    async def texts(self, name: str, begins: str) -> list[str]:
        """The texts of a name that begin with a mark, such as `v=spf1`."""
        found = [one.decode("ascii", "replace") for one in await self.ask(name, "TXT")]
        return [one for one in found if one[: len(begins)].lower() == begins.lower()]


def _resolver(ask: str) -> dns.asyncresolver.Resolver | None:
    if ask == "off":
        return None
    resolver = dns.asyncresolver.Resolver(configure=False)
    try:
        if ask == "system":
            resolver = dns.asyncresolver.Resolver()
        servers = resolver.nameservers if ask == "system" else ask.split(",")
        resolver.nameservers = [_server(str(one).strip()) for one in servers]
    except (dns.exception.DNSException, OSError):
        return None
    resolver.lifetime, resolver.timeout = SECONDS_A_QUESTION, SECONDS_A_QUESTION / 2
    resolver.cache = dns.resolver.LRUCache(MOST_REMEMBERED)
    return resolver


def _server(text: str) -> dns.nameserver.Nameserver:
    """One server: an address, and a port after a colon (`[::1]:53` for IPv6)."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port or 53))


def _plain(record: object, kind: Kind) -> bytes:
    """A record's value: a text joined from its pieces, an address, or a name without the dot at its end."""
    if kind == "TXT":
        return b"".join(record.strings)  # type: ignore[attr-defined]
    told = {"MX": "exchange", "PTR": "target"}.get(kind, "address")
    return str(getattr(record, told)).rstrip(".").encode("ascii", "replace")
