"""A letter from an ordinary mail program, through the real door, and the answer back."""

import smtplib
from datetime import timedelta
from email.policy import SMTP
from typing import Any

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.receive import place_left_over, store
from chatinbox.channels.email.reply_address import read_reply_address, reply_address
from chatinbox.channels.email.tests.letters import Post, address_of, letter, only, sent
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def test_a_letter_is_in_the_inbox_when_the_sender_hears_so_and_in_no_other(
    inst: Installation, ada: Staff, cyd: Staff, post: Post
) -> None:
    await post(letter("Where is my bowl?", "Order 7"), await address_of(inst, ada))
    timeline = await only(inst, ada)
    [message] = timeline.entries
    assert isinstance(message, Message)
    assert (message.text, message.from_address, timeline.row.subject) == (
        "Where is my bowl?",
        "frida@mail.example",
        "Order 7",
    )
    assert timeline.row.customer.name == "Frida Berg"
    assert (await read_list(inst, cyd, "all")).rows == []


async def test_the_answer_names_the_letter_it_answers_and_the_next_letter_comes_back_to_the_same_conversation(
    inst: Installation, ada: Staff, post: Post
) -> None:
    first = letter("Where is my bowl?", "Order 7")
    await post(first, await address_of(inst, ada))
    conversation_id = (await only(inst, ada)).row.id
    await verbs.reply(
        inst, ada, conversation_id, new_id(), Body(text="On its way", author_name="Ada"), seen_position=1
    )
    out = await sent(inst, ada, conversation_id)
    assert out.header("in-reply-to") == first["Message-ID"] and first["Message-ID"] in out.header(
        "references"
    )
    assert out.header("subject") == "Re: Order 7" and out.header("to") == "Frida Berg <frida@mail.example>"
    assert out.text.startswith("On its way") and "> Where is my bowl?" in out.text
    by_id = letter("Thanks", "Re: Order 7", In_Reply_To=out.header("message-id"))
    await post(by_id, await address_of(inst, ada))
    reply_to = out.header("reply-to").split("<")[1].rstrip(">")
    await post(letter("Thanks again", "something else"), reply_to)
    timeline = await only(inst, ada)
    assert [entry.text for entry in timeline.entries if isinstance(entry, Message)] == [
        "Where is my bowl?", "On its way", "Thanks", "Thanks again",
    ]  # fmt: skip


async def test_a_stranger_who_knows_an_id_begins_a_conversation_of_their_own(
    inst: Installation, ada: Staff, cyd: Staff, post: Post
) -> None:
    first = letter("Private words")
    await post(first, await address_of(inst, ada))
    forged = letter("Let me in", From="mallory@evil.example", In_Reply_To=first["Message-ID"])
    await post(forged, await address_of(inst, ada), sender="mallory@evil.example")
    assert len((await read_list(inst, ada, "all")).rows) == 2
    same_id_elsewhere = letter("I write to B", In_Reply_To=first["Message-ID"])
    await post(same_id_elsewhere, await address_of(inst, cyd))
    assert len((await read_list(inst, ada, "all")).rows) == 2
    assert len((await only(inst, cyd)).entries) == 1


async def test_the_same_letter_twice_appears_once_and_the_same_id_with_other_words_is_kept(
    inst: Installation, ada: Staff, post: Post
) -> None:
    one = letter("Once")
    for _ in range(2):
        await post(one, await address_of(inst, ada))
    await post(letter("Other words", Message_ID=one["Message-ID"]), await address_of(inst, ada))
    texts = sorted(row.preview for row in (await read_list(inst, ada, "all")).rows)
    assert texts == ["Once", "Other words"]


async def test_html_is_shown_clean_with_its_own_pictures_and_what_is_quoted_is_folded(
    inst: Installation, ada: Staff, post: Post
) -> None:
    message = letter("See picture\n\nOn Monday, Ada wrote:\n> old words")
    message.add_alternative(
        "<p>See <b>picture</b> <img src='cid:pic1'><img src='https://spy.example/p.gif'><script>alert(1)</script></p>"
        "<div class='gmail_quote'>On Monday, Ada wrote:<blockquote>old words</blockquote></div>",
        subtype="html",
    )
    rich: Any = message.get_payload()[1]  # type: ignore[index]
    rich.add_related(b"\x89PNG fake", "image", "png", cid="<pic1>", filename="pic.png")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Rechnung über 5 €.pdf")
    await post(message, await address_of(inst, ada))
    [entry] = (await only(inst, ada)).entries
    assert isinstance(entry, Message) and entry.html and entry.quoted
    assert entry.text == "See picture" and "script" not in entry.html and entry.remote_pictures == 1
    assert "old words" in (entry.quoted.html or "") and "old words" not in entry.html
    assert sorted(file.name for file in entry.files) == ["Rechnung über 5 €.pdf", "pic.png"]
    assert "cid:" not in entry.html and "/files/" in entry.html and "spy.example/p.gif" in entry.html
    assert 'src="https://spy' not in entry.html.replace("data-remote-src", "")


async def test_an_unknown_address_is_refused_and_plus_addresses_lead_home(
    inst: Installation, ada: Staff, post: Post
) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await post(letter(), "nobody@elsewhere.example")
    assert next(iter(refused.value.recipients.values()))[0] == 550
    local, _, domain = (await address_of(inst, ada)).partition("@")
    await post(letter(), f"{local}+shop@{domain}")
    assert len((await read_list(inst, ada, "all")).rows) == 1


