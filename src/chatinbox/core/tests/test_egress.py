"""What leaves by HTTP: a ledger row before the bytes, public addresses only, nothing followed, nothing endless."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from psycopg import errors

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now, travel
from chatinbox.core.db import Database
from chatinbox.core.egress import Declined, Egress, Errand, Letter, TooMuch, Withheld
from chatinbox.core.egress.addresses import is_inside, is_public
from chatinbox.core.egress.http import look_up
from chatinbox.core.installation import Installation

Answer = Callable[[bytes], bytes]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """A real server on loopback that keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.says: list[bytes] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.before:
            await self.before()
        self.seen.append(head)
        writer.write(self.says.pop(0) if self.says else OK)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    kept = Server()
    listening = await asyncio.start_server(kept.serve, "127.0.0.1", 0)
    kept.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield kept
    listening.close()


def errand(by: Staff, to: str | None = None, basis: Any = "integration") -> Errand:
    return Errand(by.account_id, to, basis, "a test", ("nothing",))


async def ledger(inst: Installation, by: Staff) -> list[tuple[str, str | None]]:
    ask = "select outcome, reason from ledger where account_id = %s and gate = 'http' order by id"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [(row[0], row[1]) for row in rows]


def opened(inst: Installation, inside: bool = True) -> Egress:
    return Egress(inst.db, inst.vault, None, inside=inside)


async def test_the_ledger_has_the_row_before_the_first_byte_arrives(
    inst: Installation, ada: Staff, cyd: Staff, server: Server
) -> None:
    then: list[tuple[str, str | None]] = []

    async def look() -> None:
        then.extend(await ledger(inst, ada))

    server.before = look
    async with opened(inst).client(errand(ada)) as client:
        answer = await client.get(f"{server.url}/path?secret=1")
    assert (answer.status_code, answer.text) == (200, "hi")
    assert then == [("begun", None)]
    assert await ledger(inst, ada) == [("taken", "200")]
    assert await ledger(inst, cyd) == []
    ask = "select id, recipient_sealed from ledger where account_id = %s and gate = 'http'"
    [[(row_id, sealed)]] = await inst.db.run(ada.account_id, (ask, [ada.account_id]))
    key = await inst.vault.account_key(ada.account_id)
    assert key.open_text(sealed, ada.account_id, "ledger", "recipient", row_id) == server.url


async def test_without_a_ledger_nothing_leaves(
    inst: Installation, ada: Staff, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(Database, "run", broken)
    with pytest.raises(OSError, match="away"):
        async with opened(inst).client(errand(ada)) as client:
            await client.get(server.url)
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://localhost/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://169.254.169.254/",
        "https://10.0.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://0.0.0.0/", "https://[::]/",
        "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "http://8.8.8.8/", "https://me:pass@8.8.8.8/", "https://no-such-host.invalid/", "https://8.8.8.8:25/",
        "https://8.8.8.8:22/", "https://127.0.0.1:0/",
    ],
)  # fmt: skip
async def test_what_is_not_public_is_withheld_and_the_ledger_says_so(
    inst: Installation, ada: Staff, url: str
) -> None:
    with pytest.raises(Withheld):
        async with opened(inst, inside=False).client(errand(ada)) as client:
            await client.get(url)
    assert [row[0] for row in await ledger(inst, ada)] == ["withheld"]


async def test_an_operator_may_open_their_own_network_but_never_link_local(
    inst: Installation, ada: Staff
) -> None:
    for url in ("https://169.254.169.254/", "https://[fe80::1]/", "http://10.0.0.1/"):
        with pytest.raises(Withheld):
            async with opened(inst).client(errand(ada)) as client:
                await client.get(url)


