"""Every door, asked by a colleague of another team: what they may not see is not there, byte for byte."""

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from starlette.types import Send

from chatinbox.accounts import sessions, teams
from chatinbox.accounts.permissions import Permission, Role
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held as held_letters
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list, read_since
from chatinbox.conversations.search.find import find
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.live import Live, StaffStream
from chatinbox.web.tests.test_tenancy import BODIES, PLACES, Theirs, rows_of, send, things_of, told

MINE_TO_NAME = {"tag", "staff"}  # of the account, not of a channel


async def now_as(inst: Installation, staff: Staff) -> Staff:
    """Somebody as their next session knows them."""
    read = await sessions.read_active(inst, staff.account_id, staff.staff_user_id, staff.person_id)
    assert read
    return read


async def shut_out(inst: Installation, ada: Staff, channel_id: UUID, *members: Staff) -> UUID:
    """Gives a channel to a team of these members alone."""
    team_id = await teams.create_team(inst, ada, f"Team {new_id().hex[-6:]}")
    await teams.set_members(inst, ada, team_id, [one.staff_user_id for one in members])
    await set_channel_teams(inst, ada, channel_id, [team_id])
    return team_id


@pytest.mark.parametrize(
    ("ask", "place"),
    [one for one in PLACES if PLACES[one] not in MINE_TO_NAME and one[1].startswith(("path", "body"))],
    ids=lambda part: str(part).replace("/", "."),
)
async def test_what_another_teams_channel_holds_is_answered_like_a_made_up_id(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    people: People,
    say: Say,
    new_browser: Callable[[], Browser],
    ask: str,
    place: str,
) -> None:
    dan = await people.colleague(ada, "Dan")
    hidden = await things_of(inst, ada, say)
    open_talk = await say(ada, "Hi", "other@mail.example", via="chat")
    await shut_out(inst, ada, await channel_of(inst, ada), dan)
    own = hidden.ids | {
        "conversation": str(open_talk.conversation_id),
        "customer": str(open_talk.customer_id),
    }
    outside, inside = await new_browser().as_(bea), await new_browser().as_(dan)
    before = await rows_of(inst, ada)
    foreign, made_up = hidden.ids[PLACES[ask, place]], str(new_id())
    answers = [told(await send(outside, ask, own, place, wrong)) for wrong in (foreign, made_up)]
    assert answers[0] == answers[1] and answers[0][0] == 404
    assert await rows_of(inst, ada) == before
    mine = await send(inside, ask, hidden.ids, place, foreign)
    if ask.endswith("/looked"):  # he sees the customer; who looked takes a permission besides
        assert mine.json()["error"]["code"] == "not_permitted"
        return
    assert mine.status_code < 300 or mine.json()["error"]["code"] not in ("not_found", "not_permitted")


async def hide(inst: Installation, ada: Staff, say: Say) -> Theirs:
    """A conversation with a held letter in the e-mail channel, which a team without members has."""
    hidden = await things_of(inst, ada, say)
    await shut_out(inst, ada, await channel_of(inst, ada))
    return hidden


@pytest.mark.parametrize("ask", [ask for ask in BODIES if "{id}" not in ask and ask.startswith("GET")])
async def test_lists_counts_and_search_hold_nothing_of_another_team(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser, ask: str
) -> None:
    hidden = await hide(inst, ada, say)
    await client.as_(bea)
    for query in ("", "?view=all", "?view=mine", "?q=hello", "?q=order", "?q=%231", "?q=casey", "?after=0"):
        seen = (await client.get(ask.split(" ")[1] + query)).content
        for kind in ("conversation", "customer", "attachment", "message", "note", "held letter"):
            assert hidden.ids[kind].encode() not in seen
    page = (await client.get("/inbox/all/1")).content
    assert hidden.ids["conversation"].encode() not in page and b"Casey" not in page
    assert str(await channel_of(inst, ada)).encode() not in page


