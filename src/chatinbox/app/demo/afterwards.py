"""What follows the play: answers on their way, what staff have read, held letters, and the words to search for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chatinbox.app.demo.stage import House, Scene
from chatinbox.channels.email.receive import place, store
from chatinbox.channels.email.send import send
from chatinbox.conversations import verbs
from chatinbox.conversations.search.index import index
from chatinbox.core import clock
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Outbox
from chatinbox.core.purpose import Use
from chatinbox.reports.recorded import HEARD, record_deeds

REALLY_SENT = (
    6  # the newest answers by e-mail go the whole way, so that the built-in outbox has letters to show
)
UNREAD = timedelta(hours=5)

_WRITTEN = "select id from message where account_id = %s and author = 'staff'"
_ANSWERS = """
select d.id, d.conversation_id, d.message_id, d.kind, d.changed_at, m.position < c.position as answered
  from delivery d join message m on m.account_id = d.account_id and m.id = d.message_id
  join conversation c on c.account_id = d.account_id and c.id = d.conversation_id
 where d.account_id = %s and d.state = 'waiting' order by d.changed_at"""


async def deliver_answers(inst: Installation, house: House, scenes: Sequence[Scene]) -> None:
    """Says of each answer what became of it; the newest letters are really sent."""
    [written] = await inst.db.run(house.account_id, (_WRITTEN, [house.account_id]))
    await verbs.set_out(inst, house.account_id, [message_id for (message_id,) in written])
    [answers] = await inst.db.run(house.account_id, (_ANSWERS, [house.account_id]))
    failed = {
        s.last_reply: s.thread.end.partition(" ")[2] for s in scenes if s.thread.end.startswith("failed")
    }
    letters = [row for row in answers if row[3] == "email" and row[2] not in failed]
    sent = {row[0] for row in letters[-REALLY_SENT:]}
    for row in answers:
        with clock.travel(row[4] + timedelta(seconds=9) - datetime.now(UTC)):
            if row[0] in sent:
                await send(inst, house.account_id, row[0])
            else:
                await _mark(inst, house.account_id, row, failed.get(row[2]))


async def _mark(inst: Installation, account_id: UUID, row: Any, reason: str | None) -> None:
    delivery_id, conversation_id, _, kind, _, answered = row
    if reason:
        await verbs.mark_delivery(inst, account_id, conversation_id, delivery_id, "failed", reason)
    elif kind == "email":
        await verbs.mark_delivery(inst, account_id, conversation_id, delivery_id, "sent")
    else:
        state = "seen" if answered else "delivered"
        await verbs.mark_delivery(inst, account_id, conversation_id, delivery_id, state)  # type: ignore[arg-type]


async def read_by_staff(inst: Installation, house: House, scenes: Sequence[Scene]) -> None:
    """Ana has read everything but the newest; the others what they took part in."""
    [rows] = await inst.db.run(
        house.account_id,
        ("select id, position from conversation where account_id = %s", [house.account_id]),
    )
    positions: dict[UUID | None, int] = dict(rows)
    fresh = datetime.now(UTC) - UNREAD
    for scene in scenes:
        new = scene.said_by == "customer" and scene.said_at is not None and scene.said_at > fresh
        readers = {"ana", *(step.who for step in scene.thread.steps)} & house.staff.keys()
        if new or scene.conversation_id is None:
            continue
        for name in sorted(readers):
            position = positions[scene.conversation_id]
            await verbs.mark_seen(inst, house.staff[name], scene.conversation_id, position)


_UNPLACEABLE = (
    (
        3,
        b"Subject: Re: Re: pallet\r\nDate: Mon, 1 Jan 2024 08:00:00 +0000\r\n\r\nThe driver needs the gate open by seven.\r\n",
    ),
    (30, b"From: undisclosed\r\nSubject: Your quote\r\n\r\nPlease see below. Regards.\r\n"),
)


async def hold_letters(inst: Installation, house: House) -> None:
    """Letters that nobody signed: the mail door holds them where staff decide."""
    for hours, raw in _UNPLACEABLE:
        with clock.travel(-timedelta(hours=hours)):
            arrived = await store(inst, house.account_id, house.mail_channel, raw, None, house.mail_address)
            await place(inst, arrived)


async def hear_the_play(inst: Installation) -> None:
    """Makes what was said findable, counts what staff did, and empties the outbox: these answers have been on their way already."""
    outbox = Outbox(inst.db, inst.bell, inst.calm)
    finds = Use("Makes words findable", "find", "2")
    counts = Use("Records what staff did", "report", "3")
    outbox.on(["message.received", "message.sent", "note.added"], lambda batch: index(inst, batch), finds)
    outbox.on(HEARD, lambda batch: record_deeds(inst, batch), counts)
    while await outbox.pump():
        pass
