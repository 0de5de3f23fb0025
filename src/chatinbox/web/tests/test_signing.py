"""What leaves is signed once the domain's own record shows the key, and by nobody else's hand."""

from collections.abc import Callable
from html import unescape

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import signing
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.send import send
from chatinbox.channels.email.tests.conftest import server
from chatinbox.channels.email.tests.letters import address_of, channel_of, deliveries
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import Sender
from chatinbox.conversations.timeline import Message, read_timeline
from chatinbox.core.egress import Letter
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.letter import write_to_customer
from chatinbox.privacy.opening import open_row
from promises.arriving import ELSEWHERE, bring
from promises.name_server import NameServer

__all__ = ["server"]
PAGE = "/settings/channels"


async def states(inst: Installation, staff: Staff) -> dict[str, str]:
    [one] = (await signing.read_signings(inst, staff)).values()
    return {record.what: record.state for record in one.records}


async def answered(inst: Installation, staff: Staff, say: Say, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An answer's bytes as they leave."""
    left: list[bytes] = []
    said = await say(staff, "A question", email=f"{new_id().hex[-8:]}@customer.example")
    await verbs.reply(inst, staff, said.conversation_id, new_id(), Body(text="An answer"), seen_position=1)

    async def leaves(letter: object) -> None:
        left.append(letter.raw)  # type: ignore[attr-defined]

    with monkeypatch.context() as patch:
        patch.setattr(inst.egress, "mail", leaves)
        for delivery_id, *_ in await deliveries(inst, staff):
            await send(inst, staff.account_id, delivery_id)
    return left[-1]


async def written(inst: Installation, staff: Staff, say: Say, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A letter about somebody's own rights, as it leaves."""
    left: list[bytes] = []
    email = f"{new_id().hex[-8:]}@customer.example"
    said = await say(staff, email=email, sender=Sender(email, "Frida Lind"))

    async def leaves(letter: Letter) -> None:
        left.append(letter.raw)

    with monkeypatch.context() as patch:
        patch.setattr(inst.egress, "mail", leaves)
        await write_to_customer(
            inst, staff, said.customer_id, "Your data", "It is right again.", "restriction"
        )
    return left[-1]


async def test_letters_are_signed_from_when_the_record_is_found_and_hold_at_their_recipients(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    say: Say,
    server: NameServer,
    new_browser: Callable[[], Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    domain = (await address_of(inst, ada)).rpartition("@")[2]
    assert (await browser.post(PAGE, data={"do": "make_key", "id": str(channel_id)})).status_code == 200
    dkim, spf, dmarc = (await signing.read_signings(inst, ada))[channel_id].records
    page = unescape((await browser.get(PAGE)).text)
    assert all(one.name in page and one.value in page for one in (dkim, spf, dmarc))
    look = {"do": "find_records", "id": str(channel_id)}
    assert "not signed yet" in (await browser.post(PAGE, data=look)).text
    assert await states(inst, ada) == {"DKIM": "not found", "SPF": "not found", "DMARC": "not found"}
    assert b"DKIM-Signature" not in await answered(inst, ada, say, monkeypatch)

    server.knows |= {f"TXT {dkim.name}": ["v=DKIM1; k=rsa; p=AAAA"], f"TXT {domain}": ["v=spf1 -all"]}
    inst.egress.names = server.names()
    await browser.post(PAGE, data=look)
    assert await states(inst, ada) == {"DKIM": "differs", "SPF": "differs", "DMARC": "not found"}
    assert b"DKIM-Signature" not in await answered(inst, ada, say, monkeypatch)

    server.knows |= {f"TXT {one.name}": [one.value] for one in (dkim, spf, dmarc)}
    inst.egress.names = server.names()
    assert "are signed from now on" in (await browser.post(PAGE, data=look)).text
    assert set((await states(inst, ada)).values()) == {"found"}
    raw = await answered(inst, ada, say, monkeypatch)
    assert f"d={domain};".encode() in raw
    await bring(inst, await address_of(inst, cyd), raw, "x@y.example", ELSEWHERE)
    [row] = (await read_list(inst, cyd, "all")).rows
    [message] = (await read_timeline(inst, cyd, row.id, inst.links)).entries
    assert isinstance(message, Message) and message.sender and message.sender.is_ == "vouched"

    about_rights = await written(inst, ada, say, monkeypatch)
    assert f"d={domain};".encode() in about_rights
    await bring(inst, await address_of(inst, cyd), about_rights, "x@y.example", ELSEWHERE)
    for row in (await read_list(inst, cyd, "all")).rows:
        [message] = (await read_timeline(inst, cyd, row.id, inst.links)).entries
        assert isinstance(message, Message) and message.sender and message.sender.is_ == "vouched"

    server.silent.add("")
    inst.egress.names = server.names()
    await browser.post(PAGE, data=look)
    assert (await states(inst, ada))["DKIM"] == "could not be asked"
    assert b"DKIM-Signature" in await answered(inst, ada, say, monkeypatch)
    await browser.post(PAGE, data={"do": "forget_key", "id": str(channel_id)})
    assert await signing.read_signings(inst, ada) == {}
    assert b"DKIM-Signature" not in await answered(inst, ada, say, monkeypatch)


async def test_the_key_is_shown_to_nobody_and_a_second_one_is_refused(
    inst: Installation, ada: Staff, new_browser: Callable[[], Browser]
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    make = {"do": "make_key", "id": str(channel_id)}
    await browser.post(PAGE, data=make)
    again = await browser.post(PAGE, data=make)
    assert again.status_code == 409 and "This channel has a key already." in again.text
    [rows] = await inst.db.run(
        ada.account_id,
        (
            "select settings_sealed from channel where account_id = %s and id = %s",
            [ada.account_id, channel_id],
        ),
    )
    key = await inst.vault.account_key(ada.account_id)
    private = key.open_text(rows[0][0], ada.account_id, "channel", "settings", channel_id).split(
        '"private_key":"'
    )[1][:60]
    shown = open_row(
        "tenant.channel",
        {
            "account_id": str(ada.account_id),
            "id": str(channel_id),
            "settings_sealed": f"\\x{rows[0][0].hex()}",
        },
        {"account": key},
    )
    assert "dkim" in shown["settings"] and private not in str(shown)
    assert private not in again.text and private.encode() not in rows[0][0]


async def test_nobody_else_makes_finds_or_forgets_a_key(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: Callable[[], Browser]
) -> None:
    channel_id = await channel_of(inst, ada)
    await signing.make_key(inst, ada, channel_id)
    hers, beas = await new_browser().as_(cyd), await new_browser().as_(bea)
    for do in ("make_key", "find_records", "forget_key"):
        assert (await beas.post(PAGE, data={"do": do, "id": str(channel_id)})).status_code == 403
        foreign = await hers.post(PAGE, data={"do": do, "id": str(channel_id)})
        made_up = await hers.post(PAGE, data={"do": do, "id": str(new_id())})
        assert (foreign.status_code, foreign.content) == (made_up.status_code, made_up.content)
        assert foreign.status_code == 404
    assert "_domainkey" not in (await beas.get(PAGE)).text + (await hers.get(PAGE)).text


async def test_each_channel_has_a_key_of_its_own(inst: Installation, ada: Staff, people: People) -> None:
    other = await open_channel(inst, ada.account_id, "Second", f"{new_id().hex}@chatinbox.localhost")
    for channel_id in (other, await channel_of(inst, ada)):
        await signing.make_key(inst, ada, channel_id)
    values = [
        {one.name for one in found.records} for found in (await signing.read_signings(inst, ada)).values()
    ]
    assert len(values) == 2 and values[0] != values[1]
