"""We sell, rent and give away nothing. Companies of the same owner are treated as anyone else. What leaves is written into a ledger before it goes: receiver, reason and kinds of data."""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.channels.email import imap, poll
from chatinbox.core.clock import now
from chatinbox.core.egress import Egress, Errand, Unreachable
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.ids import new_id
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C33",)
SOURCE = Path(__file__).resolve().parents[1] / "src" / "chatinbox"
WAYS = re.compile(
    r"httpx\.(AsyncClient|Client|get|post)\(|urllib\.request|\brequests\.(get|post|request|Session)\(|http\.client|aiosmtplib|smtplib|imaplib\.IMAP4"
    r"|socket\.create_connection|asyncio\.open_connection|getaddrinfo\(|subprocess\.(run|Popen)|create_subprocess|dns\.(async)?(resolver|query)"
)
MAY = {
    # The gates, and what a gate gave addresses to.
    "core/egress/__init__.py", "core/egress/http.py", "core/egress/mail.py", "core/egress/names.py",
    "channels/email/imap.py", "channels/email/mailbox.py",
    # This machine: whether the own door answers, the database's programs, and proofs beside the server.
    "web/site/status.py", "app/database_programs.py", "core/postgres/binaries.py", "core/postgres/launch.py", "app/proving.py",
    "app/backup/copy.py", "app/backup/restore.py",
}  # fmt: skip
"""Where something may leave."""
_ears: list[Callable[[str, Any], None]] = []


def look_at_every_row(here: Here) -> str:
    """Every row of the ledger has a receiver, a reason and the kinds of data; no code but the gates opens a way out"""
    bare = here.column(
        "select count(*) from tenant.ledger where recipient_sealed is null or basis = '' or cardinality(fields) = 0 or instruction = ''"
    )[0]
    assert bare == 0, f"{bare} rows do not say who, why or what"
    files = [file for file in SOURCE.rglob("*.py") if "tests" not in file.parts]
    others = [str(file.relative_to(SOURCE)) for file in files if WAYS.search(file.read_text())]
    beside = sorted(set(others) - MAY)
    assert not beside, f"a way out beside the gates: {', '.join(beside)}"
    return f"{len(files)} files looked through, no way out beside the gates; each row of a ledger says who, why and what."


async def proof_that_the_row_is_there_first(stage: Stage) -> str:
    """A letter, a request and a look into a mailbox left: at each connection its row was in the ledger already, and the account reads it"""
    ada, cyd = await stage.two_businesses()
    at: list[tuple[int, bool]] = []

    def heard(event: str, words: Any) -> None:
        if event == "socket.connect" and isinstance(words[1], tuple):
            begun = stage.column("select count(*) from tenant.ledger where outcome = 'begun'")[0]
            at.append((words[1][1], begun > 0))

    async with _listening() as port:
        with _heard(heard):
            await _letter(stage, ada, port)
            await _request(stage, ada, port)
            await _mailbox(stage, ada, port)
            await stage.people.say(ada, "A customer writes")
            await stage.settle()
    assert len(at) >= 3, "nothing left, so this shows nothing"
    early = [port for port, begun in at if not begun]
    assert not early, f"{len(early)} connections were made without a row in the ledger"
    rows = stage.rows("select gate, basis, outcome from tenant.ledger order by id")
    assert {gate for gate, _, _ in rows} == {"mail", "http", "mailbox"}, f"the ledger has {rows}"
    page, other = [(await (await stage.browser(one)).get("/settings/ledger")).text for one in (ada, cyd)]
    assert page.count("127.0.0.1") >= 2, "the account cannot read what left"
    assert "127.0.0.1" not in other, "a neighbour reads what left"
    return f"{len(at)} connections, each with its row in the ledger before."


@asynccontextmanager
async def _listening() -> AsyncIterator[int]:
    """Somebody who answers everything with words that no protocol knows."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        with suppress(OSError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _egress(stage: Stage, smtp: str | None) -> Egress:
    return Egress(stage.inst.db, stage.vault, smtp, inside=True)


async def _letter(stage: Stage, staff: Staff, port: int) -> None:
    letter = a_letter(staff)
    with suppress(Unreachable):
        await _egress(stage, f"smtp://127.0.0.1:{port}").mail(letter)


async def _request(stage: Stage, staff: Staff, port: int) -> None:
    errand = Errand(staff.account_id, None, "integration", "a proof", ("nothing",))
    async with _egress(stage, None).client(errand) as client:
        with suppress(httpx.HTTPError):
            await client.get(f"http://127.0.0.1:{port}/")


async def _mailbox(stage: Stage, staff: Staff, port: int) -> None:
    inst = replace(stage.inst, egress=_egress(stage, None))
    box: Any = {"host": "127.0.0.1", "port": port, "user": "u", "password": "p", "tls": "none"}
    with suppress(Exception):
        async with poll.reached(inst, staff.account_id, box) as addresses:
            await asyncio.to_thread(imap.look, box, addresses, None, 0, now(), 0, 2)


def _tell_ears(event: str, words: Any) -> None:
    for ear in _ears:
        ear(event, words)


class _heard:  # noqa: N801
    """While it lasts, an ear for what this process does (PEP 578). The hook itself cannot be taken out again."""

    installed = False

    def __init__(self, ear: Callable[[str, Any], None]) -> None:
        self._ear = ear

    def __enter__(self) -> None:
        if not _heard.installed:
            _heard.installed = True
            sys.addaudithook(_tell_ears)
        _ears.append(self._ear)

    def __exit__(self, *_: object) -> None:
        _ears.remove(self._ear)


async def saboteur_writes_afterwards(stage: Stage) -> None:
    """Writes the row when everything is over"""
    known = (Ledger.begin, Ledger.end)
    late: dict[Any, Any] = {}

    async def begin(_ledger: Ledger, entry: Any) -> Any:
        row_id = new_id()
        late[row_id] = entry
        return row_id

    async def end(ledger: Ledger, account_id: Any, row_id: Any, *how: Any) -> None:
        await known[1](ledger, account_id, await known[0](ledger, late[row_id]), *how)

    stage.swap(Ledger, "begin", begin)
    stage.swap(Ledger, "end", end)


async def saboteur_goes_beside(stage: Stage) -> None:
    """Asks somebody about each customer, beside the gates"""
    known = vars(worker)["record_deeds"]

    async def curious(*given: Any) -> None:
        with suppress(OSError):
            await asyncio.to_thread(socket.create_connection, ("127.0.0.1", 9), 1)
        await known(*given)

    stage.swap(worker, "record_deeds", curious)
    stage.swap(worker, "HEARD", ["message.received"])


async def saboteur_leaves_the_receiver_out(stage: Stage) -> None:
    """Writes down that something left, and not what"""
    known = Ledger.begin

    async def begin(ledger: Ledger, entry: Any) -> Any:
        return await known(ledger, replace(entry, fields=()))

    stage.swap(Ledger, "begin", begin)
    ada = await stage.people.owner("Eve", "Eve's Eggs")
    await stage.inst.egress.mail(a_letter(ada))