async def test_a_made_up_reply_address_is_unknown_and_a_real_one_survives_upper_case(
    inst: Installation, ada: Staff, cyd: Staff, post: Post
) -> None:
    await post(letter(), await address_of(inst, ada))
    address = reply_address(inst, ada.account_id, 1)
    assert len(address.split("@")[0]) <= 64
    assert read_reply_address(inst, address.upper()) == (ada.account_id, 1)
    for wrong in (
        f"r-{'a' * 60}@{inst.settings.mail_domain}",
        "b" + address[1:],
        address[:-20] + "a" + address[-19:],
    ):
        assert read_reply_address(inst, wrong) is None
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await post(letter(), reply_address(inst, cyd.account_id, 99))


async def test_an_automatic_letter_does_not_wake_anybody(inst: Installation, ada: Staff, post: Post) -> None:
    await post(letter("Out of office", Auto_Submitted="auto-replied"), await address_of(inst, ada))
    timeline = await only(inst, ada)
    assert (
        timeline.row.status == "done"
        and isinstance(timeline.entries[0], Message)
        and timeline.entries[0].automatic
    )


@pytest.mark.parametrize(
    "raw",
    [b"\x00\xff\xfe garbage", b"Subject: nobody\r\n\r\nwho am I", b"From: \r\n\r\n", b"\r\n\r\n."],
    ids=["garbage", "no sender", "empty sender", "no headers"],
)
async def test_what_cannot_be_placed_is_held_where_staff_see_it_and_nobody_else(
    inst: Installation, ada: Staff, cyd: Staff, post: Post, raw: bytes
) -> None:
    await post(raw, await address_of(inst, ada), sender="")
    [item] = await held.list_held(inst, ada)
    assert item.reason.endswith(".")
    assert await held.list_held(inst, cyd) == []
    for act in (held.release, held.discard, held.raw):
        with pytest.raises(Refused) as refused:
            await act(inst, cyd, item.id)
        assert refused.value.status == 404
    assert raw.strip() in (await held.raw(inst, ada, item.id))[0].strip()
    await held.discard(inst, ada, item.id)
    assert await held.list_held(inst, ada) == []


async def test_a_held_letter_can_be_let_in(inst: Installation, ada: Staff, post: Post) -> None:
    await post(b"Subject: nobody\r\n\r\nwho am I", await address_of(inst, ada), sender="")
    [item] = await held.list_held(inst, ada)
    await held.release(inst, ada, item.id)
    assert (await only(inst, ada)).row.preview == "who am I"


async def test_a_letter_that_was_stored_but_not_placed_is_placed_later_once(
    inst: Installation, ada: Staff
) -> None:
    channel = next(c.id for c in await read_channels(inst, ada.account_id) if c.kind == "email")
    await store(
        inst,
        ada.account_id,
        channel,
        letter("Left over").as_bytes(policy=SMTP),
        "x@y.example",
        await address_of(inst, ada),
    )
    assert await place_left_over(inst, ada.account_id, timedelta(0)) == 1
    assert await place_left_over(inst, ada.account_id, timedelta(0)) == 0
    assert (await only(inst, ada)).row.preview == "Left over"


async def test_headers_cannot_be_injected_through_names_and_subjects(
    inst: Installation, ada: Staff, post: Post
) -> None:
    evil = (
        "=?utf-8?b?" + "SGkNCkJjYzogdmljdGltQG1haWwuZXhhbXBsZQ==" + "?="
    )  # "Hi\r\nBcc: victim@mail.example"
    raw = f"From: {evil} <frida@mail.example>\r\nSubject: {evil}\r\n\r\nx\r\n"
    await post(raw.encode(), await address_of(inst, ada))
    conversation_id = (await only(inst, ada)).row.id
    await verbs.reply(inst, ada, conversation_id, new_id(), Body(text="x"), seen_position=1)
    out = await sent(inst, ada, conversation_id)
    assert "bcc" not in {name.lower() for name, _ in out.headers}


async def test_sending_twice_leaves_one_letter(inst: Installation, ada: Staff, post: Post) -> None:
    await post(letter(), await address_of(inst, ada))
    conversation_id = (await only(inst, ada)).row.id
    await verbs.reply(inst, ada, conversation_id, new_id(), Body(text="x"), seen_position=1)
    await sent(inst, ada, conversation_id)
    await sent(inst, ada, conversation_id)
    assert len(await list_kept(inst, ada)) == 1
    [ledger] = await inst.db.run(
        ada.account_id, ("select outcome, gate from ledger where account_id = %s", [ada.account_id])
    )
    assert ledger == [("taken", "mail")]


async def test_too_large_a_letter_is_refused_and_ten_thousand_recipients_are_bounded(
    inst: Installation, ada: Staff, post: Post
) -> None:
    address = await address_of(inst, ada)
    with pytest.raises(smtplib.SMTPException):
        await post(b"From: a@b.example\r\n\r\n" + b"x" * 50_000_000, address)
    await post(letter("to many"), *[address.replace("@", f"+{n}@") for n in range(300)])
    assert [row.preview for row in (await read_list(inst, ada, "all")).rows] == ["to many"]


async def test_an_address_belongs_to_one_channel(inst: Installation, ada: Staff, cyd: Staff) -> None:
    with pytest.raises(Refused):
        await open_channel(inst, cyd.account_id, "Mine", await address_of(inst, ada))
