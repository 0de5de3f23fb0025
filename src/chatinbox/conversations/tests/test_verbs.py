"""What can happen to a conversation, and who does not learn of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list, read_since
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.conversations.rows import Row
from chatinbox.conversations.search.find import find
from chatinbox.conversations.search.index import index_ids
from chatinbox.conversations.timeline import Message, Note, Timeline, read_timeline
from chatinbox.conversations.verbs.reply import Held, Replied
from chatinbox.conversations.verbs.snooze import wake_due
from chatinbox.core import clock
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def row_of(inst: Installation, staff: Staff, conversation_id: UUID) -> Row:
    return (await read_timeline(inst, staff, conversation_id, inst.links)).row


async def timeline_of(inst: Installation, staff: Staff, conversation_id: UUID) -> Timeline:
    return await read_timeline(inst, staff, conversation_id, inst.links)


async def test_a_first_message_makes_a_customer_and_a_conversation_to_do(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, "Where is my order?", subject="Order 7")
    listed = await read_list(inst, bea, "todo")
    assert [(r.id, r.number, r.subject, r.preview, r.status, r.unread) for r in listed.rows] == [
        (got.conversation_id, 1, "Order 7", "Where is my order?", "todo", True)
    ]
    assert listed.rows[0].customer.name == "Casey Customer"
    assert (await read_list(inst, cyd, "all")).rows == []


async def test_the_same_message_twice_is_stored_once(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    message_id, key = new_id(), b"k" * 16
    first = await say(ada, message_id=message_id, key=key)
    again = await say(ada, message_id=message_id, key=key)
    other_door = await say(ada, key=key)
    assert again.duplicate and other_door.duplicate
    assert first.conversation_id == again.conversation_id == other_door.conversation_id
    assert len((await timeline_of(inst, ada, first.conversation_id)).entries) == 1
    elsewhere = await say(cyd, key=key)
    assert not elsewhere.duplicate


async def test_twenty_copies_at_once_are_stored_once_and_twenty_new_mails_make_one_customer(
    inst: Installation, ada: Staff, say: Say
) -> None:
    copies = await asyncio.gather(*(say(ada, key=b"c" * 16, email="many@mail.example") for _ in range(20)))
    assert len({got.conversation_id for got in copies}) == 1 and sum(not got.duplicate for got in copies) == 1
    mails = await asyncio.gather(
        *(say(ada, str(n), email="new@mail.example") for n in range(20)), return_exceptions=True
    )
    assert len({got.customer_id for got in mails if not isinstance(got, BaseException)}) == 1
    assert not [got for got in mails if isinstance(got, BaseException)]


async def test_an_address_in_another_spelling_is_the_same_customer_but_not_in_another_account(
    ada: Staff, cyd: Staff, say: Say
) -> None:
    one = await say(ada, email="Frida@Mail.example")
    two = await say(ada, email=" frida@mail.EXAMPLE ")
    elsewhere = await say(cyd, email="Frida@Mail.example")
    assert one.customer_id == two.customer_id != elsewhere.customer_id


async def test_an_answer_waits_for_the_customer_and_is_on_its_way(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada)
    done = await verbs.reply(inst, bea, got.conversation_id, new_id(), Body(text="Soon"), seen_position=1)
    assert isinstance(done, Replied)
    row = await row_of(inst, ada, got.conversation_id)
    assert (row.status, row.preview_by, row.assignee_id, row.waiting_since) == (
        "waiting",
        "staff",
        bea.staff_user_id,
        None,
    )
    [_, answer] = (await timeline_of(inst, ada, got.conversation_id)).entries
    assert isinstance(answer, Message) and answer.state and answer.state.is_ == "waiting"


async def test_an_answer_is_held_when_something_new_stands_there_and_goes_when_asked_again(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada)
    await say(ada, "One more thing", conversation_id=got.conversation_id)
    answer = new_id()
    held = await verbs.reply(inst, bea, got.conversation_id, answer, Body(text="Soon"), seen_position=1)
    assert held == Held(1)
    assert len((await timeline_of(inst, ada, got.conversation_id)).entries) == 2
    sent = await verbs.reply(
        inst, bea, got.conversation_id, answer, Body(text="Soon"), seen_position=1, send_anyway=True
    )
    assert isinstance(sent, Replied)
    again = await verbs.reply(inst, bea, got.conversation_id, answer, Body(text="Soon"), seen_position=9)
    assert isinstance(again, Replied) and again.position == sent.position
    assert len((await timeline_of(inst, ada, got.conversation_id)).entries) == 3


async def test_an_answer_sent_again_is_the_one_that_went_whoever_wrote_in_between(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got, other, answer = await say(ada), await say(ada), new_id()
    sent = await verbs.reply(inst, bea, got.conversation_id, answer, Body(text="Soon"), seen_position=1)
    await say(ada, "One more thing", conversation_id=got.conversation_id)
    again = await verbs.reply(inst, bea, got.conversation_id, answer, Body(text="Soon"), seen_position=1)
    assert isinstance(sent, Replied) and isinstance(again, Replied) and again.position == sent.position
    for who, where in ((ada, got), (bea, other)):
        with pytest.raises(Refused) as refused:
            await verbs.reply(inst, who, where.conversation_id, answer, Body(text="Soon"), seen_position=9)
        assert refused.value.status == 404
    assert len((await timeline_of(inst, ada, other.conversation_id)).entries) == 1


async def test_a_note_sent_again_is_the_one_that_is_there_and_its_id_is_good_for_no_other(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got, other, note = await say(ada), await say(ada), new_id()
    first = await verbs.add_note(inst, bea, got.conversation_id, note, Body(text="Careful"))
    again = await verbs.add_note(inst, bea, got.conversation_id, note, Body(text="Careful"))
    assert again.position == first.position
    for who, where in ((ada, got), (bea, other)):
        with pytest.raises(Refused) as refused:
            await verbs.add_note(inst, who, where.conversation_id, note, Body(text="Careful"))
        assert refused.value.status == 404
    assert len((await timeline_of(inst, ada, got.conversation_id)).entries) == 2


async def test_of_two_answers_at_the_same_moment_one_is_held(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    for _ in range(10):
        got = await say(ada)
        both = await asyncio.gather(
            *(
                verbs.reply(inst, who, got.conversation_id, new_id(), Body(text=who.name), seen_position=1)
                for who in (ada, bea)
            )
        )
        assert sorted(type(done).__name__ for done in both) == ["Held", "Replied"]


async def test_a_note_is_never_a_delivery_and_its_files_stay_with_it(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada)
    file_id = await verbs.attach(
        inst, ada.account_id, got.conversation_id, NewFile("claim.txt", "text/plain", b"x")
    )
    note_id = new_id()
    await verbs.add_note(
        inst, bea, got.conversation_id, note_id, Body(text="They are right"), attachment_ids=[file_id]
    )
    await verbs.set_out(inst, ada.account_id, [note_id, got.message_id])
    [_, note] = (await timeline_of(inst, ada, got.conversation_id)).entries
    assert isinstance(note, Note) and [file.name for file in note.files] == ["claim.txt"]
    [rows] = await inst.db.run(
        ada.account_id, ("select count(*) from delivery where account_id = %s", [ada.account_id])
    )
    assert rows == [(0,)]
    pointing = await inst.db.directory(
        "select conrelid::regclass::text from pg_constraint where confrelid = 'tenant.note'::regclass"
    )
    assert pointing == [("attachment",)]


async def test_a_file_of_another_conversation_cannot_be_sent(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    one, other, foreign = await say(ada), await say(ada, email="b@mail.example"), await say(cyd)
    ids = [
        await verbs.attach(inst, staff.account_id, got.conversation_id, NewFile("a.txt", "text/plain", b"x"))
        for staff, got in ((ada, other), (cyd, foreign))
    ]
    await verbs.reply(
        inst, ada, one.conversation_id, new_id(), Body(text="x"), seen_position=1, attachment_ids=ids
    )
    entry = (await timeline_of(inst, ada, one.conversation_id)).entries[-1]
    assert isinstance(entry, Message) and entry.files == []


async def test_snoozed_comes_back_when_due_or_when_the_customer_writes(
    inst: Installation, ada: Staff, say: Say
) -> None:
    due, written = await say(ada), await say(ada, email="b@mail.example")
    for got in (due, written):
        await verbs.snooze(inst, ada, got.conversation_id, clock.now() + timedelta(hours=2))
    assert (await read_list(inst, ada, "todo")).rows == []
    assert await wake_due(inst, ada.account_id) == 0
    await say(ada, "Hello?", conversation_id=written.conversation_id)
    assert [r.id for r in (await read_list(inst, ada, "todo")).rows] == [written.conversation_id]
    with clock.travel(timedelta(hours=3)):
        assert await wake_due(inst, ada.account_id) == 1
    assert {r.id for r in (await read_list(inst, ada, "todo")).rows} == {
        due.conversation_id,
        written.conversation_id,
    }
    with pytest.raises(Refused):
        await verbs.snooze(inst, ada, due.conversation_id, clock.now() - timedelta(seconds=1))


async def test_an_automatic_answer_does_not_reopen(inst: Installation, ada: Staff, say: Say) -> None:
    got = await say(ada)
    await verbs.set_status(inst, ada, got.conversation_id, "done")
    await say(ada, "I am away", conversation_id=got.conversation_id, automatic=True)
    assert (await row_of(inst, ada, got.conversation_id)).status == "done"
    await say(ada, "I am back", conversation_id=got.conversation_id)
    assert (await row_of(inst, ada, got.conversation_id)).status == "todo"


async def test_spam_leaves_the_lists_and_comes_back(inst: Installation, ada: Staff, say: Say) -> None:
    got = await say(ada)
    await verbs.mark_spam(inst, ada, got.conversation_id, True)
    assert (await read_list(inst, ada, "todo")).rows == [] == (await read_list(inst, ada, "all")).rows
    assert [r.id for r in (await read_list(inst, ada, "spam")).rows] == [got.conversation_id]
    await verbs.mark_spam(inst, ada, got.conversation_id, False)
    assert [r.id for r in (await read_list(inst, ada, "todo")).rows] == [got.conversation_id]


async def test_a_failed_delivery_is_to_do_again_and_only_moves_forward(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada)
    delivery_id = new_id()
    await verbs.reply(inst, ada, got.conversation_id, delivery_id, Body(text="x"), seen_position=1)
    entry = (await timeline_of(inst, ada, got.conversation_id)).entries[-1]
    assert isinstance(entry, Message) and entry.state and entry.state.is_ == "waiting"
    for account_id in (cyd.account_id, ada.account_id, ada.account_id):
        await verbs.set_out(inst, account_id, [delivery_id])
        [rows] = await inst.db.run(
            account_id, ("select id, state from delivery where account_id = %s", [account_id])
        )
        assert rows == ([(delivery_id, "waiting")] if account_id == ada.account_id else [])
    move = lambda state, reason=None: verbs.mark_delivery(  # noqa: E731
        inst, ada.account_id, got.conversation_id, delivery_id, state, reason
    )
    assert await move("sent") and not await move("sent")
    assert await move("failed", "550 no such mailbox")
    row = await row_of(inst, ada, got.conversation_id)
    assert row.failed and row.status == "todo"
    entry = (await timeline_of(inst, ada, got.conversation_id)).entries[-1]
    assert isinstance(entry, Message) and entry.state and entry.state.reason == "550 no such mailbox"


async def test_a_draft_is_its_writers_alone_and_an_older_tab_does_not_win(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada)
    assert await verbs.save_draft(inst, ada, got.conversation_id, "reply", Body(text="new"), 5)
    assert not await verbs.save_draft(inst, ada, got.conversation_id, "reply", Body(text="old"), 4)
    mine, hers = (
        await timeline_of(inst, ada, got.conversation_id),
        await timeline_of(inst, bea, got.conversation_id),
    )
    assert mine.draft and mine.draft.text == "new" and mine.row.draft
    assert hers.draft is None and not hers.row.draft
    await verbs.reply(inst, ada, got.conversation_id, new_id(), Body(text="new"), seen_position=1)
    assert (await timeline_of(inst, ada, got.conversation_id)).draft is None


async def test_what_changed_since_is_told_once_and_in_order(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    first, second = await say(ada), await say(ada, email="b@mail.example")
    start = (await read_since(inst, ada, 0)).feed
    tag = await verbs.create_tag(inst, ada, "urgent")
    await verbs.tag(inst, ada, second.conversation_id, tag.id)
    await say(cyd)
    told = await read_since(inst, ada, start)
    assert [row.id for row in told.rows] == [second.conversation_id] and told.rows[0].tags == [tag.id]
    assert told.tags == [tag] and (await read_since(inst, ada, told.feed)).rows == []
    assert first.conversation_id not in {row.id for row in told.rows}


async def test_numbers_follow_each_other_without_gaps_under_load(
    inst: Installation, ada: Staff, say: Say
) -> None:
    await asyncio.gather(*(say(ada, email=f"c{n}@mail.example") for n in range(30)))
    assert sorted(r.number for r in (await read_list(inst, ada, "todo")).rows) == list(range(1, 31))


@pytest.mark.parametrize("view", ["todo", "mine", "unassigned", "waiting", "snoozed", "done", "spam", "all"])
async def test_a_list_of_one_and_of_sixty_rows_costs_the_same_statements(
    inst: Installation, ada: Staff, say: Say, view: str
) -> None:
    async def cost() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        await read_list(inst, ada, view)
        statements.reset(token)
        return len(seen)

    await say(ada, email="0@mail.example")
    one = await cost()
    await asyncio.gather(*(say(ada, email=f"{n}@mail.example") for n in range(1, 60)))
    assert one == await cost() <= 6


async def test_pages_of_a_list_neither_repeat_nor_miss(inst: Installation, ada: Staff, say: Say) -> None:
    made = [(await say(ada, email=f"{n}@mail.example")).conversation_id for n in range(120)]
    for sort in ("newest", "longest"):
        got: list[UUID] = []
        cursor: str | None = None
        while True:
            page = await read_list(inst, ada, "todo", sort=sort, after=cursor)
            got += [row.id for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        assert got == (made[::-1] if sort == "newest" else made)


async def test_a_conversation_costs_the_same_statements_with_one_and_with_forty_entries(
    inst: Installation, ada: Staff, say: Say
) -> None:
    async def cost(conversation_id: UUID) -> int:
        seen: list[str] = []
        token = statements.set(seen)
        await timeline_of(inst, ada, conversation_id)
        statements.reset(token)
        return len(seen)

    got = await say(ada, files=[NewFile("a.txt", "text/plain", b"x")])
    one = await cost(got.conversation_id)
    for n in range(20):
        await say(
            ada, str(n), conversation_id=got.conversation_id, files=[NewFile("a.txt", "text/plain", b"x")]
        )
        await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text=str(n)))
    assert one == await cost(got.conversation_id) <= 6
    page = await timeline_of(inst, ada, got.conversation_id)
    assert page.more_before and len(page.entries) == 30
    earlier = await read_timeline(inst, ada, got.conversation_id, inst.links, before=page.entries[0].position)
    assert [e.position for e in earlier.entries] == list(range(1, page.entries[0].position))


Act = Callable[[Installation, Staff, UUID, UUID], Awaitable[Any]]
ACTS: dict[str, Act] = {
    "read": lambda inst, who, c, _: read_timeline(inst, who, c, inst.links),
    "reply": lambda inst, who, c, _: verbs.reply(inst, who, c, new_id(), Body(text="x"), seen_position=99),
    "note": lambda inst, who, c, _: verbs.add_note(inst, who, c, new_id(), Body(text="x")),
    "assign": lambda inst, who, c, _: verbs.assign(inst, who, c, None),
    "status": lambda inst, who, c, _: verbs.set_status(inst, who, c, "done"),
    "snooze": lambda inst, who, c, _: verbs.snooze(inst, who, c, clock.now() + timedelta(days=1)),
    "tag": lambda inst, who, c, tag_id: verbs.tag(inst, who, c, tag_id),
    "untag": lambda inst, who, c, tag_id: verbs.untag(inst, who, c, tag_id),
    "spam": lambda inst, who, c, _: verbs.mark_spam(inst, who, c, True),
    "seen": lambda inst, who, c, _: verbs.mark_seen(inst, who, c, 1),
    "draft": lambda inst, who, c, _: verbs.save_draft(inst, who, c, "note", Body(text="x"), 1),
    "rename": lambda inst, who, c, _: verbs.rename(inst, who, c, "x"),
    "attach": lambda inst, who, c, _: verbs.attach(inst, who.account_id, c, NewFile("a", "text/plain", b"x")),
}


@pytest.mark.parametrize("act", ACTS)
async def test_an_outsider_cannot_tell_a_foreign_conversation_from_a_made_up_one_and_changes_nothing(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, act: str
) -> None:
    got = await say(ada)
    tag = await verbs.create_tag(inst, ada, "vip")
    before = await timeline_of(inst, ada, got.conversation_id)
    answers = []
    for conversation_id in (got.conversation_id, new_id()):
        with pytest.raises(Refused) as refused:
            await ACTS[act](inst, cyd, conversation_id, tag.id)
        answers.append(
            (refused.value.status, refused.value.sentence, refused.value.code, refused.value.details)
        )
    assert answers[0] == answers[1] and answers[0][0] == 404
    assert await timeline_of(inst, ada, got.conversation_id) == before


async def test_a_foreign_tag_and_a_foreign_colleague_are_not_there(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(cyd)
    tag = await verbs.create_tag(inst, ada, "vip")
    for wrong in (tag.id, new_id()):
        with pytest.raises(Refused):
            await verbs.tag(inst, cyd, got.conversation_id, wrong)
    for nobody in (ada.staff_user_id, new_id()):
        with pytest.raises(Refused):
            await verbs.assign(inst, cyd, got.conversation_id, nobody)


async def test_a_known_customer_of_another_account_cannot_be_written_for(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada)
    with pytest.raises(Exception):  # noqa: B017 — no key, or no row: either way nothing is written
        await say(cyd, sender=Sender(customer_id=got.customer_id))
    assert (await read_list(inst, cyd, "all")).rows == []


@pytest.mark.parametrize("via", ["email", "chat"])
async def test_a_card_number_is_masked_wherever_it_comes_in_and_no_search_finds_it(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, via: str
) -> None:
    number = "5105 1051 0510 5100"
    body = Body(
        text=f"Pay with {number}",
        html=f"<p>{number}</p>",
        quoted_text=number,
        quoted_html=number,
        subject=number,
    )
    file = NewFile(f"{number}.txt", "text/plain", b"x")
    got = await say(ada, via=via, body=body, subject=f"Card {number}", files=[file])
    await index_ids(inst, ada.account_id, [got.message_id])
    timeline = await timeline_of(inst, bea, got.conversation_id)
    told = msgspec.json.encode(timeline).decode()
    assert "1051" not in told and told.count("•••• •••• •••• 5100") >= 5
    [entry] = timeline.entries
    assert isinstance(entry, Message) and entry.files[0].name == "•••• •••• •••• 5100.txt"
    for asked in (number, number.replace(" ", ""), f'"{number}"'):
        assert (await find(inst, bea, asked)).hits == []
    found = await find(inst, bea, "pay")
    assert [hit.excerpt for hit in found.hits] == ["Pay with •••• •••• •••• 5100"]
    assert (await find(inst, cyd, "pay")).hits == []
