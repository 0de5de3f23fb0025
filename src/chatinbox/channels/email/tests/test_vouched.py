"""What becomes of a letter by what was found out about its sender: where it goes, whom it proves, and what staff see of it."""

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.tests.letters import FRIDA, Post, address_of, letter, messages, only, sent
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers.erased import mark_erased, were_erased
from chatinbox.customers.read import read_customer
from promises.arriving import ELSEWHERE, Domain, bring, written
from promises.name_server import PEER, NameServer


async def said(inst: Installation, staff: Staff) -> list[tuple[str, str]]:
    """Of the account's only conversation, each message's verdict and words."""
    talk = await only(inst, staff)
    return [
        (one.sender.is_ if one.sender else "", one.text) for one in talk.entries if isinstance(one, Message)
    ]


async def test_a_letter_that_its_domain_signed_is_vouched_for_and_the_reader_sees_by_whom(
    inst: Installation, ada: Staff, cyd: Staff, domain: Domain
) -> None:
    raw = domain.sign(written("Hello", FRIDA))
    assert (
        await bring(inst, await address_of(inst, ada), raw, "bounce@elsewhere.example", ELSEWHERE)
    ).startswith("250")
    [message] = await messages(inst, ada, (await only(inst, ada)).row.id)
    assert message.sender and message.sender.is_ == "vouched"
    assert message.sender.says == "mail.example vouched for this sender (DKIM, DMARC)."
    assert (await read_list(inst, cyd, "all")).rows == []


async def test_a_forged_letter_reaches_no_conversation_of_whom_it_names_and_staff_decide(
    inst: Installation, ada: Staff, cyd: Staff, domain: Domain
) -> None:
    to = await address_of(inst, ada)
    first = domain.sign(written("Where is my order?", FRIDA, Cc="karl@mail.example"))
    await bring(inst, to, first)
    row = (await only(inst, ada)).row
    await verbs.reply(inst, ada, row.id, new_id(), Body(text="On its way"), seen_position=1)
    out = await sent(inst, ada, row.id)
    secret = reply_address(inst, ada.account_id, 1)
    answers = out.header("message-id")
    forged = [
        (to, written("g1", FRIDA, In_Reply_To=answers)),
        (secret, written("g2", FRIDA)),
        (to, written("g3", FRIDA)),
        (secret, written("g4", "karl@mail.example")),
        (to, written("g5", "karl@mail.example", References=answers)),
        (to, written("g6", f"Shop <{to}>", Reply_To=FRIDA, In_Reply_To=answers)),
    ]
    for recipient, raw in forged:
        assert (await bring(inst, recipient, raw, peer=ELSEWHERE)).startswith("250")
    waiting = await held.list_held(inst, ada)
    assert len(waiting) == 6 and {one.reason for one in waiting} == {held.REASONS["denied"]}
    assert [text for _, text in await said(inst, ada)] == ["Where is my order?", "On its way"]
    assert await held.list_held(inst, cyd) == []
    with pytest.raises(Refused):
        await held.release(inst, cyd, waiting[0].id)
    await held.release(inst, ada, waiting[-1].id)
    assert "denied" in [verdict for verdict, _ in await said(inst, ada)]


async def test_a_forged_letter_of_whom_nobody_knows_proves_no_address_of_theirs(
    inst: Installation, ada: Staff, domain: Domain
) -> None:
    to = await address_of(inst, ada)
    await bring(inst, to, written("Forged", "karl@mail.example"), peer=ELSEWHERE)
    await bring(inst, to, domain.sign(written("Mine", "karl@mail.example")))
    rows = {row.preview: row.customer.id for row in (await read_list(inst, ada, "all")).rows}
    addresses = {
        words: (await read_customer(inst, ada.account_id, one)).addresses for words, one in rows.items()
    }
    assert {words: [one.proven for one in found] for words, found in addresses.items()} == {
        "Forged": [False],
        "Mine": [True],
    }
    assert rows["Forged"] != rows["Mine"]


