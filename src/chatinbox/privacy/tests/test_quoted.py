"""Where others quoted somebody who is erased is listed for staff to look at: ids of those conversations, and nothing is touched."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers.read import read_customer
from chatinbox.privacy.erasure import quoted
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.quoted import mark_reviewed
from chatinbox.privacy.erasure.read import list_erasures

HERS = "frida.lind@mail.example"
LINE = "The blue vase arrived in eleven pieces on Friday."


async def erased(inst: Installation, by: Staff, customer_id: UUID) -> UUID:
    name = (await read_customer(inst, by.account_id, customer_id)).name
    erasure_id = await ask_erasure(inst, by, customer_id, name)
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, by.account_id, erasure_id)
    return erasure_id


async def listed(inst: Installation, by: Staff, erasure_id: UUID) -> set[UUID]:
    return {talk.id for one in await list_erasures(inst, by) if one.id == erasure_id for talk in one.quoted}


async def test_lines_addresses_and_whole_names_are_found_in_what_others_wrote_and_folded(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    early = await say(ada, f"Before her time: {HERS}", "early@mail.example")
    hers = await say(ada, f"Hello\n{LINE}\nThank you!\nBest regards from the north", HERS)
    await verbs.rename_customer(inst, ada, hers.customer_id, "Frida Lind")
    again = await say(ada, LINE, HERS)
    folded = Body(text="See below", quoted_text=f"On Friday, somebody wrote:\n>> {LINE.upper()}\n> Hm")
    quotes = [
        await say(ada, "", "one@mail.example", body=folded),
        await say(ada, "Ask frida.LIND@mail.example about it", "two@mail.example"),
        await say(ada, "My neighbour Frida  Lind told me", "three@mail.example"),
    ]
    noted = await say(ada, "A question", "four@mail.example")
    await verbs.add_note(inst, ada, noted.conversation_id, new_id(), Body(text=f"> {LINE}"))
    others = [
        await say(ada, "Thank you!\nThe blue vase arrived whole.", "five@mail.example"),
        await say(ada, "Frida is a common name, and so is Lind", "six@mail.example"),
    ]
    elsewhere = await say(cyd, LINE, "one@mail.example")
    before = [
        await timeline(inst, ada, one.conversation_id) for one in (*quotes, noted, *others)
    ]  # of each, what stands there
    erasure_id = await erased(inst, ada, hers.customer_id)
    wanted = {one.conversation_id for one in (*quotes, noted)}
    found = await listed(inst, ada, erasure_id)
    assert found == wanted, "and not what was written before their first day"
    assert not found & {
        early.conversation_id,
        hers.conversation_id,
        again.conversation_id,
        elsewhere.conversation_id,
    }
    assert [await timeline(inst, ada, one.conversation_id) for one in (*quotes, noted, *others)] == before
    assert await listed(inst, cyd, erasure_id) == set()


async def timeline(inst: Installation, by: Staff, conversation_id: UUID) -> list[tuple[UUID, bytes]]:
    """Messages and notes as they are stored."""
    ask = (
        "select id, body_sealed from message where account_id = %(a)s and conversation_id = %(c)s"
        " union all select id, body_sealed from note where account_id = %(a)s and conversation_id = %(c)s order by 1"
    )
    [rows] = await inst.db.run(by.account_id, (ask, {"a": by.account_id, "c": conversation_id}))
    return [(row[0], bytes(row[1])) for row in rows]


async def test_it_is_on_the_page_until_somebody_says_that_they_looked(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, new_browser: Callable[[], Browser]
) -> None:
    hers = await say(ada, LINE, HERS)
    other = await say(ada, f"> {LINE}", "one@mail.example")
    erasure_id = await erased(inst, ada, hers.customer_id)
    client = await new_browser().as_(ada)
    page = (await client.get("/settings/erasures")).text
    assert "Quoted in conversations of others" in page and "/inbox/all/2" in page
    form = {"do": "reviewed", "erasure": str(erasure_id)}
    stranger = await new_browser().as_(cyd)
    assert (await stranger.post("/settings/erasures", data=form)).status_code == 404
    assert await listed(inst, ada, erasure_id) == {other.conversation_id}
    assert (await client.post("/settings/erasures", data=form)).status_code in (200, 303)
    page = (await client.get("/settings/erasures")).text
    assert "/inbox/all/2" not in page and "Looked at where others quoted them" in page
    with pytest.raises(Refused, match="not_found"):
        await mark_reviewed(inst, ada, erasure_id)


async def test_who_does_not_see_a_conversation_is_not_told_of_it_and_cannot_let_it_go(
    inst: Installation, ada: Staff, say: Say
) -> None:
    hers = await say(ada, LINE, HERS)
    other = await say(ada, f"> {LINE}", "one@mail.example")
    erasure_id = await erased(inst, ada, hers.customer_id)
    [[[channel_id]]] = await inst.db.run(
        ada.account_id,
        (
            "select channel_id from conversation where account_id = %s and id = %s",
            [ada.account_id, other.conversation_id],
        ),
    )
    kept_out = replace(ada, kept_out=frozenset({channel_id}))
    assert await listed(inst, kept_out, erasure_id) == set()
    with pytest.raises(Refused, match="not_found"):
        await mark_reviewed(inst, kept_out, erasure_id)
    assert await listed(inst, ada, erasure_id) == {other.conversation_id}


async def test_a_conversation_that_is_erased_itself_leaves_the_list(
    inst: Installation, ada: Staff, say: Say
) -> None:
    hers = await say(ada, LINE, HERS)
    other = await say(ada, f"> {LINE}", "one@mail.example")
    erasure_id = await erased(inst, ada, hers.customer_id)
    await erased(inst, ada, other.customer_id)
    [[[left]]] = await inst.db.run(
        ada.account_id,
        ("select review from erasure where account_id = %s and id = %s", [ada.account_id, erasure_id]),
    )
    assert left == []


async def test_all_is_looked_through_page_by_page(
    inst: Installation, ada: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quoted, "AT_ONCE", 2)
    hers = await say(ada, LINE, HERS)
    first = await say(ada, f"> {LINE}", "one@mail.example")
    for number in range(4):
        await say(ada, f"Words {number}", f"{number}@mail.example")
    assert await listed(inst, ada, await erased(inst, ada, hers.customer_id)) == {first.conversation_id}
