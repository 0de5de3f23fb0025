"""Who is told by letter: whose conversation it is, who chose it, who is away and has not seen it; seldom, in numbers alone."""

from datetime import timedelta
from typing import Any

import pytest

from chatinbox.accounts.profile import Notify, change_profile
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.channels.email.kept import list_kept, read_kept
from chatinbox.conftest import People, Say
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.conversations.verbs.assign import assign
from chatinbox.conversations.verbs.mark_seen import mark_seen
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.notifications.tell import QUIET, WAIT, tell

CANARY = "my order of blue cups"


async def letters(inst: Installation, staff: Staff) -> list[str]:
    """Subjects of the letters to one staff user about news, oldest first."""
    return [
        one.header("subject")
        for one in reversed(await list_kept(inst, staff))
        if "of yours" in one.header("subject")
    ]


async def look(inst: Installation, staff: Staff) -> Any:
    return await tell(inst, staff.account_id, staff.staff_user_id)


async def test_who_is_away_hears_in_numbers_that_a_conversation_is_theirs_and_nobody_else_does(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, CANARY, subject=CANARY, email="casey@canary.example")
    await say(ada, CANARY, email="other@canary.example")
    await assign(inst, ada, got.conversation_id, bea.staff_user_id)
    for staff in (ada, bea, cyd):
        assert await look(inst, staff) is None
    assert await letters(inst, ada) == [] == await letters(inst, cyd)
    assert await letters(inst, bea) == ["A conversation of yours has news"]
    [kept] = [one for one in await list_kept(inst, bea) if "of yours" in one.header("subject")]
    text = (await read_kept(inst, bea, kept.id)).text
    assert "given to you, and the customer wrote" in text and "/inbox/mine/1" in text
    for word in (CANARY, "Casey", "canary.example"):
        assert word not in text
    ask = "select subject_id, instruction from ledger where account_id = %s and instruction like 'chosen%%'"
    assert await inst.db.run(cyd.account_id, (ask, [cyd.account_id])) == [[]]
    [[row]] = await inst.db.run(ada.account_id, (ask, [ada.account_id]))
    assert row[0] == bea.person_id


async def test_one_letter_in_half_an_hour_however_much_happens_and_the_rest_afterwards(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    first = await say(ada, "one", email="a@x.example")
    await assign(inst, ada, first.conversation_id, bea.staff_user_id)
    assert await look(inst, bea) is None
    for n in range(5):
        got = await say(ada, f"more {n}", email=f"more{n}@x.example")
        await assign(inst, ada, got.conversation_id, bea.staff_user_id)
        again = await look(inst, bea)
        assert again and now() + QUIET - WAIT < again <= now() + QUIET
    assert len(await letters(inst, bea)) == 1
    with travel(QUIET):
        assert await look(inst, bea) is None
        assert await look(inst, bea) is None  # nothing new since
    assert await letters(inst, bea) == [
        "A conversation of yours has news",
        "5 conversations of yours have news",
    ]


async def test_what_was_seen_or_given_to_oneself_is_no_news(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada, "one")
    await assign(inst, ada, got.conversation_id, bea.staff_user_id)
    await mark_seen(inst, bea, got.conversation_id, 99)
    own = await say(ada, "two", email="two@x.example")
    await mark_seen(inst, bea, own.conversation_id, 1)
    await assign(inst, bea, own.conversation_id, bea.staff_user_id)
    assert await look(inst, bea) is None and await letters(inst, bea) == []


async def test_who_works_with_the_inbox_just_now_is_looked_after_later(
    inst: Installation, ada: Staff, bea: Staff, say: Say
) -> None:
    got = await say(ada, "one")
    await assign(inst, ada, got.conversation_id, bea.staff_user_id)
    at = now()
    await inst.db.run(
        bea.account_id,
        ("insert into staff_activity (account_id, id, staff_user_id, began_at, last_at) values (%s, %s, %s, %s, %s)",
         [bea.account_id, new_id(), bea.staff_user_id, at - timedelta(minutes=20), at]),
    )  # fmt: skip
    assert await look(inst, bea) and await letters(inst, bea) == []
    with travel(timedelta(minutes=6)):
        assert await look(inst, bea) is None
    assert len(await letters(inst, bea)) == 1


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        (Notify(), "given to you, and the customer wrote"),
        (Notify(answered=False), "given to you\n"),
        (Notify(assigned=False), "the customer wrote"),
        (Notify(assigned=False, answered=False), None),
    ],
)
async def test_each_is_told_what_they_chose(
    inst: Installation, ada: Staff, bea: Staff, say: Say, notify: Notify, told: str | None
) -> None:
    await change_profile(inst, bea.person_id, notify=notify)
    got = await say(ada, "one")
    await assign(inst, ada, got.conversation_id, bea.staff_user_id)
    await look(inst, bea)
    kept = [one for one in await list_kept(inst, bea) if "of yours" in one.header("subject")]
    assert len(kept) == (1 if told else 0)
    if told:
        assert f"#1: {told}" in (await read_kept(inst, bea, kept[0].id)).text


async def test_of_a_channel_that_another_team_has_since_nothing_is_told(
    inst: Installation, ada: Staff, bea: Staff, people: People, say: Say
) -> None:
    got = await say(ada, "one")
    await assign(inst, ada, got.conversation_id, bea.staff_user_id)
    team_id = await create_team(inst, ada, "Others")
    await set_channel_teams(inst, ada, await people.channel(ada, "email"), [team_id])
    assert await look(inst, bea) is None and await letters(inst, bea) == []
