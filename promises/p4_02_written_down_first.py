"""We sell, rent and give away nothing. Companies of the same owner are treated as anyone else. What leaves is written into a ledger before it goes: receiver, reason and kinds of data."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx

from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.channels.email import imap, poll
from chatinbox.core.clock import now, travel
from chatinbox.core.egress import Asked, Egress, Errand, Unreachable, committed
from chatinbox.core.egress import ledger as ledger_
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.ids import new_id
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.book import LEFT, Left
from promises.ears import GATES, SOURCE, heard
from promises.means import follow_each, forge_each, forget_heads
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C33",)
WAYS = re.compile(
    r"httpx\.(AsyncClient|Client|get|post)\(|urllib\.request|\brequests\.(get|post|request|Session)\(|http\.client|aiosmtplib|smtplib|imaplib\.IMAP4"
    r"|socket\.create_connection|asyncio\.open_connection|getaddrinfo\(|subprocess\.(run|Popen)|create_subprocess|dns\.(async)?(resolver|query)"
)


def look_at_every_row(here: Here) -> str:
    """Every row of the ledger has a receiver, a reason and the kinds of data; no code but the gates opens a way out"""
    bare = here.column(
        "select count(*) from tenant.ledger where recipient_sealed is null or basis = '' or cardinality(fields) = 0 or instruction = ''"
    )[0]
    assert bare == 0, f"{bare} rows do not say who, why or what"
    files = [file for file in SOURCE.rglob("*.py") if "tests" not in file.parts]
    others = [str(file.relative_to(SOURCE)) for file in files if WAYS.search(file.read_text())]
    beside = sorted(set(others) - GATES)
    assert not beside, f"a way out beside the gates: {', '.join(beside)}"
    return f"{len(files)} files looked through, no way out beside the gates; each row of a ledger says who, why and what."


async def proof_that_the_row_is_there_first(stage: Stage) -> str:
    """A letter, a request and a look into a mailbox left: at each connection its row was in the ledger already, and the account reads it"""
    ada, cyd = await stage.two_businesses()
    at: list[tuple[int, bool]] = []

    def ear(event: str, words: Any) -> None:
        if event == "socket.connect" and isinstance(words[1], tuple):
            begun = stage.column("select count(*) from tenant.ledger where outcome = 'begun'")[0]
            at.append((words[1][1], begun > 0))

    async with _listening() as port:
        with heard(ear):
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


def look_at_the_chains(here: Here) -> str:
    """What each account's ledger says was written follows row on row, and leads where its newest signed head says"""
    return f"{follow_each(here, LEFT)} ledgers of what left lead where their heads say."


async def proof_that_a_forged_row_is_noticed(stage: Stage) -> str:
    """An intruder changes, takes out, puts in and moves rows of what left, cuts the end off and puts an older copy in place: each is noticed, an erasure is not blamed"""
    inst = stage.inst
    ada, cyd = await stage.two_businesses()
    casey = await stage.people.say(ada, "A customer writes")
    asked = Asked("act", ada.staff_user_id)
    about = replace(a_letter(ada), subject_kind="customer", subject_id=casey.customer_id, asked=asked)
    for letter in (about, a_letter(ada), a_letter(ada), a_letter(cyd)):
        await inst.egress.mail(letter)
    read = read_head(json.dumps(await newest_head(inst, LEFT, ada.account_id)))
    given = [(read.head, read.signed)]
    erasure_id = await ask_erasure(inst, ada, casey.customer_id, "Casey Customer")
    with travel(UNDO):
        assert await erase(inst, ada.account_id, erasure_id), "it was not done"
    whole = await verify(inst, LEFT, ada.account_id, given)
    assert whole.faults == [] and whole.rows >= 3, f"an erasure is blamed: {whole.faults}"
    ways = _forgeries(f"account_id = '{ada.account_id}'")
    tables = ("ledger", "ledger_link", "ledger_head")
    await forge_each(stage, LEFT, ada.account_id, cyd.account_id, given, tables, ways)
    return f"{len(ways)} ways to forge what left, each noticed; the erasure of one customer was not."


def _forgeries(theirs: str) -> dict[str, list[str]]:
    second = f"id = (select id from tenant.ledger where {theirs} order by id offset 1 limit 1)"
    move = "update tenant.ledger_link set number = {} where {} and number = {}"
    copied = "gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, at, outcome, asked_by, asked_id"
    hidden = copied.removeprefix("gate, ")
    return {
        "changed": [f"update tenant.ledger set instruction = 'another' where {second}"],
        "said to have ended otherwise": [f"update tenant.ledger set outcome = 'withheld' where {second}"],
        "taken out": [f"delete from tenant.ledger where {second}"],
        "taken out of ledger and chain": [
            f"delete from tenant.ledger_link where row_id = (select id from tenant.ledger where {second})",
            f"delete from tenant.ledger where {second}",
        ],
        "put in": [
            f"insert into tenant.ledger (account_id, id, {copied}) select account_id, gen_random_uuid(), {copied}"
            f" from tenant.ledger where {second}"
        ],
        "put in as if an order had hidden it since before there was a chain": [
            f"insert into tenant.ledger (account_id, id, {hidden}, gate, shown_from) select account_id, gen_random_uuid(), {hidden},"
            f" 'desk', now() - interval '1 hour' from tenant.ledger where {second}",
            "insert into tenant.ledger_waiting (account_id, id, row_id, part, shown_from) select account_id, id, id, 'earlier', shown_from"
            f" from tenant.ledger where {theirs} and gate = 'desk'",
        ],
        "moved": [move.format(to, theirs, number) for number, to in ((2, 99), (3, 2), (99, 3))],
        "cut off": [f"delete from tenant.ledger_link where {theirs} and number > 3"],
        "put back to an older copy": [
            f"delete from tenant.ledger where {theirs} and id in (select row_id from tenant.ledger_link where {theirs} and number > 2)",
            f"delete from tenant.ledger_link where {theirs} and number > 2",
            f"delete from tenant.ledger_head where {theirs}",
        ],
    }


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


async def saboteur_chains_nothing_of_a_row(stage: Stage) -> None:
    """Lets a row commit to nothing of what it says"""
    for place in (committed, ledger_):
        stage.swap(place, "begun", lambda *_: bytes(32))
        stage.swap(place, "ended", lambda *_: bytes(32))


async def saboteur_overlooks_what_was_put_in(stage: Stage) -> None:
    """Looks only at what the chain knows"""

    async def nothing(*_: Any) -> None: ...

    stage.swap(Left, "look_beside", nothing)


async def saboteur_signs_no_heads(stage: Stage) -> None:
    """Takes whatever the end of the chain is for its end"""
    forget_heads(stage)


async def saboteur_takes_a_row_out(stage: Stage) -> None:
    """Takes the last of what left out of a chain before anybody looks"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    for _ in range(2):
        await stage.inst.egress.mail(a_letter(ada))
    await keep_up(stage.inst, LEFT, ada.account_id)
    stage.break_in("delete from tenant.ledger_link where number = 4")


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