async def test_counts_leave_out_what_one_does_not_see(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    await hide(inst, ada, say)
    await say(ada, "By chat", via="chat")
    limited, free = await now_as(inst, bea), await now_as(inst, ada)
    seen, all_of_it = await read_since(inst, limited, 0), await read_since(inst, free, 0)
    assert (seen.counts.todo, seen.counts.held) == (1, 0)
    assert (all_of_it.counts.todo, all_of_it.counts.held) == (2, 1)
    assert len((await read_list(inst, limited, "all")).rows) == 1
    assert seen.reset  # who sees which channel was changed: the list is loaded anew


async def test_search_itself_offers_no_words_of_another_team(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    await hide(inst, ada, say)
    limited = await now_as(inst, bea)
    for words in ("#1", "hello", "casey"):
        assert (await find(inst, limited, words)).hits == []


async def test_a_customer_known_to_two_teams_is_shown_with_the_conversations_one_sees(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser
) -> None:
    hidden = await hide(inst, ada, say)
    by_chat = await say(ada, "x", via="chat")
    assert str(by_chat.customer_id) == hidden.ids["customer"]
    await client.as_(bea)
    told_of = (await client.get(f"/api/customers/{by_chat.customer_id}")).json()
    assert [one["id"] for one in told_of["conversations"]] == [str(by_chat.conversation_id)]
    assert told_of["held"] == {"messages": 1, "files": 0}


async def test_every_verb_refuses_a_conversation_out_of_sight_by_itself(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    hidden = await hide(inst, ada, say)
    limited, talk = await now_as(inst, bea), UUID(hidden.ids["conversation"])
    tag_id, body = UUID(hidden.ids["tag"]), Body(text="x")
    before = await rows_of(inst, ada)
    for act in (
        lambda: verbs.reply(inst, limited, talk, new_id(), body, seen_position=9),
        lambda: verbs.add_note(inst, limited, talk, new_id(), body),
        lambda: verbs.assign(inst, limited, talk, bea.staff_user_id),
        lambda: verbs.set_status(inst, limited, talk, "done"),
        lambda: verbs.snooze(inst, limited, talk, None),
        lambda: verbs.mark_spam(inst, limited, talk, True),
        lambda: verbs.mark_seen(inst, limited, talk, 1),
        lambda: verbs.rename(inst, limited, talk, "x"),
        lambda: verbs.tag(inst, limited, talk, tag_id),
        lambda: verbs.untag(inst, limited, talk, tag_id),
        lambda: verbs.save_draft(inst, limited, talk, "note", body, 1),
        lambda: verbs.drop_draft(inst, limited, talk),
        lambda: held_letters.raw(inst, limited, UUID(hidden.ids["held letter"])),
        lambda: held_letters.release(inst, limited, UUID(hidden.ids["held letter"])),
        lambda: held_letters.discard(inst, limited, UUID(hidden.ids["held letter"])),
    ):
        with pytest.raises(Refused) as refused:
            await act()  # type: ignore[no-untyped-call]
        assert refused.value.status == 404
    assert await rows_of(inst, ada) == before


async def test_members_of_one_of_its_teams_and_who_sets_up_channels_see_a_channel(
    inst: Installation, ada: Staff, bea: Staff, people: People
) -> None:
    dan, eve = await people.colleague(ada, "Dan"), await people.colleague(ada, "Eve")
    channel_id = await channel_of(inst, ada)
    assert (await now_as(inst, bea)).kept_out == frozenset()
    first = await shut_out(inst, ada, channel_id, bea)
    second = await teams.create_team(inst, ada, "Second")
    await teams.set_members(inst, ada, second, [dan.staff_user_id])
    await set_channel_teams(inst, ada, channel_id, [first, second])
    for one, kept_out in ((ada, frozenset()), (bea, frozenset()), (dan, frozenset()), (eve, {channel_id})):
        assert (await now_as(inst, one)).kept_out == kept_out
    await set_channel_teams(inst, ada, channel_id, [])
    assert (await now_as(inst, eve)).kept_out == frozenset()


async def test_an_open_session_loses_sight_at_once(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser
) -> None:
    talk = await say(ada, "Hello")
    await client.as_(bea)
    address = f"/api/conversations/{talk.conversation_id}"
    assert (await client.get(address)).status_code == 200
    team_id = await shut_out(inst, ada, await channel_of(inst, ada))
    assert (await client.get(address)).status_code == 404
    await teams.set_members(inst, ada, team_id, [bea.staff_user_id])
    assert (await client.get(address)).status_code == 200


async def test_another_process_learns_of_it_within_seconds(
    inst: Installation, ada: Staff, bea: Staff, client: Browser
) -> None:
    await client.as_(bea)
    assert (await client.get("/api/list")).status_code == 200
    heard: list[UUID] = []
    sessions.on_look_again(heard.append)
    watching = asyncio.create_task(sessions.watch_revocations(inst))
    try:
        await inst.db.directory("select directory.mark_staff_changed(%s, now())", [ada.account_id])
        await asyncio.sleep(2.6)
    finally:
        watching.cancel()
    assert ada.account_id in heard


async def test_teams_are_of_one_account_and_kept_by_who_may(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    team_id = await teams.create_team(inst, ada, "Workshop")
    channel_id = await channel_of(inst, ada)
    for act, status in (
        (lambda: teams.create_team(inst, bea, "x"), 403),
        (lambda: teams.set_members(inst, bea, team_id, []), 403),
        (lambda: set_channel_teams(inst, bea, channel_id, [team_id]), 403),
        (lambda: teams.set_members(inst, cyd, team_id, []), 404),
        (lambda: teams.remove_team(inst, cyd, team_id), 404),
        (lambda: set_channel_teams(inst, cyd, channel_id, []), 404),
        (lambda: teams.set_members(inst, ada, team_id, [cyd.staff_user_id]), 404),
        (lambda: teams.create_team(inst, ada, " workshop "), 409),
    ):
        with pytest.raises(Refused) as refused:
            await act()  # type: ignore[no-untyped-call]
        assert refused.value.status == status
    await set_channel_teams(inst, ada, channel_id, [team_id])
    with pytest.raises(Refused, match="team_has_channels"):
        await teams.remove_team(inst, ada, team_id)


# Permissions ----------------------------------------------------------------------------------------------------------
NEEDS: dict[str, Permission | None] = {
    "reply": "answer",
    "note": "note",
    "assign": "arrange",
    "status": "arrange",
    "snooze": "arrange",
    "spam": "arrange",
    "subject": "arrange",
    "tag": "arrange",
    "untag": "arrange",
    "new tag": "arrange",
    "reply draft": "answer",
    "note draft": "note",
}


def acts_of(inst: Installation, by: Staff, talk: UUID, tag_id: UUID) -> dict[str, Callable[[], object]]:
    """Every verb of staff."""
    body = Body(text="x")
    return {
        "reply": lambda: verbs.reply(inst, by, talk, new_id(), body, seen_position=99),
        "note": lambda: verbs.add_note(inst, by, talk, new_id(), body),
        "assign": lambda: verbs.assign(inst, by, talk, by.staff_user_id),
        "status": lambda: verbs.set_status(inst, by, talk, "done"),
        "snooze": lambda: verbs.snooze(inst, by, talk, None),
        "spam": lambda: verbs.mark_spam(inst, by, talk, True),
        "subject": lambda: verbs.rename(inst, by, talk, "x"),
        "tag": lambda: verbs.tag(inst, by, talk, tag_id),
        "untag": lambda: verbs.untag(inst, by, talk, tag_id),
        "new tag": lambda: verbs.create_tag(inst, by, "new"),
        "reply draft": lambda: verbs.save_draft(inst, by, talk, "reply", body, 1),
        "note draft": lambda: verbs.save_draft(inst, by, talk, "note", body, 2),
    }


@pytest.mark.parametrize("act", NEEDS)
async def test_a_verb_is_refused_to_who_may_not_and_done_for_who_may(
    inst: Installation, ada: Staff, bea: Staff, say: Say, act: str
) -> None:
    talk = await say(ada, "Hello")
    tag = await verbs.create_tag(inst, ada, "vip")
    without = replace(bea, custom=frozenset({"answer", "note", "arrange", "customers"} - {NEEDS[act]}))  # type: ignore[arg-type]
    only = replace(bea, custom=frozenset({NEEDS[act]}))  # type: ignore[arg-type]
    before = await rows_of(inst, ada)
    with pytest.raises(Refused) as refused:
        await acts_of(inst, without, talk.conversation_id, tag.id)[act]()  # type: ignore[misc]
    assert refused.value.status == 403
    assert await rows_of(inst, ada) == before
    await acts_of(inst, only, talk.conversation_id, tag.id)[act]()  # type: ignore[misc]


async def test_a_viewer_looks_and_changes_nothing(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser
) -> None:
    adas = await things_of(inst, ada, say)
    role: Role = "viewer"
    ask = "update staff_user set role = %s where account_id = %s and id = %s"
    await inst.db.run(ada.account_id, (ask, [role, ada.account_id, bea.staff_user_id]))
    await client.as_(bea)
    before = await rows_of(inst, ada)
    for asked in BODIES:
        method, path = asked.split(" ")
        answer = await send(client, asked, adas.ids)
        looks = (
            (method == "GET" and path != "/api/customers/{id}/looked")  # who looked is not for everybody
            or path in ("/api/here", "/api/conversations/{id}/seen")
            or asked.startswith("DELETE /api/conversations/{id}/draft")
        )
        assert (answer.status_code == 403) == (not looks), asked
    after = await rows_of(inst, ada)
    assert {name for name in after if after[name] != before[name]} <= {"seen", "access_waiting"}
    boot = (await client.get("/inbox")).text
    assert '"permissions":[]' in boot


async def test_live_hints_name_no_conversation_of_another_team(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    hidden = await hide(inst, ada, say)
    shown = await say(ada, "By chat", via="chat")
    live = Live(inst)
    heard: dict[str, list[bytes]] = {"ada": [], "bea": []}

    def reader(name: str) -> Send:
        async def send_(message: MutableMapping[str, Any]) -> None:
            heard[name].append(message.get("body", b""))

        return send_

    for name, staff in (("ada", ada), ("bea", bea)):
        stream = StaffStream(reader(name), await now_as(inst, staff), new_id())
        live._streams[ada.account_id].add(stream)
    for talk in (UUID(hidden.ids["conversation"]), shown.conversation_id):
        inst.bell.ring(ada.account_id, 99, talk)
        inst.presence.staff_here(ada.account_id, talk, ada.staff_user_id, True, True)
    await asyncio.sleep(0.3)
    live._streams.clear()
    told_to = {name: b"".join(lines) for name, lines in heard.items()}
    assert all(hidden.ids["conversation"].encode() in told_to[name] for name in ("ada",))
    assert hidden.ids["conversation"].encode() not in told_to["bea"]
    for name in ("ada", "bea"):
        assert str(shown.conversation_id).encode() in told_to[name] and b'"feed":99' in told_to[name]


async def test_who_is_kept_out_of_one_channel_works_in_the_others_as_everybody_does(
    inst: Installation, ada: Staff, bea: Staff, people: People, say: Say, new_browser: Callable[[], Browser]
) -> None:
    await shut_out(inst, ada, await channel_of(inst, ada), ada)
    seen = await say(ada, via="chat")
    browser = await new_browser().as_(await now_as(inst, bea))
    here = {"conversation_id": str(seen.conversation_id), "typing": False}
    assert (await browser.put("/api/here", json=here)).status_code == 204
    file = await browser.post(f"/api/conversations/{seen.conversation_id}/files", content=b"x")
    assert file.status_code == 201
    outsider = await new_browser().as_(await people.owner("Dee", "Dee's Dates"))
    assert (await outsider.put("/api/here", json=here)).status_code == 404
