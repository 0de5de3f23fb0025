"""A connected program is told what was chosen, signed, and nothing else; also that somebody whom it knows was erased."""

from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts import colleagues
from chatinbox.accounts.roles import create_role
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.conversations.verbs import rename_customer
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.integrations.confirm import switch_on
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.forget import forget_old
from chatinbox.integrations.hear import hear
from chatinbox.integrations.mapping import CAUSES
from chatinbox.integrations.send import WAITS, tell_programs
from chatinbox.integrations.shown import read_shown
from chatinbox.integrations.tests.programs import (
    HERS,
    NO,
    WORDS,
    YES,
    Program,
    connected,
    happen,
    listening,
    people_of,
    states,
)
from chatinbox.integrations.try_out import try_out
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.read import read_ledger


async def test_by_default_it_is_told_ids_and_no_word_and_the_neighbours_program_nothing(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program)
    async with listening() as other:
        await connected(close, cyd, other, "words")
        got = await say(ada, WORDS, HERS, subject="Canary subject")
        await happen(close, ada, cyd)
        assert other.heard == []
    assert program.kinds == ["message.received", "conversation.opened"]
    [received, _] = program.heard
    assert received.is_signed_with(made.secret)
    data = received.said["data"]
    assert data == {
        "customer_id": str(got.customer_id), "conversation_id": str(got.conversation_id), "conversation_number": 1,
        "channel_id": data["channel_id"], "message_id": str(got.message_id),
    }  # fmt: skip
    assert b"anary" not in received.body and HERS.encode() not in received.body
    told = [(one.basis, one.fields, one.outcome) for one in await read_ledger(close, ada, "http")]
    assert told == [("integration", ["ids"], "taken")] * 2
    assert {one.instruction for one in await read_ledger(close, ada, "http")} == {"connected program Shop"}
    assert await read_ledger(close, cyd, "http") == []


