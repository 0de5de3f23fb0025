"""What a colleague forwards is its first writer's; what anybody else forwards is theirs."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.forwarded import Forwarded, note_comment, unwrap
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.tests.letters import address_of, only, sent
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message, Note, read_timeline
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use, at_work
from chatinbox.customers.read import read_customer
from promises.arriving import ELSEWHERE, Domain, bring, written
from promises.name_server import NameServer
from promises.stage import PASSWORD

GMAIL = """Can somebody take this?

---------- Forwarded message ---------
From: Frida Berg <frida@mail.example>
Date: Tue, 3 Nov 2026 at 09:12
Subject: My order
To: Bea <bea@shop.example>

Where is my order?

Frida
"""
INLINE = {
    "gmail": ("Fwd: My order", GMAIL),
    "gmail, german": (
        "WG: My order",
        "Siehe unten\n\n---------- Weitergeleitete Nachricht ---------\nVon: Frida Berg <frida@mail.example>\nDate: Di., 3. Nov. 2026 um 09:12 Uhr\n"
        "Subject: My order\nTo: <bea@shop.example>\n\n\nWhere is my order?\n",
    ),
    "outlook": (
        "FW: My order",
        "FYI\n\n________________________________\nFrom: Frida Berg <frida@mail.example>\nSent: Tuesday, 3 November 2026 09:12\n"
        "To: Bea <bea@shop.example>\nSubject: My order\n\nWhere is my order?\n",
    ),
    "outlook, german": (
        "WG: My order",
        "Von: Frida Berg <frida@mail.example>\nGesendet: Dienstag, 3. November 2026 09:12\nAn: Bea <bea@shop.example>\nBetreff: My order\n\nWhere is my order?\n",
    ),
    "outlook, french": (
        "TR: My order",
        "De : Frida Berg <frida@mail.example>\nEnvoyé : mardi 3 novembre 2026 09:12\nÀ : Bea <bea@shop.example>\nObjet : My order\n\nWhere is my order?\n",
    ),
    "apple mail": (
        "Fwd: My order",
        "> Begin forwarded message:\n> \n> From: Frida Berg <frida@mail.example>\n> Subject: My order\n> Date: 3 November 2026 at 09:12:00 CET\n"
        "> To: bea@shop.example\n> \n> Where is my order?\n",
    ),
    "apple mail, german": (
        "Fwd: My order",
        "Anfang der weitergeleiteten Nachricht:\n\nVon: Frida Berg <frida@mail.example>\nBetreff: My order\nDatum: 3. November 2026 um 09:12\n"
        "An: bea@shop.example\n\nWhere is my order?\n",
    ),
    "thunderbird": (
        "Fwd: My order",
        "\n\n\n-------- Forwarded Message --------\nSubject: \tMy order\nDate: \tTue, 3 Nov 2026 09:12:00 +0100\n"
        "From: \tFrida Berg <frida@mail.example>\nTo: \tbea@shop.example\n\n\n\nWhere is my order?\n",
    ),
    "thunderbird, spanish": (
        "Fwd: My order",
        "-------- Mensaje reenviado --------\nAsunto: \tMy order\nFecha: \tTue, 3 Nov 2026\nDe: \tFrida Berg <frida@mail.example>\n"
        "Para: \tbea@shop.example\n\nWhere is my order?\n",
    ),
    "an old program": (
        "Fw: My order",
        "-----Original Message-----\nFrom: Frida Berg [mailto:frida@mail.example]\nSent: Tuesday\nTo: Bea\nSubject: My order\n\nWhere is my order?\n",
    ),
}  # fmt: skip


@pytest.fixture
def domain(server: NameServer) -> Domain:
    """shop.example, where the staff have their addresses."""
    return Domain("shop.example").publish(server)


@pytest.fixture
async def dora(inst: Installation, ada: Staff) -> tuple[Staff, str]:
    """A colleague of Ada's, and her address."""
    email = f"dora.{new_id().hex[-12:]}@shop.example"
    return await add_staff(inst, ada.account_id, "Dora", email, "staff", PASSWORD), email


