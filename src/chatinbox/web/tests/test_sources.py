"""Whatever is known of a customer says from where; without that it cannot be written."""

import io
import json
import zipfile
from email.policy import SMTP

import pytest
from psycopg.errors import CheckViolation, NotNullViolation

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import address_of, channel_of, letter, only
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations.incoming import Sender
from chatinbox.conversations.verbs import rename_customer
from chatinbox.conversations.verbs.claim_address import claim_address
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers.read import read_customer
from chatinbox.privacy.account_export import export_account
from chatinbox.web.panel import read_panel
from chatinbox.web.tests.test_sight import now_as, shut_out


async def test_a_name_and_an_address_say_by_which_channel_they_came_and_a_changed_name_who_wrote_it(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, client: Browser
) -> None:
    got = await say(ada)
    await client.as_(bea)
    panel = (await client.get(f"/api/customers/{got.customer_id}")).json()
    for source in (panel["name_source"], panel["addresses"][0]["source"]):
        assert (source["kind"], source["name"], source["id"]) == ("channel", "Ada's Tea", None) and source[
            "at"
        ] > 0
    await rename_customer(inst, bea, got.customer_id, "Casey C.")
    panel = (await client.get(f"/api/customers/{got.customer_id}")).json()
    assert (panel["name_source"]["kind"], panel["name_source"]["id"]) == ("staff", str(bea.staff_user_id))
    assert panel["addresses"][0]["source"]["kind"] == "channel"
    for typed, stored in (
        ("Casey 4111 1111 1111 1111", "Casey •••• •••• •••• 1111"),
        ("Casey 4111 1111 1111 1112", "Casey 4111 1111 1111 1112"),
    ):
        await rename_customer(inst, bea, got.customer_id, typed)
        assert (await read_customer(inst, ada.account_id, got.customer_id)).name == stored
    await rename_customer(inst, bea, got.customer_id, "")
    assert (await read_panel(inst, ada, got.customer_id))["name_source"] is None
    with pytest.raises(Refused):
        await read_panel(inst, cyd, got.customer_id)


async def test_an_address_that_a_visitor_gave_came_by_the_chat(
    inst: Installation, ada: Staff, people: People, say: Say
) -> None:
    got, chat = await say(ada, via="chat", email=None), await people.channel(ada, "chat")
    await claim_address(inst, ada.account_id, got.conversation_id, got.customer_id, chat, "v@mail.example")
    [address] = (await read_panel(inst, ada, got.customer_id))["addresses"]
    assert (address.source.kind, address.source.name, address.proven) == ("channel", "Ada's Tea", False)


async def test_what_a_passed_on_letter_says_of_its_writer_is_known_from_a_forward(
    inst: Installation, ada: Staff
) -> None:
    ours = await address_of(inst, ada)
    message = letter("Hi", From=f"Frida via Support <{ours}>", Reply_To="Frida Berg <frida@mail.example>")
    raw = message.as_bytes(policy=SMTP)
    await place(
        inst, await store(inst, ada.account_id, await channel_of(inst, ada), raw, "x@y.example", ours)
    )
    panel = await read_panel(inst, ada, (await only(inst, ada)).row.customer.id)
    assert panel["name"] == "Frida Berg"
    assert panel["name_source"].kind == panel["addresses"][0].source.kind == "forward"


async def test_what_a_colleague_forwarded_says_which_colleague_did(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    sender = Sender("gus@mail.example", "Gus Berg", passed_on_by=bea.staff_user_id)
    got = await say(ada, "Where is it?", sender=sender)
    panel = await read_panel(inst, ada, got.customer_id)
    for source in (panel["name_source"], panel["addresses"][0].source):
        assert (source.kind, source.id, source.name) == ("colleague", bea.staff_user_id, None)
    with pytest.raises(Refused):
        await read_panel(inst, cyd, got.customer_id)


async def test_who_is_kept_out_of_a_channel_does_not_learn_what_it_is_called(
    inst: Installation, ada: Staff, bea: Staff, people: People, say: Say
) -> None:
    got = await say(ada)
    known = got.customer_id
    await say(ada, "again", via="chat", email="customer@mail.example")
    await shut_out(inst, ada, await channel_of(inst, ada), await people.colleague(ada, "Dan"))
    panel = await read_panel(inst, await now_as(inst, bea), known)
    assert panel["name_source"].kind == "channel" and panel["name_source"].name is None
    assert panel["name_source"].id is None and (await read_panel(inst, ada, known))["name_source"].name


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("update customer set name_sealed = 'x', name_source = null where account_id = %(account)s and id = %(id)s", CheckViolation),
        ("update customer set language = 'de' where account_id = %(account)s and id = %(id)s", CheckViolation),
        ("update customer set name_source = 'guess' where account_id = %(account)s and id = %(id)s", CheckViolation),
        ("update customer set name_source = 'staff', name_source_id = null where account_id = %(account)s and id = %(id)s", CheckViolation),
        ("update customer set name_sourced_at = null where account_id = %(account)s and id = %(id)s", CheckViolation),
        ("update address set source = null where account_id = %(account)s", NotNullViolation),
        ("update address set source_id = null where account_id = %(account)s", CheckViolation),
        ("insert into address (account_id, id, customer_id, kind, value_sealed, created_at)"
         " values (%(account)s, %(new)s, %(id)s, 'phone', 'x', now())", NotNullViolation),
    ],
)  # fmt: skip
async def test_nothing_writes_a_field_without_saying_from_where(
    inst: Installation, ada: Staff, say: Say, written: str, error: type[Exception]
) -> None:
    got = await say(ada)
    with pytest.raises(error):
        await inst.db.run(
            ada.account_id, (written, {"account": ada.account_id, "id": got.customer_id, "new": new_id()})
        )


async def test_the_export_says_it_too(inst: Installation, ada: Staff, say: Say) -> None:
    await say(ada)
    whole = b"".join([part async for part in await export_account(inst, ada)])
    with zipfile.ZipFile(io.BytesIO(whole)) as exported:
        [customer] = [json.loads(line) for line in exported.read("customer.jsonl").splitlines()]
        [address] = [json.loads(line) for line in exported.read("address.jsonl").splitlines()]
    channel = str(await channel_of(inst, ada))
    assert (customer["name_source"], customer["name_source_id"]) == ("channel", channel)
    assert (address["source"], address["source_id"]) == ("channel", channel)
