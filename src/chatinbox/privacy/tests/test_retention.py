"""Rules by which old conversations are erased: what they choose, what they leave, and that they were followed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import Sender
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.hold import hold
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.package.read import read_package
from chatinbox.privacy.restriction.restrict import restrict
from chatinbox.privacy.retention.due import Asked, preview
from chatinbox.privacy.retention.rules import end_rule, list_rules, list_runs, make_rule
from chatinbox.privacy.retention.run import run_rules
from chatinbox.web.tests.test_tenancy import rows_of

HERS = "frida@mail.example"
DAY = timedelta(days=1, minutes=1)


@pytest.fixture
async def old(inst: Installation, ada: Staff, say: Say) -> AsyncIterator[dict[str, UUID]]:
    """Frida wrote a hundred days ago and today, Karl a hundred days ago only; by name the conversation and the customer."""
    found = {}
    with travel(-timedelta(days=100)):
        for who in ("frida", "karl"):
            got = await say(
                ada, "Long ago", f"{who}@mail.example", sender=Sender(f"{who}@mail.example", who.capitalize())
            )
            found |= {who: got.conversation_id, f"{who}'s": got.customer_id}
    found["today"] = (await say(ada, "Today", HERS)).conversation_id
    yield found


async def follow(inst: Installation, by: Staff) -> int:
    """A day later: the round, then what it asked for."""
    given = await run_rules(inst, by.account_id)
    ask = "select id from erasure where account_id = %s and done_at is null"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    for (erasure_id,) in rows:
        await erase(inst, by.account_id, erasure_id)
    return given


async def here(inst: Installation, by: Staff) -> set[UUID]:
    return {row.id for row in (await read_list(inst, by, "all")).rows}


async def test_old_conversations_go_and_with_the_last_of_them_the_customer(
    inst: Installation, ada: Staff, cyd: Staff, old: dict[str, UUID], say: Say
) -> None:
    with travel(-timedelta(days=100)):
        await say(cyd, "Next door", HERS)
    neighbour = await rows_of(inst, cyd)
    await make_rule(inst, ada, Asked("silence", 90))
    with travel(DAY):
        assert await follow(inst, ada) == 2
        assert await here(inst, ada) == {old["today"]}
        await inst.vault.customer_key(ada.account_id, old["frida's"])
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, old["karl's"])
        [run] = await list_runs(inst, ada)
        assert (run.conversation_count, run.customer_count, run.kept_count) == (2, 1, 0)
        assert await follow(inst, ada) == 0  # and the next day's is shown, too
        assert len(await list_runs(inst, ada)) == 2
    assert await rows_of(inst, cyd) == neighbour and await list_runs(inst, cyd) == []


async def test_copies_in_which_a_conversation_stands_go_with_it(
    inst: Installation, ada: Staff, cyd: Staff, old: dict[str, UUID], say: Say
) -> None:
    """One that is made, one that is being made; Karla's, of whom nothing is old, and a neighbour's stay."""
    karla = await say(ada, "Today", "karla@mail.example")
    nextdoor = await say(cyd, "Next door", HERS)
    ids = [
        await ask_package(inst, one.account_id, customer_id, one)
        for one, customer_id in ((ada, old["frida's"]), (ada, karla.customer_id), (cyd, nextdoor.customer_id))
    ]
    for one, package_id in zip((ada, ada, cyd), ids, strict=True):
        assert await make_package(inst, one.account_id, package_id)
    waits = await ask_package(inst, ada.account_id, old["frida's"], ada)
    await make_rule(inst, ada, Asked("silence", 90))
    with travel(DAY):
        await follow(inst, ada)
        for package_id in (ids[0], waits):
            with pytest.raises(Refused, match="ended"):
                await read_package(inst, ada.account_id, package_id, ada)
        with pytest.raises(Erased):
            await inst.vault.package_key(ada.account_id, ids[0])
        assert not await make_package(inst, ada.account_id, waits), (
            "what was asked for before is not made after"
        )
        assert await read_package(inst, ada.account_id, ids[1], ada)
        assert await read_package(inst, cyd.account_id, ids[2], cyd)


async def test_a_rule_can_be_taken_back_until_it_is_followed(
    inst: Installation, ada: Staff, old: dict[str, UUID]
) -> None:
    first = await make_rule(inst, ada, Asked("silence", 90))
    assert await follow(inst, ada) == 0  # not on the day it was made
    assert await end_rule(inst, ada, first)
    with travel(DAY):
        assert await follow(inst, ada) == 0 and len(await here(inst, ada)) == 3
        second = await make_rule(inst, ada, Asked("silence", 90))
    with travel(2 * DAY):
        await follow(inst, ada)
        assert not await end_rule(inst, ada, second)
        with pytest.raises(Refused, match="not_found"):
            await end_rule(inst, ada, second)
        assert await list_rules(inst, ada) == [] and len(await list_runs(inst, ada)) == 1


async def test_what_is_held_or_set_aside_stays_and_is_counted(
    inst: Installation, ada: Staff, old: dict[str, UUID]
) -> None:
    number = next(
        str(row.number) for row in (await read_list(inst, ada, "all")).rows if row.id == old["frida"]
    )
    await hold(inst, ada, old["frida's"], number, "claims", "A claim", now().date() + timedelta(days=30))
    await restrict(inst, ada, old["karl's"], "unlawful")
    await make_rule(inst, ada, Asked("age", 90))
    told = await preview(inst, ada.account_id, Asked("age", 90))
    assert (told.conversations, told.customers, told.kept, told.samples) == (0, 0, 2, [])
    with travel(DAY):
        assert await follow(inst, ada) == 0 and len(await here(inst, ada)) == 3
        [run] = await list_runs(inst, ada)
        assert run.kept_count == 2
    with travel(timedelta(days=40)):
        assert await follow(inst, ada) == 1  # the hold has ended
        assert await here(inst, ada) == {old["karl"], old["today"]}


async def test_whoever_writes_between_the_choice_and_the_erasing_keeps_it(
    inst: Installation, ada: Staff, old: dict[str, UUID], say: Say
) -> None:
    await make_rule(inst, ada, Asked("silence", 90))
    with travel(DAY):
        assert await run_rules(inst, ada.account_id) == 2
    with travel(2 * DAY):
        again = await say(ada, "I am back", "karl@mail.example", conversation_id=old["karl"])
        new = await say(ada, "And something else", "karl@mail.example")
        assert new.customer_id == old["karl's"]
        await follow(inst, ada)
        assert {old["karl"], new.conversation_id, old["today"]} == await here(inst, ada)
        assert str(again.message_id) in str((await rows_of(inst, ada))["message"])


async def test_a_rule_is_of_one_channel_and_one_tag_where_it_says_so(
    inst: Installation, ada: Staff, old: dict[str, UUID], say: Say
) -> None:
    with travel(-timedelta(days=100)):
        chat = await say(ada, "By chat", via="chat", sender=Sender(None, "Somebody"))
    tag = await verbs.create_tag(inst, ada, "quote")
    await verbs.tag(inst, ada, old["karl"], tag.id)
    rows = (await read_list(inst, ada, "all")).rows
    channel_id = next(row.channel_id for row in rows if row.id == chat.conversation_id)
    for asked, which in (
        (Asked("age", 90, channel_id), chat.conversation_id),
        (Asked("age", 90, None, tag.id), old["karl"]),
    ):
        told = await preview(inst, ada.account_id, asked)
        assert told.conversations == 1
        [sample] = told.samples
        assert sample.number == next(row.number for row in rows if row.id == which)
    assert (await preview(inst, ada.account_id, Asked("age", 90))).conversations == 3
    assert (await preview(inst, ada.account_id, Asked("age", 101))).conversations == 0
    with pytest.raises(Refused, match="not_found"):
        await make_rule(inst, ada, Asked("age", 90, new_id()))


async def test_only_who_may_erase_and_sees_every_channel_makes_rules(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    rule_id = await make_rule(inst, ada, Asked("age", 365))
    with pytest.raises(Refused, match="not_permitted"):
        await make_rule(inst, bea, Asked("age", 90))
    with pytest.raises(Refused, match="team"):
        await make_rule(inst, replace(ada, kept_out=frozenset([new_id()])), Asked("age", 90))
    for days in (0, -1, 99_999):
        with pytest.raises(Refused, match="days"):
            await make_rule(inst, ada, Asked("age", days))
    with pytest.raises(Refused, match="not_found"):
        await end_rule(inst, cyd, rule_id)
    assert await list_rules(inst, cyd) == [] and len(await list_rules(inst, ada)) == 1


async def test_many_customers_are_chosen_with_few_statements(
    inst: Installation, ada: Staff, say: Say
) -> None:
    with travel(-timedelta(days=100)):
        for number in range(12):
            await say(ada, "Old", f"c{number}@mail.example")
    await make_rule(inst, ada, Asked("age", 90))
    with travel(DAY):
        seen: list[str] = []
        token = statements.set(seen)
        try:
            assert await run_rules(inst, ada.account_id) == 12
        finally:
            statements.reset(token)
    assert len([one for one in seen if "insert into erasure" not in one]) <= 6