@pytest.mark.parametrize(("subject", "words"), INLINE.values(), ids=INLINE.keys())
def test_the_first_writer_is_found_as_mail_programs_write_it(subject: str, words: str) -> None:
    found = unwrap(parse(written(words, "bea@shop.example", Subject=subject)))
    assert found and found[0].sender
    letter, comment = found
    assert letter.sender and (letter.sender.name, letter.sender.email) == ("Frida Berg", "frida@mail.example")
    assert (letter.text or "").startswith("Where is my order?") and letter.subject == "My order"
    assert "order?" not in comment and "frida" not in comment


NONE = {
    "an answer that quotes": ("Re: My order", GMAIL.replace("---------- Forwarded message ---------", "-----Original Message-----")),
    "two writers": ("Fwd: x", GMAIL.replace("<frida@mail.example>", "<frida@mail.example>, gus@mail.example")),
    "no address": ("Fwd: x", GMAIL.replace(" <frida@mail.example>", "")),
    "From alone": ("Fwd: x", "From: frida@mail.example\n\nHello"),
    "nothing below": ("Fwd: x", GMAIL.partition("Where is")[0]),
    "only talk of it": ("Hello", "I have forwarded a message.\nFrom: frida@mail.example\nTo: b@x.example\nSubject: y\n\nwords"),
}  # fmt: skip


@pytest.mark.parametrize(("subject", "words"), NONE.values(), ids=NONE.keys())
def test_what_is_not_plainly_forwarded_stays_what_it_is(subject: str, words: str) -> None:
    assert unwrap(parse(written(words, "bea@shop.example", Subject=subject))) is None


async def test_what_a_colleague_forwards_is_the_customers_and_the_colleagues_words_are_a_note(
    inst: Installation, ada: Staff, cyd: Staff, dora: tuple[Staff, str], domain: Domain
) -> None:
    staff, email = dora
    raw = domain.sign(written(GMAIL, f"Dora <{email}>"))
    await bring(inst, await address_of(inst, ada), raw, email)
    talk = await only(inst, ada)
    customer = await read_customer(inst, ada.account_id, talk.row.customer.id)
    [address] = customer.addresses
    assert (customer.name, address.value) == ("Frida Berg", "frida@mail.example")
    assert (address.source.kind, address.source.id) == ("colleague", staff.staff_user_id)
    [message] = [one for one in talk.entries if isinstance(one, Message)]
    [note] = [one for one in talk.entries if isinstance(one, Note)]
    assert message.text.startswith("Where is my order?") and message.sender and message.sender.is_ == "nobody"
    assert message.sender.says == "A colleague forwarded this. Nobody vouched for who wrote it."
    assert (note.text, note.author_id) == ("Can somebody take this?", staff.staff_user_id)
    await verbs.reply(inst, ada, talk.row.id, new_id(), Body(text="On its way"), seen_position=9)
    out = await sent(inst, ada, talk.row.id)
    assert "frida@mail.example" in out.header("to") and "take this" not in out.text
    assert (await read_list(inst, cyd, "all")).rows == []


async def test_what_a_colleague_forwarded_is_placed_behind_the_scenes_as_well(
    inst: Installation, ada: Staff, cyd: Staff, dora: tuple[Staff, str], domain: Domain
) -> None:
    raw = domain.sign(written(GMAIL, dora[1]))
    with at_work("place_left_over_mail", Use("Places letters that were left over", "answer", "1")):
        await bring(inst, await address_of(inst, ada), raw, dora[1])
    talk = await only(inst, ada)
    assert [type(one) for one in talk.entries if isinstance(one, Message | Note)] == [Message, Note]
    assert talk.row.customer.name == "Frida Berg" and (await read_list(inst, cyd, "all")).rows == []