async def test_who_was_erased_comes_back_by_their_own_letter_and_not_by_a_forged_one(
    inst: Installation, ada: Staff, server: NameServer
) -> None:
    """While they have not written again, no connected program brings them back."""
    hers = [("email", "frida@mail.example")]
    domain = Domain("mail.example").publish(server, "")
    await mark_erased(inst, ada.account_id, hers)
    await bring(inst, await address_of(inst, ada), written("I am Frida", FRIDA), peer=ELSEWHERE)
    assert await were_erased(inst, ada.account_id, hers)
    [row] = (await read_list(inst, ada, "all")).rows
    assert row.customer.name == "Frida Berg"
    karl = [("email", "karl@mail.example")]
    await mark_erased(inst, ada.account_id, karl)
    signed = domain.sign(written("I am Karl", "karl@mail.example"))
    await bring(inst, await address_of(inst, ada), signed, peer=ELSEWHERE)
    assert not await were_erased(inst, ada.account_id, karl)


async def test_a_secret_address_does_not_let_in_whom_nobody_vouches_for(
    inst: Installation, ada: Staff, server: NameServer, domain: Domain
) -> None:
    other = Domain("work.example").publish(server)
    await bring(inst, await address_of(inst, ada), domain.sign(written("First", FRIDA)))
    secret = reply_address(inst, ada.account_id, 1)
    await bring(inst, secret, other.sign(written("From work", "Frida <frida@work.example>")))
    assert await said(inst, ada) == [("vouched", "First"), ("vouched", "From work")]
    await bring(inst, secret, written("Let me in", "mallory@evil.example"))
    rows = (await read_list(inst, ada, "all")).rows
    assert {row.preview: row.number for row in rows} == {"From work": 1, "Let me in": 2}


async def test_who_was_always_vouched_for_and_suddenly_is_not_waits_for_staff(
    inst: Installation, ada: Staff, server: NameServer
) -> None:
    domain, to = Domain("mail.example").publish(server, ""), await address_of(inst, ada)
    await bring(inst, to, written("Unsigned, as always", "gus@plain.example"), peer=ELSEWHERE)
    await bring(inst, to, written("Unsigned again", "gus@plain.example"), peer=ELSEWHERE)
    assert len((await read_list(inst, ada, "all")).rows) == 2
    await bring(inst, to, domain.sign(written("Signed", FRIDA)))
    await bring(inst, to, written("Not signed", FRIDA), peer=ELSEWHERE)
    assert [one.from_ for one in await held.list_held(inst, ada)] == ["frida@mail.example"]


async def test_whoever_brought_a_letter_is_forgotten_and_the_verdict_is_kept_sealed(
    inst: Installation, ada: Staff, domain: Domain
) -> None:
    await bring(inst, await address_of(inst, ada), domain.sign(written("Hello", FRIDA)))
    [rows] = await inst.db.run(
        ada.account_id,
        (
            "select m::text || r::text from message m, raw_mail r where m.account_id = %s and r.account_id = %s",
            [ada.account_id] * 2,
        ),
    )
    assert len(rows) == 1 and PEER not in rows[0][0] and "mail.example" not in rows[0][0]
    assert "vouched" in rows[0][0]


async def test_a_name_server_that_is_silent_delays_one_letter_and_loses_none(
    inst: Installation, ada: Staff, server: NameServer, domain: Domain
) -> None:
    server.silent.add("")
    to = await address_of(inst, ada)
    for words in ("One", "Two", "Three"):
        assert (await bring(inst, to, domain.sign(written(words, FRIDA)))).startswith("250")
    rows = (await read_list(inst, ada, "all")).rows
    assert len(rows) == 3
    asked = len(server.asked)
    await bring(inst, to, domain.sign(written("Four", FRIDA)))
    assert len(server.asked) == asked
    talk = await messages(inst, ada, rows[0].id)
    assert talk[0].sender and talk[0].sender.is_ == "unchecked"


async def test_with_nobody_to_ask_nothing_is_asked_and_nothing_is_said(
    inst: Installation, ada: Staff, post: Post
) -> None:
    assert not inst.egress.names.is_on
    await post(letter("Hello"), await address_of(inst, ada))
    assert await said(inst, ada) == [("unchecked", "Hello")]


async def test_a_letter_of_our_own_network_is_checked_by_its_signature_alone(
    inst: Installation, ada: Staff, post: Post, server: NameServer, domain: Domain
) -> None:
    to = await address_of(inst, ada)
    await post(written("Unsigned", FRIDA), to)
    assert server.asked == []
    await post(domain.sign(written("Signed", "gus@mail.example")), to)
    verdicts = await inst.db.run(
        ada.account_id,
        ("select sender_check from message where account_id = %s order by at", [ada.account_id]),
    )
    assert [row[0] for row in verdicts[0]] == ["unchecked", "vouched"]
