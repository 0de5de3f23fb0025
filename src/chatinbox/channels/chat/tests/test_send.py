"""Answers on their way: into the box, and by e-mail when the visitor has left."""

from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat.send import send
from chatinbox.channels.chat.tests.conftest import Boxes, Browser
from chatinbox.channels.chat.tests.test_doors import answer, conversation_of, deliveries
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.presence import Presence


async def add_email_channel(inst: Installation, who: Staff) -> None:
    seal, channel_id = await inst.vault.account_key(who.account_id), new_id()
    await inst.db.run(
        who.account_id,
        ("update channel set closed_at = now() where account_id = %s and kind = 'email'", [who.account_id]),
        (
            "insert into channel (account_id, id, kind, name_sealed, settings_sealed, created_at)"
            " values (%s, %s, 'email', %s, %s, %s)",
            [
                who.account_id,
                channel_id,
                seal.seal("Post", who.account_id, "channel", "name", channel_id),
                seal.seal(b"{}", who.account_id, "channel", "settings", channel_id),
                now(),
            ],
        ),
    )


async def answered(inst: Installation, who: Staff, visitor: Browser) -> tuple[UUID, UUID]:
    conversation_id = await conversation_of(inst, who, (await visitor.say("hello"))["id"])
    await answer(inst, who, conversation_id, "Good morning")
    await deliveries(inst, who)
    [rows] = await inst.db.run(
        who.account_id, ("select id from delivery where account_id = %s", [who.account_id])
    )
    return conversation_id, rows[0][0]


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presence, "has_visitor_left", lambda self, conversation_id: True)


async def test_an_answer_to_a_visitor_who_left_goes_by_mail_once(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes, left: None
) -> None:
    await add_email_channel(inst, ada)
    visitor = boxes.browser()
    await visitor.say("first")
    await visitor.ask("PUT", "email", email="layla@example.dk")
    _, delivery_id = await answered(inst, ada, visitor)
    for _ in range(3):
        await send(inst, ada.account_id, delivery_id)
    assert sorted(await deliveries(inst, ada)) == [("chat", "sent"), ("email", "waiting")]
    assert await deliveries(inst, cyd) == []


async def test_an_answer_that_was_fetched_stays_in_the_chat(
    inst: Installation, ada: Staff, boxes: Boxes, left: None
) -> None:
    await add_email_channel(inst, ada)
    visitor = boxes.browser()
    await visitor.say("first")
    await visitor.ask("PUT", "email", email="layla@example.dk")
    _, delivery_id = await answered(inst, ada, visitor)
    await visitor.ask("PUT", "seen", position=9)
    await send(inst, ada.account_id, delivery_id)
    assert await deliveries(inst, ada) == [("chat", "seen")]


async def test_without_an_address_the_answer_waits_in_the_box(
    inst: Installation, ada: Staff, boxes: Boxes, left: None
) -> None:
    await add_email_channel(inst, ada)
    _, delivery_id = await answered(inst, ada, boxes.browser())
    await send(inst, ada.account_id, delivery_id)
    assert await deliveries(inst, ada) == [("chat", "sent")]


async def test_a_delivery_of_another_account_is_not_touched(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes, left: None
) -> None:
    _, delivery_id = await answered(inst, ada, boxes.browser())
    await send(inst, cyd.account_id, delivery_id)
    assert await deliveries(inst, ada) == [("chat", "waiting")]
