"""While somebody is erased, everything else goes on: in whatever order it comes, nothing is written to them after it, nothing new is
lost, and the neighbour, who knows the same person, notices nothing. Each order is of whole trips to the database.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import Arrived, store
from chatinbox.channels.email.receive import place, place_left_over
from chatinbox.channels.email.send import send
from chatinbox.channels.email.tests.letters import address_of, channel_of, letter
from chatinbox.conftest import People
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.search.index import index_ids
from chatinbox.conversations.timeline import Message, read_timeline
from chatinbox.core.clock import now, travel
from chatinbox.core.db import Database, Rows, Statement
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import find_by_email
from chatinbox.customers.bring import bring
from chatinbox.customers.source import Source
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.tests.programs import Program, connected, happen, listening, near
from chatinbox.privacy.account_export import export_account
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.tests.stored import stood
from chatinbox.web.tests.test_tenancy import rows_of

HERS = "frida@mail.example"
OLD, NEW = "Canary of old", "Words of now"
LATER = UNDO + timedelta(seconds=1)
Work = Callable[[], Awaitable[object]]
_whose: ContextVar[str | None] = ContextVar("whose", default=None)
_GONE = (
    Refused,
    Erased,
    psycopg.errors.ForeignKeyViolation,
)  # answered as not there, and nothing of it is kept
MEANWHILE = [
    "letter", "answers", "file", "draft", "note", "reply", "attach", "rename", "copy", "export", "program", "sync", "index",
]  # fmt: skip


class Turns:
    """Several pieces of work, of which one at a time makes its next trip to the database, in an order that is given."""

    def __init__(self, order: list[int]) -> None:
        self._order, self._waiting = iter(order), list[tuple[str, asyncio.Future[None]]]()
        self.made: list[tuple[str, str]] = []  # whose trip, and its statements; those that were committed

    @asynccontextmanager
    async def trip(self, text: str) -> AsyncIterator[None]:
        who = _whose.get()
        if who is None:
            yield
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((who, turn))
        await turn
        yield
        self.made.append((who, text))

    async def play(self, works: dict[str, Work]) -> dict[str, object]:
        """Everything to its end; what became of each, or what it raised."""
        tasks = {}
        for name, work in works.items():
            token = _whose.set(name)
            tasks[name] = asyncio.ensure_future(work())
            _whose.reset(token)
        while not all(task.done() for task in tasks.values()):
            await self._still(tasks)
            if self._waiting:
                names = sorted({who for who, _ in self._waiting})
                chosen = names[next(self._order, 0) % len(names)]
                at = next(n for n, (who, _) in enumerate(self._waiting) if who == chosen)
                self._waiting.pop(at)[1].set_result(None)
        return dict(zip(tasks, await asyncio.gather(*tasks.values(), return_exceptions=True), strict=True))

    async def _still(self, tasks: dict[str, asyncio.Future[object]]) -> None:
        """Until each waits for its turn, or is done; one that is busy elsewhere is not waited for long."""
        for _ in range(400):
            waiting = {who for who, _ in self._waiting}
            if all(task.done() or name in waiting for name, task in tasks.items()):
                return
            await asyncio.sleep(0.002)

    def when(self, who: str, words: str) -> int:
        """The number of the first trip of somebody that said these words."""
        return next((n for n, (name, text) in enumerate(self.made) if name == who and words in text), 10**9)


class Story:
    """An account with Frida in it, whose erasure is due; a neighbour who knows her, too; and what may happen meanwhile."""

    def __init__(self, inst: Installation, ada: Staff, program: Program) -> None:
        self.inst, self.ada, self.program = inst, ada, program

    @classmethod
    async def begun(cls, inst: Installation, program: Program) -> "Story":
        people = People(inst)
        one = cls(inst, await people.owner("Ada", "Ada's Tea"), program)
        one.cyd = await people.owner("Cyd", "Cyd's Coffee")
        await people.say(one.cyd, OLD, HERS)
        ada = one.ada
        await connected(inst, ada, program, "words", "customer_name")
        brings = await connect(inst, ada, Asked("in", "List", fields=["name", "phone"]))
        one.source = Source("sync", brings.id, now())
        first = letter(OLD, subject=OLD)
        one.first_id = str(first["Message-ID"])
        conversation_id = await place(inst, await one._stored(first))
        assert conversation_id
        one.conversation_id = conversation_id
        got = await people.say(ada, OLD, HERS)
        one.customer_id, one.ids = got.customer_id, [conversation_id, got.conversation_id, got.customer_id]
        one.answer_id = new_id()
        await verbs.reply(inst, ada, conversation_id, one.answer_id, Body(text=OLD), seen_position=99)
        await verbs.set_out(inst, ada.account_id, [one.answer_id])
        [rows] = await inst.db.run(
            ada.account_id, ("select id from message where account_id = %s", [ada.account_id])
        )
        one.messages = [row[0] for row in rows]
        one.package_id = await ask_package(inst, ada.account_id, one.customer_id, ada, "person")
        one.erasure_id = await ask_erasure(inst, ada, one.customer_id, "Frida Berg")
        one.mail = {
            "letter": await one._stored(letter(f"{NEW} letter")),
            "answers": await one._stored(letter(f"{NEW} answers", In_Reply_To=one.first_id)),
            "file": await one._stored(_with_file(letter(f"{NEW} file", In_Reply_To=one.first_id))),
        }
        return one

    cyd: Staff
    source: Source
    mail: dict[str, Arrived]
    messages: list[UUID]
    ids: list[UUID]
    first_id: str
    conversation_id: UUID
    customer_id: UUID
    answer_id: UUID
    package_id: UUID
    erasure_id: UUID

    async def _stored(self, message: Any) -> Arrived:
        at = (
            await channel_of(self.inst, self.ada),
            message.as_bytes(),
            None,
            await address_of(self.inst, self.ada),
        )
        return await store(self.inst, self.ada.account_id, *at)

    def works(self, names: set[str]) -> dict[str, Work]:
        inst, ada, talk = self.inst, self.ada, self.conversation_id
        body = Body(text=NEW)

        async def reply() -> None:
            message_id = new_id()
            await verbs.reply(inst, ada, talk, message_id, body, seen_position=99)
            await verbs.set_out(inst, ada.account_id, [message_id])
            await send(inst, ada.account_id, message_id)
            await send(inst, ada.account_id, self.answer_id)

        async def export() -> None:
            async for _ in await export_account(inst, ada):
                pass

        every: dict[str, Work] = {
            **{name: lambda mail=mail: place(inst, mail) for name, mail in self.mail.items()},
            "draft": lambda: verbs.save_draft(inst, ada, talk, "reply", body, 1),
            "note": lambda: verbs.add_note(inst, ada, talk, new_id(), body),
            "reply": reply,
            "attach": lambda: verbs.attach(inst, ada.account_id, talk, NewFile("a.txt", "text/plain", b"x")),
            "rename": lambda: verbs.rename_customer(inst, ada, self.customer_id, NEW),
            "copy": lambda: make_package(inst, ada.account_id, self.package_id),
            "export": export,
            "program": lambda: happen(inst, ada),
            "sync": lambda: bring(inst, ada.account_id, HERS, {"name": NEW, "phone": "+49 1"}, self.source),
            "index": lambda: index_ids(inst, ada.account_id, self.messages),
        }
        return {"erase": self.erased} | {name: every[name] for name in sorted(names)}

    async def erased(self) -> None:
        """As the worker does it: what breaks off is asked for again."""
        for _ in range(9):
            try:
                await erase(self.inst, self.ada.account_id, self.erasure_id)
            except (psycopg.Error, OSError):
                continue
            return
        raise AssertionError("it never came to an end")


def _with_file(message: Any) -> Any:
    message.add_attachment(b"y" * 99, maintype="text", subtype="plain", filename="b.txt")
    return message


@pytest.fixture
def turns_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[int]], Turns]]:
    """Has trips to the database take turns."""
    known, current = Database.run, list[Turns]()

    async def run(self: Database, account_id: UUID, *batch: Statement) -> list[Rows]:
        if not current:
            return await known(self, account_id, *batch)
        async with current[-1].trip(" ; ".join(text for text, _ in batch)):
            return await known(self, account_id, *batch)

    monkeypatch.setattr(Database, "run", run)

    def begin(order: list[int]) -> Turns:
        current[:] = [Turns(order)]
        return current[-1]

    yield begin
    current.clear()


together = st.sets(st.sampled_from(MEANWHILE), min_size=1, max_size=4)
orders = st.lists(st.integers(0, 4), max_size=70)


@given(together, orders)
@settings(max_examples=12, phases=[Phase.generate])
async def test_whatever_comes_meanwhile_in_whatever_order_nothing_is_written_to_them_after_it(
    inst: Installation,
    above: psycopg.Connection,
    turns_of: Callable[[list[int]], Turns],
    names: set[str],
    order: list[int],
) -> None:
    await _played(inst, above, turns_of(order), names)


@given(st.just(set(MEANWHILE)) | together, st.lists(st.integers(0, 13), max_size=300))
@settings(max_examples=300, phases=[Phase.generate])
@pytest.mark.long
async def test_whatever_comes_meanwhile_over_hundreds_of_orders(
    inst: Installation,
    above: psycopg.Connection,
    turns_of: Callable[[list[int]], Turns],
    names: set[str],
    order: list[int],
) -> None:
    await _played(inst, above, turns_of(order), names)


@pytest.mark.parametrize("name", MEANWHILE)
@pytest.mark.parametrize("before", [3, 8])
async def test_one_thing_that_is_stopped_midway_and_goes_on_after_all_of_it(
    inst: Installation,
    above: psycopg.Connection,
    turns_of: Callable[[list[int]], Turns],
    name: str,
    before: int,
) -> None:
    """It has found them, and has their key in its hand; then they are erased to the end; then it writes."""
    first = [1 if name > "erase" else 0] * before
    await _played(inst, above, turns_of(first + [0 if name > "erase" else 1] * 60), {name})


async def _played(inst: Installation, above: psycopg.Connection, turns: Turns, names: set[str]) -> None:
    async with listening() as program:
        story = await Story.begun(near(inst), program)
        neighbours = await rows_of(inst, story.cyd)
        with travel(LATER):
            became = await turns.play(story.works(names))
            for name, what in became.items():
                assert not isinstance(what, BaseException) or isinstance(what, _GONE), f"{name}: {what!r}"
            heard = len(program.heard)
            await place_left_over(story.inst, story.ada.account_id, timedelta(0))
            await happen(story.inst, story.ada)
            await story.erased()
        await _is_as_if_they_were_gone(story, above, heard)
        await _nothing_new_is_lost(story, turns, names)
        assert await rows_of(inst, story.cyd) == neighbours, "the neighbour's Frida is somebody else's"


async def _is_as_if_they_were_gone(story: Story, above: psycopg.Connection, heard: int) -> None:
    inst, ada = story.inst, story.ada
    [listed] = await list_erasures(inst, ada)
    assert listed.done_at
    with pytest.raises(Erased):
        await inst.vault.customer_key(ada.account_id, story.customer_id)
    theirs = [str(one) for one in (*story.ids, *story.messages)]
    for table, rows in stood(above, ada.account_id).items():
        for row in rows:
            if table == "tenant.connection_delivery" and row["kind"] == "customer.erased":
                continue
            assert not [one for one in theirs if one in str(row)], f"{table}: {row}"
    known = {str(row[0]) for row in await _files(story)}
    lie = {
        path.name
        for path in inst.files.path(ada.account_id, new_id()).parents[1].rglob("*")
        if path.is_file()
    }
    assert {str(UUID(hex=name)) for name in lie} <= known, "a file that no row names"
    later = [one.said for one in story.program.heard[heard:]]
    assert not [one for one in later if OLD in str(one)], "told after it was done"
    knew = [one for one in story.program.heard if str(story.customer_id) in str(one.said)]
    assert not knew or knew[-1].said["type"] == "customer.erased", (
        "whoever was told of them is told this last"
    )


async def _files(story: Story) -> list[Any]:
    account_id = story.ada.account_id
    rows = await story.inst.db.run(
        account_id,
        *(
            (f"select id from {table} where account_id = %s", [account_id])
            for table in ("attachment", "raw_mail", "package")
        ),
    )
    return [row for each in rows for row in each]


async def _nothing_new_is_lost(story: Story, turns: Turns, names: set[str]) -> None:
    """A letter that was written before it began went with them; each that came later is there once, and is somebody new's."""
    inst, ada, began = story.inst, story.ada, turns.when("erase", "set begun_at")
    there = []
    for row in (await read_list(inst, ada, "all")).rows:
        timeline = await read_timeline(inst, ada, row.id, inst.links)
        there += [one.text.strip() for one in timeline.entries if isinstance(one, Message)]
    for name in story.mail:
        was_before = name in names and turns.when(name, "message_in") < began
        assert there.count(f"{NEW} {name}") == (not was_before), (name, there)
    assert not [one for one in there if OLD in one]
    found = await find_by_email(inst, ada.account_id, HERS)
    assert found != story.customer_id and bool(found) == bool(there)
