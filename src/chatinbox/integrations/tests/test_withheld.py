"""Where a program of an account may never lead: each try is withheld, with one row in the ledger, and nothing is connected to."""

import asyncio
import socket
from typing import Any

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.tests.programs import Program, connected, happen, listening, near

PLACES = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
    "https://localhost/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:169.254.169.254]/",
    "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://10.0.0.1/",
    "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://0.0.0.0/", "https://[::]/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://8.8.8.8:25/", "https://8.8.8.8:22/",
    "http://8.8.8.8/", "https://no-such-host.invalid/", "file:///etc/passwd", "gopher://8.8.8.8/", "ftp://8.8.8.8/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "https://unix:/",
]  # fmt: skip


async def rows(inst: Installation, by: Staff) -> list[tuple[str, str | None, str]]:
    ask = "select outcome, reason, basis from ledger where account_id = %s and gate = 'http' order by id"
    [found] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [(row[0], row[1], row[2]) for row in found]


async def lead(inst: Installation, by: Staff, program: Program, to: str) -> Any:
    """Connects a program and has it lead elsewhere, as whoever writes to the database could."""
    made = await connected(near(inst), by, program, events=["message.received"])
    key = await inst.vault.account_key(by.account_id)
    sealed = key.seal(to, by.account_id, "connection", "target", made.id)
    change = "update connection set target_sealed = %s where account_id = %s and id = %s"
    await inst.db.run(by.account_id, (change, [sealed, by.account_id, made.id]))
    return made


@pytest.mark.parametrize("place", PLACES)
async def test_it_is_withheld_and_the_ledger_says_so_once(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, program: Program, place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connects: list[object] = []
    loop = asyncio.get_running_loop()
    real = loop.sock_connect

    async def sock_connect(sock: socket.socket, where: Any) -> None:
        connects.append(where)
        await real(sock, where)

    made = await lead(inst, ada, program, place)
    await say(ada)
    monkeypatch.setattr(loop, "sock_connect", sock_connect, raising=False)
    await happen(inst, ada)
    [(outcome, reason, basis)] = await rows(inst, ada)
    assert (outcome, basis) == ("withheld", "integration") and reason
    assert connects == [] and program.heard == [] and await rows(inst, cyd) == []
    assert (await read_connection(inst, ada.account_id, made.id)).state == "failing"


async def test_a_name_that_leads_elsewhere_the_second_time_leads_where_it_was_judged(
    inst: Installation, ada: Staff, say: Say, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(program.url.split(":")[2].partition("/")[0])
    loop, asked = asyncio.get_running_loop(), list[str]()
    real = loop.getaddrinfo

    async def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebind.test":
            return await real(host, *rest, **more)
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port))]

    await lead(inst, ada, program, f"http://rebind.test:{port}/")
    await say(ada)
    monkeypatch.setattr(loop, "getaddrinfo", rebinding, raising=False)
    await happen(near(inst), ada)
    assert asked == ["rebind.test"] and program.kinds == ["message.received"]


async def test_a_redirect_is_not_followed_wherever_it_leads(
    inst: Installation, ada: Staff, say: Say, program: Program
) -> None:
    async with listening() as inside:
        program.says = (
            f"HTTP/1.1 307 Elsewhere\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await lead(inst, ada, program, program.url)
        await say(ada)
        await happen(near(inst), ada)
        assert inside.heard == [] and len(program.heard) == 1
    assert await rows(inst, ada) == [("taken", "307", "integration")]
