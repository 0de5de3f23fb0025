"""A connected program is told what was chosen, signed, and nothing else; and nothing from the moment it has ended."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts import colleagues
from chatinbox.accounts.letters import LEFT_OVER, send_left_over
from chatinbox.accounts.roles import create_role
from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.conftest import People, Say, unreached
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.conversations.verbs import rename_customer
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.core.vault import Erased
from chatinbox.integrations.confirm import confirm, switch_on
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.forget import forget_old
from chatinbox.integrations.hear import hear
from chatinbox.integrations.mapping import CAUSES
from chatinbox.integrations.send import WAITS, tell_programs
from chatinbox.integrations.shown import read_shown
from chatinbox.integrations.stands import look_after
from chatinbox.integrations.tests.programs import NO, YES, Program, connected, happen, listening, near
from chatinbox.integrations.try_out import try_out
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.read import read_ledger

WORDS = "Canary words of hers"
HERS = "frida@mail.example"


@pytest.fixture
def close(inst: Installation) -> Installation:
    return near(inst)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with listening() as one:
        yield one


async def states(inst: Installation, by: Staff) -> list[tuple[str, str, str | None]]:
    ask = "select kind, state, reason from connection_delivery where account_id = %s order by id"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [(row[0], row[1], row[2]) for row in rows]


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


async def test_after_days_it_is_switched_off_with_a_letter_to_who_stands_for_it_and_can_be_switched_on_again(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, events=["message.received"])
    program.says = NO
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    later = timedelta()
    for wait in WAITS:
        later += wait * 1.3
        with travel(later):
            await tell_programs(close, ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "off"
    letters = [one for one in await read_ledger(close, ada, "mail") if one.instruction == "connected program"]
    assert len(letters) == 1
    with travel(later):
        heard = len(program.heard)
        await say(ada, "while it is off", "karl@mail.example")
        await happen(close, ada)
        assert len(program.heard) == heard
        with pytest.raises(Refused, match="not_found"):
            await switch_on(close, cyd, made.id)
        program.says = YES
        await switch_on(close, ada, made.id)
        await say(ada, "after", "lea@mail.example")
        await happen(close, ada)
    assert len(program.heard) == heard + 1


async def test_once_ended_the_next_job_refuses_and_the_secret_is_destroyed(
    close: Installation, ada: Staff, cyd: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, "words")
    program.says = NO
    await say(ada, WORDS, HERS)
    await happen(close, ada)
    heard = len(program.heard)
    with pytest.raises(Refused, match="not_found"):
        await end_connection(close, cyd, made.id)
    await end_connection(close, ada, made.id)
    program.says = YES
    await say(ada, "again", HERS)
    with travel(timedelta(hours=1)):
        await happen(close, ada)
    assert len(program.heard) == heard
    assert {state for _, state, _ in await states(close, ada)} == {"dropped"}
    with pytest.raises(Erased):
        await close.vault.connection_key(ada.account_id, made.id)
    with pytest.raises(Refused, match="ended"):
        await confirm(close, ada, made.id)
    with pytest.raises(Refused, match="stands"):
        await try_out(close, ada, made.id)


async def test_when_who_stands_for_it_leaves_it_lapses_until_another_one_who_may_confirms_it(
    close: Installation, people: People, ada: Staff, bea: Staff, say: Say, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    admin = await people_of(close, bea)
    made = await connected(close, admin, program, events=["message.received"])
    await say(ada, "before", HERS)
    await colleagues.deactivate(close, ada, bea.staff_user_id)
    await happen(close, ada)  # the worker did not even hear of it yet
    assert program.heard == []
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    await colleagues.reactivate(close, ada, bea.staff_user_id)
    await say(ada, "while nobody stands for it", HERS)
    await happen(close, ada)
    assert program.heard == []
    viewer = await people.colleague(ada, "Vic")
    with pytest.raises(Refused, match="not_permitted"):
        await confirm(close, viewer, made.id)
    await confirm(close, ada, made.id)
    await say(ada, "after", HERS)
    await happen(close, ada)
    assert program.kinds == ["message.received"]


async def test_when_who_stands_for_it_may_no_longer_it_lapses_too_and_owners_are_written_to(
    close: Installation, ada: Staff, bea: Staff, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    made = await connected(close, await people_of(close, bea), program)
    await colleagues.set_role(close, ada, bea.staff_user_id, "staff")
    await look_after(close, ada.account_id)
    await look_after(close, ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    letters = [one for one in await read_ledger(close, ada, "mail") if one.instruction == "connected program"]
    assert len(letters) == 1


async def test_owners_hear_that_it_lapsed_also_when_no_server_could_be_reached_just_then(
    close: Installation, ada: Staff, bea: Staff, cyd: Staff, program: Program
) -> None:
    await colleagues.set_role(close, ada, bea.staff_user_id, "admin")
    made = await connected(close, await people_of(close, bea), program)
    await colleagues.set_role(close, ada, bea.staff_user_id, "staff")
    await look_after(unreached(close), ada.account_id)
    assert (await read_connection(close, ada.account_id, made.id)).state == "lapsed"
    with travel(LEFT_OVER + timedelta(minutes=1)):
        for staff in (ada, cyd):
            await send_left_over(close, staff.account_id)
    for staff, ended in ((ada, {"unreachable", "taken"}), (cyd, set())):
        rows = [
            one for one in await read_ledger(close, staff, "mail") if one.instruction == "connected program"
        ]
        assert {one.outcome for one in rows} == ended and len(rows) == len(ended)


async def test_after_its_time_it_has_ended(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    made = await connected(close, ada, program, term=timedelta(days=30))
    with travel(timedelta(days=31)):
        await say(ada, WORDS, HERS)
        await happen(close, ada)
        assert program.heard == []
        assert (await read_connection(close, ada.account_id, made.id)).state == "ended"


async def test_two_weeks_before_its_end_who_stands_for_it_gets_one_letter_and_confirming_it_goes_on(
    close: Installation, ada: Staff, cyd: Staff, program: Program
) -> None:
    made = await connected(close, ada, program)

    async def letters() -> int:
        left = await read_ledger(close, ada, "mail")
        return sum(one.instruction == "connected program" for one in left)

    await forget_old(close, ada.account_id)
    assert await letters() == 0
    with travel(timedelta(days=352)):
        await forget_old(close, ada.account_id)
        await forget_old(close, ada.account_id)
        assert await letters() == 1
        with pytest.raises(Refused, match="not_found"):
            await confirm(close, cyd, made.id)
        await confirm(close, ada, made.id)
    with travel(timedelta(days=400)):
        await forget_old(close, ada.account_id)
        assert (await read_connection(close, ada.account_id, made.id)).state == "on"
    with travel(timedelta(days=800)):
        await forget_old(close, ada.account_id)
        assert (await read_connection(close, ada.account_id, made.id)).ended_at is not None
    with pytest.raises(Erased):
        await close.vault.connection_key(ada.account_id, made.id)


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


async def test_a_closed_account_tells_nothing_until_it_is_open_again(
    close: Installation, ada: Staff, say: Say, program: Program
) -> None:
    await connected(close, ada, program, events=["message.received"])
    await say(ada, WORDS, HERS)
    close_it = "update account set closed_at = {} where account_id = %s"
    await close.db.run(ada.account_id, (close_it.format("now()"), [ada.account_id]))
    await happen(close, ada)
    assert program.heard == []
    await close.db.run(ada.account_id, (close_it.format("null"), [ada.account_id]))
    with travel(timedelta(hours=1, seconds=1)):
        await happen(close, ada)
    assert program.kinds == ["message.received"]


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


async def people_of(inst: Installation, staff: Staff) -> Staff:
    """The same staff user as they may act now."""
    found = await read_active(inst, staff.account_id, staff.staff_user_id, staff.person_id)
    assert found
    return found


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