async def test_the_fields_that_were_chosen_come_with_the_events_that_were_chosen(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    fields = ("customer_name", "customer_address", "subject", "words", "tags", "status", "staff_name")
    await connected(close, ada, program, *fields)
    got = await say(ada, WORDS, HERS, subject="Canary subject")
    tag = await verbs.create_tag(close, ada, "vip")
    await verbs.tag(close, ada, got.conversation_id, tag.id)
    await verbs.assign(close, ada, got.conversation_id, ada.staff_user_id)
    await verbs.reply(close, ada, got.conversation_id, new_id(), Body(text="Answer"), seen_position=99)
    await verbs.add_note(close, ada, got.conversation_id, new_id(), Body(text="A note of ours"))
    await verbs.set_status(close, ada, got.conversation_id, "done")
    await rename_customer(close, ada, got.customer_id, "Frida Lind")
    await happen(close, ada)
    by_kind = {one.said["type"]: one.said["data"] for one in program.heard}
    assert set(by_kind) == {
        "message.received", "conversation.opened", "conversation.tagged", "conversation.assigned", "message.answered",
        "conversation.closed", "customer.changed",
    }  # fmt: skip
    assert by_kind["message.received"] | {"words": WORDS, "customer_address": HERS, "tags": ["vip"]} == by_kind["message.received"]  # fmt: skip
    assert (
        by_kind["message.answered"]["words"] == "Answer"
        and by_kind["message.answered"]["staff_name"] == "Ada"
    )
    assert by_kind["conversation.tagged"]["tag_id"] == str(tag.id)
    assert by_kind["conversation.assigned"]["assignee_id"] == str(ada.staff_user_id)
    assert (
        by_kind["conversation.closed"]["status"] == "done" and "words" not in by_kind["conversation.closed"]
    )
    assert by_kind["customer.changed"]["customer_name"] == "Frida Lind"
    assert not any(b"note of ours" in one.body for one in program.heard)


async def test_of_notes_it_hears_only_where_that_was_chosen(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, "note_words", events=["note.added"])
    got = await say(ada, WORDS, HERS)
    await verbs.add_note(close, ada, got.conversation_id, new_id(), Body(text="A note of ours"))
    await happen(close, ada)
    [heard] = program.heard
    assert heard.said["data"]["note_words"] == "A note of ours" and WORDS.encode() not in heard.body


async def test_of_a_channel_that_was_not_chosen_or_that_who_stands_for_it_does_not_see_nothing_is_told(
    close: Installation, people: People, ada: Staff, bea: Staff, say: Say, program: Program
) -> None:
    chat = await people.channel(ada, "chat")
    await connected(close, ada, program, channels=[chat])
    got = await say(ada, "by letter", HERS)
    await rename_customer(close, ada, got.customer_id, "Frida Lind")
    await say(ada, "by chat", "karl@mail.example", via="chat")
    await happen(close, ada)
    assert {one.said["data"]["channel_id"] for one in program.heard} == {str(chat)}
    assert ("customer.changed", "dropped", "not_seen") in await states(close, ada)
    with pytest.raises(Refused, match="not_found"):
        await connected(close, ada, program, channels=[new_id()])


async def test_the_same_event_twice_is_told_once(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, events=["message.received"])
    await say(ada, WORDS, HERS)
    rows = await close.db.directory(
        "select account_id, event_id, kind, conversation_id, subject_id from work.outbox where account_id = %s",
        [ada.account_id],
    )
    again = [Happened(*row) for row in rows if row[2] == "message.received"]
    await hear(close, again)
    await happen(close, ada)
    await hear(close, again)
    await tell_programs(close, ada.account_id)
    assert program.kinds == ["message.received"]


async def test_what_did_not_arrive_is_tried_again_with_the_same_id_and_then_at_last_arrives(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, events=["message.received"])
    program.says = NO
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    await tell_programs(close, ada.account_id)  # not due
    assert len(program.heard) == 1
    assert await states(close, ada) == [("message.received", "waiting", "500")]
    assert (await read_connection(close, ada.account_id, made.id)).state == "failing"
    program.says = YES
    with travel(timedelta(seconds=7)):
        await tell_programs(close, ada.account_id)
    first, second = program.heard
    assert first.heads["webhook-id"] == second.heads["webhook-id"] and second.is_signed_with(made.secret)
    assert int(second.heads["webhook-timestamp"]) > int(first.heads["webhook-timestamp"])
    assert (await read_connection(close, ada.account_id, made.id)).state == "on"


async def test_what_was_told_is_listed_for_thirty_days(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, events=["message.received"])
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    with travel(timedelta(days=29)):
        await forget_old(close, cyd.account_id)
        await forget_old(close, ada.account_id)
        assert len(await states(close, ada)) == 1
    with travel(timedelta(days=31)):
        await forget_old(close, ada.account_id)
        assert await states(close, ada) == []


async def erased(inst: Installation, ada: Staff, customer_id: UUID) -> None:
    erasure_id = await ask_erasure(inst, ada, customer_id, "Casey Customer")
    with travel(UNDO + timedelta(seconds=1)):
        await erase(inst, ada.account_id, erasure_id)


async def test_who_was_told_of_a_customer_is_told_that_they_were_erased_and_nobody_else_is(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, "words", "customer_name", events=["message.received"])
    async with listening() as stranger:
        await connected(close, ada, stranger, events=["note.added"])
        got = await say(ada, WORDS, HERS)
        await happen(close, ada)
        program.says = NO
        await say(ada, "One that waits", HERS)
        await happen(close, ada)
        program.says, heard = YES, len(program.heard)
        await erased(close, ada, got.customer_id)
        with travel(timedelta(hours=1)):
            await happen(close, ada)
        assert stranger.heard == []
    [last] = program.heard[heard:]
    assert last.said["type"] == "customer.erased"
    assert last.said["data"] == {"customer_id": str(got.customer_id)}
    [rows] = await close.db.run(
        ada.account_id, ("select count(*) from connection_knows where account_id = %s", [ada.account_id])
    )
    assert rows == [(0,)]


async def test_what_happened_to_somebody_who_is_erased_by_now_leaves_no_trace_of_them(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, "customer_name")
    got = await say(ada, WORDS, HERS)
    await rename_customer(close, ada, got.customer_id, "Casey Customer")
    rows = await close.db.directory(
        "select account_id, event_id, kind, conversation_id, subject_id from work.outbox where account_id = %s",
        [ada.account_id],
    )
    late = [Happened(*row) for row in rows if row[2] in CAUSES]
    await hear(close, late[:1])
    await close.vault.destroy(
        "customer", ada.account_id, got.customer_id
    )  # as an erasure that has just begun
    await tell_programs(close, ada.account_id)
    assert program.heard == [] and await states(close, ada) == []
    await erased_at_last(close, ada, got.customer_id)
    await hear(close, late)
    assert len(late) == 2 and program.heard == [] and await states(close, ada) == []


async def erased_at_last(inst: Installation, by: Staff, customer_id: UUID) -> None:
    """The rows go, too."""
    ask = "insert into erasure (account_id, id, customer_id, staff_user_id, asked_at, due_at) values (%s, %s, %s, %s, now(), now())"
    erasure_id = new_id()
    await inst.db.run(by.account_id, (ask, [by.account_id, erasure_id, customer_id, by.staff_user_id]))
    with travel(timedelta(seconds=2)):
        assert await erase(inst, by.account_id, erasure_id)


async def test_that_somebody_was_erased_is_told_at_last_or_the_page_says_that_it_was_not(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    async with listening() as ended:
        on = await connected(close, ada, program, events=["message.received"])
        gone = await connected(close, ada, ended, events=["message.received"])
        got = await say(ada, WORDS, HERS)
        await happen(close, ada)
        program.says = ended.says = NO
        await erased(close, ada, got.customer_id)
        later = UNDO
        for wait in (timedelta(), *WAITS, WAITS[-1]):
            later += wait * 1.3
            with travel(later):
                await tell_programs(close, ada.account_id)
        await end_connection(close, ada, gone.id)
        program.says = ended.says = YES
        heard = len(ended.heard)
        with travel(later):
            assert (await read_connection(close, ada.account_id, on.id)).state == "off"
            await switch_on(close, ada, on.id)
            await tell_programs(close, ada.account_id)
        assert program.kinds[-1] == "customer.erased" and program.heard[-1].is_signed_with(on.secret)
        assert len(ended.heard) == heard
        untold = {one.id: lately.untold for one, lately in await read_shown(close, ada)}
        assert untold == {on.id: 0, gone.id: 1}


async def test_a_test_arrives_at_once_signed_and_empty(
    close: Installation, ada: Staff, cyd: Staff, program: Program
) -> None:
    made = await connected(close, ada, program, "words")
    assert (await try_out(close, ada, made.id)).taken
    [heard] = program.heard
    assert heard.said["type"] == "test" and heard.said["data"] == {} and heard.is_signed_with(made.secret)
    with pytest.raises(Refused, match="not_found"):
        await try_out(close, cyd, made.id)


async def test_what_cannot_be_connected_is_said(
    close: Installation, inst: Installation, ada: Staff, bea: Staff, program: Program
) -> None:
    with pytest.raises(Refused, match="not_permitted"):
        await connected(close, bea, program)
    with pytest.raises(Refused, match="fields"):
        await connected(close, ada, program, "password")
    with pytest.raises(Refused, match="events"):
        await connected(close, ada, program, events=[])
    for target in ("", "crm.example.com", "ftp://crm.example.com/", "file:///etc/passwd", "https://a:b@crm.example.com/",
                   "https://", "https://crm.example.com:99999/", "https://crm.example.com/ x", "https://ümlaut.example/"):  # fmt: skip
        program.url = target
        with pytest.raises(Refused, match="target"):
            await connected(close, ada, program)
    program.url = "http://crm.example.com/"
    with pytest.raises(Refused, match="target"):
        await connected(inst, ada, program)


async def test_a_channel_of_a_team_is_not_told_to_the_program_of_who_is_not_in_it(
    close: Installation, people: People, ada: Staff, bea: Staff, say: Say, program: Program
) -> None:
    role_id = await create_role(close, ada, "Wiring", ["integrations"])
    await colleagues.set_role(close, ada, bea.staff_user_id, str(role_id))
    await connected(close, await people_of(close, bea), program, "words")
    team = await create_team(close, ada, "Quiet")
    await set_channel_teams(close, ada, await people.channel(ada, "email"), [team])
    await say(ada, WORDS, HERS)
    await say(ada, "by chat", "karl@mail.example", via="chat")
    await happen(close, ada)
    assert {one.said["data"].get("words", "by chat") for one in program.heard} == {"by chat"}
    assert program.heard and not any(WORDS.encode() in one.body for one in program.heard)
