"""What is wrong is put right wherever it is shown or found; who objected is not written to until they write."""

from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list, read_since
from chatinbox.conversations.incoming import Sender
from chatinbox.conversations.search.find import find
from chatinbox.conversations.search.index import renamed
from chatinbox.conversations.verbs.reply import Replied
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers.addresses import find_by_email
from chatinbox.customers.read import read_customer
from chatinbox.privacy.objection import end_objection, note_objection

HERS = "frida@mail.example"


async def _address(inst: Installation, by: Staff, customer_id: UUID) -> UUID:
    ask = "select id from address where account_id = %s and customer_id = %s"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, customer_id]))
    return UUID(str(rows[0][0]))


async def test_a_new_name_and_address_are_found_and_shown_and_the_old_ones_are_not(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, "Hello", HERS, sender=Sender(HERS, "Frieda Lynd"))
    other = await say(ada, "Hello", "karl@mail.example")
    await renamed(inst, ada.account_id, got.customer_id)
    start = (await read_since(inst, ada, 0)).feed
    assert (await find(inst, ada, "frieda")).hits
    await verbs.rename_customer(inst, ada, got.customer_id, "Frida Lind")
    address_id = await _address(inst, ada, got.customer_id)
    await verbs.correct_address(inst, ada, got.customer_id, address_id, "frida@home.example")
    assert (await read_since(inst, ada, start)).reset  # other browsers load their lists again
    worker.prepare(inst)
    while await inst.outbox.pump():
        pass
    assert (await find(inst, ada, "frida")).hits and (await find(inst, ada, "frida@home")).hits
    assert not (await find(inst, ada, "frieda")).hits and not (await find(inst, ada, HERS)).hits
    shown = {row.id: row.customer.name for row in (await read_list(inst, ada, "all")).rows}
    assert shown[got.conversation_id] == "Frida Lind"
    known = await read_customer(inst, ada.account_id, got.customer_id)
    [address] = known.addresses
    assert address.value == "frida@home.example" and not address.proven and address.source.kind == "staff"
    assert await find_by_email(inst, ada.account_id, HERS) is None
    for who, row, email, code in (
        (got.customer_id, address_id, "karl@mail.example", "email"),
        (got.customer_id, address_id, "no address", "email"),
        (other.customer_id, address_id, "x@home.example", "not_found"),
        (got.customer_id, new_id(), "x@home.example", "not_found"),
    ):
        with pytest.raises(Refused, match=code):
            await verbs.correct_address(inst, ada, who, row, email)
    with pytest.raises(Refused, match="not_found"):
        await verbs.correct_address(inst, cyd, got.customer_id, address_id, "x@home.example")


async def test_who_objected_is_answered_only_when_they_write_since(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, "Stop writing to me", HERS)
    for one in (got.customer_id, new_id()):
        with pytest.raises(Refused, match="not_found"):
            await note_objection(inst, cyd, one)
    await note_objection(inst, ada, got.customer_id)
    for knowingly in (False, True):  # no word of staff's outweighs it
        with pytest.raises(Refused, match="objected"):
            await verbs.reply(
                inst,
                ada,
                got.conversation_id,
                new_id(),
                Body(text="But"),
                seen_position=99,
                knowingly=knowingly,
            )
    with pytest.raises(Refused, match="objection"):
        await note_objection(inst, ada, got.customer_id)
    with travel(timedelta(minutes=1)):
        await say(ada, "A question", HERS, conversation_id=got.conversation_id)
        done = await verbs.reply(inst, ada, got.conversation_id, new_id(), Body(text="Yes"), seen_position=99)
        assert isinstance(done, Replied)
    await end_objection(inst, ada, got.customer_id)
    assert (await read_customer(inst, ada.account_id, got.customer_id)).objected_at is None
