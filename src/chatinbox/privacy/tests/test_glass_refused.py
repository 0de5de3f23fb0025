"""Who was refused a look: the account sees it, and its owners hear of it once a day, however often somebody tries."""

import asyncio
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Say
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.privacy.glass import grants
from chatinbox.privacy.glass.seen import read_refusals, read_seen
from chatinbox.privacy.tests.test_glass import asked, olga, otto, refused

__all__ = ["olga", "otto"]

REFUSED = "Somebody of the operator was refused a look into your account"


async def test_owners_hear_that_somebody_was_refused_once_a_day_however_often_they_try(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    olga: Staff,
    otto: Staff,
    say: Say,
    above: psycopg.Connection,
) -> None:
    got = await say(ada, "canary that nobody of the operator reads")
    thing = ("conversation", got.conversation_id)
    for grant_id in (
        new_id(),
        await asked(inst, olga, ada),
        await asked(inst, olga, cyd, number=None, scope="settings"),
    ):
        for by in (olga, otto):
            for _ in range(4):
                assert await refused(inst, by, ada, grant_id, *thing)
    assert await refused(inst, olga, replace(ada, account_id=new_id()), new_id(), *thing), (
        "also where there is no account"
    )
    subjects = [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert subjects.count(REFUSED) == 1, "one letter to her owner, and none to Bea"
    noted = await read_looked(inst, ada, Filter(operator=True))
    assert [(one.deed, one.customer_id) for one in noted] == [("refused", None)] * 2, "a row for each of them"
    told = await read_refusals(inst, ada)
    assert sorted(one.count for one in told) == [12, 12] and {one.who.split()[0] for one in told} == {
        "Olga",
        "Otto",
    }
    assert await read_seen(inst, ada) == (await grants.read_grants(inst, ada.account_id), []), (
        "nothing was looked at"
    )
    with pytest.raises(Refused):
        await read_refusals(inst, bea)
    assert await read_refusals(inst, cyd) == [] and not await read_looked(inst, cyd, Filter(operator=True))
    assert REFUSED not in [letter.header("subject") for letter in await list_kept(inst, cyd)]
    above.execute("update tenant.operator_refusal set told_at = told_at - interval '25 hours', day = day - 1")
    assert await refused(inst, olga, ada, new_id(), *thing)
    subjects = [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert subjects.count(REFUSED) == 2, "another day, another letter"


async def test_twenty_tries_at_once_are_one_letter_and_one_line(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, say: Say
) -> None:
    got = await say(ada)
    tries = (refused(inst, olga, ada, new_id(), "conversation", got.conversation_id) for _ in range(20))
    assert all(await asyncio.gather(*tries))
    assert [letter.header("subject") for letter in await list_kept(inst, ada)].count(REFUSED) == 1
    [told] = await read_refusals(inst, ada)
    assert told.count == 20 and len(await read_looked(inst, ada, Filter(operator=True))) == 1
    assert await read_refusals(inst, cyd) == []


async def test_a_key_that_is_refused_in_the_middle_of_a_look_is_told_as_well(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    olga: Staff,
    otto: Staff,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the key service at hand, and rows that can be read: the grant ends before the key is lent."""
    got = await say(ada, "canary")
    grant_id = await asked(inst, olga, ada)
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    lend = inst.vault.lend

    async def ended(*words: Any) -> Any:
        await grants.end(inst, ada.account_id, grant_id)
        return await lend(*words)

    monkeypatch.setattr(inst.vault, "lend", ended)
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
    assert REFUSED in [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert [one.count for one in await read_refusals(inst, ada)] == [1] and not await read_refusals(inst, cyd)


async def test_what_an_order_hides_is_not_told_by_a_refusal_before_its_day(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada)
    grant_id = await asked(inst, olga, ada)
    above.execute(
        "update tenant.operator_grant set ground = 'law', object = 'case', object_id = null, case_id = gen_random_uuid(),"
        " shown_from = now() + interval '9 days' where id = %s",
        [grant_id],
    )
    before = [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
    assert [letter.header("subject") for letter in await list_kept(inst, ada)] == before
    assert await read_refusals(inst, ada) == [] and not await read_looked(inst, ada, Filter(operator=True))
    above.execute("update tenant.operator_refusal set shown_from = now() - interval '1 minute'")
    assert [one.count for one in await read_refusals(inst, ada)] == [1]
    assert await read_refusals(inst, cyd) == []