async def test_a_name_is_asked_once_and_the_connection_goes_where_it_was_judged(
    inst: Installation, ada: Staff, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    port = int(server.url.rpartition(":")[2])
    real = asyncio.get_running_loop().getaddrinfo

    async def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebind.test":
            return await real(host, *rest, **more)
        asked.append(host)
        there = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (there, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding, raising=False)
    async with opened(inst).client(errand(ada)) as client:
        assert (await client.get(f"http://rebind.test:{port}/")).status_code == 200
    assert asked == ["rebind.test"] and b"rebind.test" in server.seen[0]


async def test_one_private_address_among_public_ones_withholds_all(
    inst: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(_host: Any, port: int, **_: Any) -> Any:
        return [(socket.AF_INET, 1, 6, "", (there, port)) for there in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both, raising=False)
    with pytest.raises(Withheld) as withheld:
        async with opened(inst, inside=False).client(errand(ada)) as client:
            await client.get("https://both.test/")
    assert withheld.value.reason == "address"


async def test_redirects_are_not_followed(inst: Installation, ada: Staff, server: Server) -> None:
    server.says = [b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"]
    async with opened(inst).client(errand(ada)) as client:
        assert (await client.get(server.url)).status_code == 302
    assert len(await ledger(inst, ada)) == 1


async def test_a_library_that_follows_them_is_judged_and_recorded_at_every_hop(
    inst: Installation, ada: Staff, server: Server
) -> None:
    server.says = [b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"]
    with pytest.raises(Withheld):
        async with httpx.AsyncClient(
            transport=opened(inst).transport(errand(ada)), follow_redirects=True
        ) as client:
            await client.get(server.url)
    assert await ledger(inst, ada) == [("taken", "302"), ("withheld", "address")]


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_100_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
async def test_an_answer_without_end_or_packed_is_not_read(
    inst: Installation, ada: Staff, server: Server, says: bytes
) -> None:
    server.says = [says]
    with pytest.raises(TooMuch):
        async with opened(inst).client(errand(ada)) as client:
            await client.get(server.url)
    assert await ledger(inst, ada) == [("taken", "too_much")]


async def test_who_is_slow_is_left(
    inst: Installation, ada: Staff, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatinbox.core.egress.http.SECONDS", 0.2)

    async def sleep() -> None:
        await asyncio.sleep(1)

    server.before = sleep
    with pytest.raises(httpx.TimeoutException):
        async with opened(inst).client(errand(ada)) as client:
            await client.get(server.url)
    assert await ledger(inst, ada) == [("unreachable", "too_slow")]


async def test_a_named_recipient_is_reached_where_the_operator_said_and_nowhere_else(
    inst: Installation, ada: Staff, server: Server
) -> None:
    egress = opened(inst, inside=False)
    egress.place("stripe", server.url)
    async with egress.client(errand(ada, "stripe", "subprocessor")) as client:
        assert (await client.post(f"{server.url}/v1/customers", data={"a": "b"})).status_code == 200
        with pytest.raises(Withheld):
            await client.get("https://8.8.8.8/")
    for to, basis in (("stripe", "integration"), ("somebody", "subprocessor")):
        with pytest.raises(Withheld):
            async with egress.client(errand(ada, to, basis)) as client:
                await client.get(server.url)
    with pytest.raises(KeyError):
        egress.place("somebody", server.url)
    assert [row[0] for row in await ledger(inst, ada)] == ["taken", "withheld", "withheld", "withheld"]
    assert len(server.seen) == 1


async def test_there_is_no_seventh_basis(inst: Installation, ada: Staff, server: Server) -> None:
    with pytest.raises(errors.CheckViolation):
        async with opened(inst).client(errand(ada, basis="legitimate interest")) as client:
            await client.get(server.url)
    assert server.seen == []


INNER_4 = some.sampled_from(
    ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8",
     "224.0.0.0/4", "240.0.0.0/4", "198.18.0.0/15"]
).map(ipaddress.IPv4Network)  # fmt: skip


@given(
    INNER_4,
    some.integers(0, 2**32 - 1),
    some.sampled_from(["plain", "mapped", "compatible", "nat64", "6to4", "teredo"]),
)
def test_an_inner_address_is_not_public_in_whatever_form_it_is_written(
    net: ipaddress.IPv4Network, within: int, form: str
) -> None:
    number = int(net.network_address) + within % net.num_addresses
    address: Any = {
        "plain": ipaddress.IPv4Address(number),
        "mapped": ipaddress.IPv6Address((0xFFFF << 32) | number),
        "compatible": ipaddress.IPv6Address(number),
        "nat64": ipaddress.IPv6Address((0x64FF9B << 96) | number),
        "6to4": ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        "teredo": ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    }[form]
    assert not is_public(address)


@given(some.ip_addresses(v=6))
def test_whatever_python_calls_private_is_not_public(address: Any) -> None:
    if address.is_private or address.is_link_local or address.is_multicast or address.is_reserved:
        assert not is_public(address)
    assert not (is_public(address) and is_inside(address))


@settings(max_examples=60)
@given(some.integers(0x7F000000, 0x7FFFFFFF), some.sampled_from(["{0}", "0x{0:x}", "0{0:o}", "{1}.{2}"]))
async def test_loopback_written_as_one_number_is_seen_through(number: int, form: str) -> None:
    written = form.format(number, number >> 24, number & 0xFFFFFF)
    try:
        found = await look_up(written, 443)
    except Withheld:
        return
    assert not any(is_public(one) for one in found)


async def test_a_named_recipient_gets_nothing_before_the_day_that_was_announced(
    inst: Installation, ada: Staff, server: Server
) -> None:
    way = opened(inst)
    way.place("stripe", server.url)
    way.begin("stripe", now() + timedelta(days=3))
    with pytest.raises(Withheld, match="not_begun"):
        await way.client(errand(ada, "stripe", "subprocessor")).get(server.url)
    assert server.seen == [] and await ledger(inst, ada) == [("withheld", "not_begun")]
    with travel(timedelta(days=3)):
        await way.client(errand(ada, "stripe", "subprocessor")).get(server.url)
    assert len(server.seen) == 1


async def test_a_mailbox_that_a_server_has_no_letters_for_is_refused_and_breaks_nothing(
    inst: Installation, ada: Staff
) -> None:
    """Not every server takes addresses outside ASCII (RFC 6531); a failure of another kind would be tried for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while await reader.readline():
            writer.write(b"250 yes\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    sent = Letter(
        ada.account_id, "account", ada.account_id, "", ("jörg@mail.example",), b"x", "service", "a test", ("link",)
    )  # fmt: skip
    async with server:
        with pytest.raises(Declined):
            await Egress(inst.db, inst.vault, url).mail(sent)
    [rows] = await inst.db.run(
        ada.account_id,
        ("select outcome from ledger where account_id = %s and gate = 'mail'", [ada.account_id]),
    )
    assert rows == [("refused",)]
