"""Two runs of the same day: once with the neighbours at work, once without. Ada must not be able to tell which it was.

The strongest form of the wall between accounts: not that one door is closed, but that nothing whatever differs (H1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.app import worker
from chatinbox.app.tests.chance import without_chance
from chatinbox.app.wiring import App, build
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.send import send
from chatinbox.channels.email.tests.letters import address_of, channel_of
from chatinbox.conftest import Browser, People
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.ask import ask_erasure

DOORS = (
    "/api/list?view=all", "/api/list?view=todo", "/api/list?view=spam", "/api/sync?after=0", "/api/held",
    "/api/search?q=hello", "/api/search?q=apricots", "/api/search?q=frida", "/api/search?q=%231",
    "/settings/data", "/settings/ledger", "/settings/erasures", "/settings/channels", "/settings/people", "/settings/workspace",
    "/reports/work", "/inbox",
)  # fmt: skip

writers = st.sampled_from(["frida@mail.example", "karl@mail.example", "info@mail.example"])
words = st.sampled_from(["hello", "apricots", "card 4242 4242 4242 4242", "ü — ß", "=1+1"])


@dataclass(frozen=True)
class Act:
    """One thing that happens: to Ada's account, or to a neighbour's."""

    neighbour: bool
    what: str
    writer: str
    words: str
    message_id: int


acts = st.lists(
    st.builds(
        Act,
        st.booleans(),
        st.sampled_from(["write", "letter", "letter", "reply", "note", "tag", "assign", "done", "spam", "team", "broken", "erase", "deliver"]),
        writers,
        words,
        st.integers(0, 3),
    ),
    min_size=3,
    max_size=16,
)  # fmt: skip


class Day:
    """One run of a day on fresh accounts."""

    def __init__(self, inst: Installation, app: App) -> None:
        self._inst, self._app, self._people = inst, app, People(inst)

    async def seen(self, script: list[Act], neighbours: bool) -> list[str]:
        """Everything Ada can see at its end, without what is random in each run."""
        inst = self._inst
        ada, cyd = await self._people.owner("Ada", "Ada's Tea"), await self._people.owner("Cyd", "Cyd's")
        for act in script:
            if not act.neighbour or neighbours:
                await self._do(cyd if act.neighbour else ada, act)
        while await inst.outbox.pump():
            pass
        told = await self._look(ada)
        told += [
            f"{letter.recipients} {letter.subject} {letter.text}" for letter in await list_kept(inst, ada)
        ]
        return [without_chance(one, "ada-s-tea") for one in told]

    async def _do(self, staff: Staff, act: Act) -> None:
        inst, by = self._inst, staff
        rows = (await read_list(inst, by, "all")).rows
        body = Body(text=act.words)
        try:
            if act.what == "write":
                await self._people.say(by, act.words, act.writer)
            elif act.what in ("letter", "broken"):
                await self._letter(by, act)
            elif act.what == "tag":
                made = await verbs.create_tag(inst, by, act.words[:9])
                if rows:
                    await verbs.tag(inst, by, rows[0].id, made.id)
            elif act.what == "team":
                await create_team(inst, by, act.words[:9])
            elif act.what == "deliver":
                [waiting] = await inst.db.run(
                    by.account_id,
                    ("select id from delivery where account_id = %s order by id", [by.account_id]),
                )
                for (delivery_id,) in waiting:
                    await send(inst, by.account_id, delivery_id)
            elif rows:
                await self._on(by, rows[0], act, body)
        except Refused:
            pass  # what Ada is told then is one of the things that must not differ; the doors below show the state

    async def _on(self, by: Staff, row: Any, act: Act, body: Body) -> None:
        inst = self._inst
        if act.what == "reply":
            await verbs.reply(inst, by, row.id, new_id(), body, seen_position=99)
        elif act.what == "note":
            await verbs.add_note(inst, by, row.id, new_id(), body)
        elif act.what == "assign":
            await verbs.assign(inst, by, row.id, by.staff_user_id)
        elif act.what == "done":
            await verbs.set_status(inst, by, row.id, "done")
        elif act.what == "spam":
            await verbs.mark_spam(inst, by, row.id, True)
        elif act.what == "erase":
            await ask_erasure(inst, by, row.customer.id, row.customer.name)

    async def _letter(self, by: Staff, act: Act) -> None:
        letter = EmailMessage()
        letter["From"] = "" if act.what == "broken" else f"Somebody <{act.writer}>"
        letter["Message-ID"] = f"<shared{act.message_id}@mail.example>"
        letter["References"] = f"<shared{(act.message_id + 1) % 4}@mail.example>"
        letter["Subject"] = "Order 7"
        letter.set_content(act.words)
        channel_id, address = await channel_of(self._inst, by), await address_of(self._inst, by)
        raw = letter.as_bytes().replace(b"From: \n", b"")
        await place(self._inst, await store(self._inst, by.account_id, channel_id, raw, act.writer, address))

    async def _look(self, ada: Staff) -> list[str]:
        browser = await Browser(self._inst, self._app).as_(ada)
        try:
            doors = list(DOORS)
            listed = (await browser.get("/api/list?view=all")).json()
            for row in listed["rows"]:
                doors += [f"/api/conversations/{row['id']}", f"/api/customers/{row['customer']['id']}"]
            told = []
            for door in doors:
                answer = await browser.get(door)
                assert answer.status_code == 200, (door, answer.status_code)
                heads = {name: value for name, value in answer.headers.items() if name != "date"}
                told.append(f"{door} {answer.status_code} {sorted(heads.items())} {answer.text}")
            return told
        finally:
            await browser.aclose()


@pytest.fixture
async def house(listening: Installation) -> Day:
    """Where days are played: an installation whose worker hears everything."""
    worker.prepare(listening)
    return Day(listening, await build(listening))


async def _compare(day: Day, script: list[Act]) -> None:
    quiet, busy = await day.seen(script, neighbours=False), await day.seen(script, neighbours=True)
    assert len(quiet) == len(busy)
    for one, other in zip(quiet, busy, strict=True):
        assert one == other
    assert any("apricots" in one for one in quiet) or not any(
        act.words == "apricots" and not act.neighbour and act.what in ("write", "letter") for act in script
    )


@settings(max_examples=6)
@given(acts)
async def test_ada_cannot_tell_whether_the_neighbours_were_at_work(house: Day, script: list[Act]) -> None:
    await _compare(house, script)


@pytest.mark.long
@settings(max_examples=200)
@given(acts)
async def test_ada_cannot_tell_in_two_hundred_days(house: Day, script: list[Act]) -> None:
    await _compare(house, script)


async def test_a_number_counted_over_all_accounts_would_be_seen(
    house: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison itself can fail."""
    known: Callable[..., Any] = Day._do
    count = 0

    async def counting(self: Day, staff: Staff, act: Act) -> None:
        nonlocal count
        count += 1
        await known(
            self, staff, Act(act.neighbour, act.what, act.writer, f"{act.words} {count}", act.message_id)
        )

    monkeypatch.setattr(Day, "_do", counting)
    script = [Act(True, "write", "a@mail.example", "x", 0), Act(False, "write", "b@mail.example", "x", 0)]
    with pytest.raises(AssertionError):
        await _compare(house, script)