async def test_a_letter_that_hangs_on_a_colleagues_is_taken_whole(
    inst: Installation, ada: Staff, dora: tuple[Staff, str], domain: Domain
) -> None:
    outer = EmailMessage()
    outer["From"], outer["Subject"], outer["Message-ID"] = (
        dora[1],
        "Fwd: My order",
        f"<{new_id()}@shop.example>",
    )
    outer.set_content("Please look")
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "Frida Berg <frida@mail.example>", "My order"
    inner.set_content("Where is my order?")
    inner.add_alternative("<p>Where is <b>my order</b>?</p>", subtype="html")
    outer.add_attachment(inner)
    await bring(inst, await address_of(inst, ada), domain.sign(outer.as_bytes(policy=SMTP)), dora[1])
    talk = await only(inst, ada)
    [message] = [one for one in talk.entries if isinstance(one, Message)]
    assert message.from_address == "frida@mail.example" and "<b>my order</b>" in (message.html or "")


async def test_nobody_else_makes_a_customer_of_whom_they_like(
    inst: Installation, ada: Staff, cyd: Staff, dora: tuple[Staff, str], domain: Domain
) -> None:
    to = await address_of(inst, ada)
    await bring(inst, to, domain.sign(written(GMAIL, "customer@shop.example")), "customer@shop.example")
    await bring(inst, to, written(GMAIL, dora[1]), peer=ELSEWHERE)
    await bring(inst, await address_of(inst, cyd), domain.sign(written(GMAIL, dora[1])), dora[1])
    inst.egress.names = type(inst.egress.names)("off")
    await bring(inst, to, domain.sign(written(GMAIL, dora[1])), dora[1])
    for staff in (ada, cyd):
        for row in (await read_list(inst, staff, "all")).rows:
            customer = await read_customer(inst, staff.account_id, row.customer.id)
            assert [one.value for one in customer.addresses] in (["customer@shop.example"], [dora[1]])


async def test_the_same_forwarded_letter_twice_is_one_message_and_one_note(
    inst: Installation, ada: Staff, dora: tuple[Staff, str], domain: Domain
) -> None:
    raw, to = domain.sign(written(GMAIL, dora[1])), await address_of(inst, ada)
    for _ in range(2):
        await bring(inst, to, raw, dora[1])
    entries = (await only(inst, ada)).entries
    assert len([one for one in entries if isinstance(one, Message | Note)]) == 2


async def test_what_a_colleague_had_begun_to_write_stays_when_their_comment_becomes_a_note(
    inst: Installation, ada: Staff, cyd: Staff, dora: tuple[Staff, str], say: Say
) -> None:
    said, by = await say(ada, "Where is my order?", "frida@mail.example"), dora[0]
    await verbs.save_draft(inst, by, said.conversation_id, "reply", Body(text="Dear Frida"), 1, [])
    found = unwrap(parse(written(GMAIL, "bea@shop.example", Subject="Fwd: My order")))
    assert found
    await note_comment(inst, Forwarded(*found, by), said.conversation_id, new_id())
    talk = await read_timeline(inst, by, said.conversation_id, inst.links)
    assert talk.draft and talk.draft.text == "Dear Frida"
    assert [one.text for one in talk.entries if isinstance(one, Note)] == ["Can somebody take this?"]
    with pytest.raises(Refused, match="not_found"):
        await read_timeline(inst, cyd, said.conversation_id, inst.links)


LINES = st.sampled_from([
    "From: a@b.example", "From: A <a@b.example>", "Von: x", "To: c@d.example", "Subject: y", "Date: today", "", "> From: a@b.example",
    "---------- Forwarded message ---------", "Begin forwarded message:", "words", "<q@r.example>", "From:", ">", "\u00a0", "From: " + "a" * 5_000,
])  # fmt: skip


@given(st.sampled_from(["Fwd: x", "x", "Re: Fwd: x"]), st.lists(LINES | st.text(max_size=40), max_size=40))
@settings(max_examples=200)
def test_whatever_is_written_a_writer_is_one_whole_address_that_stands_there(
    subject: str, lines: list[str]
) -> None:
    text = "\n".join(lines)
    message = EmailMessage()
    message["From"], message["Subject"] = "bea@shop.example", subject
    message.set_content(text.encode("utf-8", "replace").decode())
    found = unwrap(parse(message.as_bytes(policy=SMTP)))
    if found:
        assert found[0].sender and found[0].sender.email in text and found[0].sender.email.count("@") == 1
        assert found[0].references == []
