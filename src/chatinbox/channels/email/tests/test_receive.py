"""Where letters go: the right conversation, a new one, or where staff see them; once, and never lost."""

import asyncio
import random
import smtplib
import socket
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.door import MOST_FROM_ONE
from chatinbox.channels.email.raw import Arrived, forget_old, store
from chatinbox.channels.email.receive import place, place_left_over
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.tests.letters import Post, address_of, channel_of, letter, messages, only, sent
from chatinbox.conftest import People
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message
from chatinbox.core import clock
from chatinbox.core.db import Database
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def previews(inst: Installation, staff: Staff) -> list[str]:
    return sorted(row.preview for row in (await read_list(inst, staff, "all")).rows)


async def arrive(
    inst: Installation, staff: Staff, message: EmailMessage | bytes, sender: str | None = "x@y.example"
) -> Arrived:
    raw = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP)
    return await store(
        inst, staff.account_id, await channel_of(inst, staff), raw, sender, await address_of(inst, staff)
    )


async def come_in(
    inst: Installation, staff: Staff, message: EmailMessage | bytes, sender: str | None = "x@y.example"
) -> None:
    await place(inst, await arrive(inst, staff, message, sender))


async def conversation_with(
    inst: Installation, staff: Staff, message: EmailMessage
) -> tuple[object, str, str]:
    """A conversation in which staff answered: its id, the Message-ID and the reply address of the answer."""
    await come_in(inst, staff, message)
    row = (await only(inst, staff)).row
    await verbs.reply(
        inst, staff, row.id, new_id(), Body(text="An answer", author_name="Ada"), seen_position=1, then="done"
    )
    out = await sent(inst, staff, row.id)
    return row.id, out.header("message-id"), out.header("reply-to").split("<")[1].rstrip(">")


async def test_five_copies_in_parallel_are_one_message_and_one_customer(
    inst: Installation, ada: Staff
) -> None:
    message = letter("Once")
    copies = [await arrive(inst, ada, message) for _ in range(5)]
    await asyncio.gather(*(place(inst, one) for one in copies))
    assert await previews(inst, ada) == ["Once"]
    [rows] = await inst.db.run(
        ada.account_id, ("select count(*) from customer where account_id = %s", [ada.account_id])
    )
    assert rows[0][0] == 1


async def test_many_first_letters_of_one_customer_at_once_find_one_customer(
    inst: Installation, ada: Staff
) -> None:
    arrived = [await arrive(inst, ada, letter(f"Letter {n}")) for n in range(4)]
    await asyncio.gather(*(place(inst, one) for one in arrived))
    await place_left_over(inst, ada.account_id, timedelta(0))
    assert await previews(inst, ada) == [f"Letter {n}" for n in range(4)]
    [rows] = await inst.db.run(
        ada.account_id, ("select count(*) from customer where account_id = %s", [ada.account_id])
    )
    assert rows[0][0] == 1


async def test_a_letter_without_an_id_is_known_by_its_content(inst: Installation, ada: Staff) -> None:
    raw = b"From: a@b.example\r\nDate: Mon, 3 Nov 2025 10:00:00 +0000\r\nSubject: x\r\n\r\nwords\r\n"
    for copy in (raw, raw, raw.replace(b"\r\n", b"\n"), raw.replace(b"words", b"other words")):
        await come_in(inst, ada, copy)
    assert await previews(inst, ada) == ["other words", "words"]


async def test_two_letters_that_say_neither_id_nor_date_are_two(inst: Installation, ada: Staff) -> None:
    for _ in range(2):
        await come_in(inst, ada, b"From: a@b.example\r\nSubject: Call me\r\n\r\nplease\r\n")
    assert await previews(inst, ada) == ["please", "please"]


async def test_the_same_letter_to_two_businesses_is_one_in_each(
    inst: Installation, ada: Staff, cyd: Staff, post: Post
) -> None:
    await post(letter("To both"), await address_of(inst, ada), await address_of(inst, cyd))
    assert await previews(inst, ada) == await previews(inst, cyd) == ["To both"]


async def test_an_unreadable_letter_that_comes_five_times_is_held_once(
    inst: Installation, ada: Staff
) -> None:
    for _ in range(5):
        await come_in(inst, ada, b"Subject: no sender\r\n\r\nx", sender="")
    assert [item.subject for item in await held.list_held(inst, ada)] == ["no sender"]


async def test_a_database_that_is_away_delays_a_letter_and_does_not_hold_it(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    arrived = await arrive(inst, ada, letter("In a storm"))
    away = await Database.open(inst.db.dsn, inst.vault, size=2)
    await away.close()
    assert await place(replace(inst, db=away), arrived) is None
    assert await held.list_held(inst, ada) == [] and await previews(inst, ada) == []
    assert await place_left_over(inst, cyd.account_id, timedelta(0)) == 0
    assert await place_left_over(inst, ada.account_id, timedelta(0)) == 1
    assert await previews(inst, ada) == ["In a storm"]


async def test_a_step_that_was_cut_off_after_placing_is_repeated_without_a_second_message(
    inst: Installation, ada: Staff
) -> None:
    arrived = await arrive(inst, ada, letter("Twice placed"))
    await place(inst, arrived)
    await inst.db.run(
        ada.account_id, ("update raw_mail set placed_at = null where account_id = %s", [ada.account_id])
    )
    assert await place_left_over(inst, ada.account_id, timedelta(0)) == 1
    assert await previews(inst, ada) == ["Twice placed"]


async def test_a_letter_whose_file_is_gone_is_given_up_and_blocks_nobody(
    inst: Installation, ada: Staff
) -> None:
    lost = await arrive(inst, ada, letter("Lost"))
    await inst.files.remove(ada.account_id, lost.raw_mail_id)
    await arrive(inst, ada, letter("Behind it"))
    with clock.travel(timedelta(hours=2)):
        assert await place_left_over(inst, ada.account_id) == 1
    assert await previews(inst, ada) == ["Behind it"]


async def test_raw_letters_are_kept_as_long_as_the_channel_says(inst: Installation, ada: Staff) -> None:
    await come_in(inst, ada, letter("Kept"))
    await come_in(inst, ada, b"Subject: held\r\n\r\nx", sender="")
    with clock.travel(timedelta(days=29)):
        assert await forget_old(inst, ada.account_id) == 0
    with clock.travel(timedelta(days=31)):
        assert await forget_old(inst, ada.account_id) == 1
    assert await previews(inst, ada) == ["Kept"] and len(await held.list_held(inst, ada)) == 1


async def test_somebody_in_copy_writes_in_the_conversation_and_answers_still_go_to_the_customer(
    inst: Installation, ada: Staff
) -> None:
    first = letter("Question", Cc="Karl <karl@other.example>, support@x.example")
    conversation_id, answer_id, _ = await conversation_with(inst, ada, first)
    await come_in(
        inst,
        ada,
        letter(
            "I am Karl", From="Karl <KARL@other.example>", References=f"{first['Message-ID']} {answer_id}"
        ),
    )
    said = await messages(inst, ada, conversation_id)  # type: ignore[arg-type]
    assert [one.text for one in said] == ["Question", "An answer", "I am Karl"] and said[
        -1
    ].from_address == "KARL@other.example"
    await verbs.reply(inst, ada, conversation_id, new_id(), Body(text="To whom?"), seen_position=9)  # type: ignore[arg-type]
    assert (await sent(inst, ada, conversation_id)).header("to") == "Frida Berg <frida@mail.example>"  # type: ignore[arg-type]


async def test_who_answers_to_the_secret_address_is_heard_but_answers_stay_with_the_customer(
    inst: Installation, ada: Staff, post: Post
) -> None:
    conversation_id, _, secret = await conversation_with(inst, ada, letter("Question"))
    await post(letter("From my other address", From="Frida <frida@work.example>"), secret)
    said = await messages(inst, ada, conversation_id)  # type: ignore[arg-type]
    assert said[-1].text == "From my other address" and said[-1].from_address == "frida@work.example"
    await verbs.reply(inst, ada, conversation_id, new_id(), Body(text="x"), seen_position=9)  # type: ignore[arg-type]
    assert "frida@mail.example" in (await sent(inst, ada, conversation_id)).header("to")  # type: ignore[arg-type]


async def test_a_thousand_guesses_attach_to_nothing(inst: Installation, ada: Staff, cyd: Staff) -> None:
    """A stranger knows Message-ID, subject, number and customer, and guesses at the rest; some guess at all of it at once."""
    first = letter("Private")
    conversation_id, answer_id, secret = await conversation_with(inst, ada, first)
    foreign = reply_address(inst, cyd.account_id, 1)
    letters, draw = "abcdefghijklmnopqrstuvwxyz234567", random.Random()

    def near(number: int) -> str:
        """The secret address, with something else in it."""
        local, _, domain = secret.partition("@")
        token, at = local[2:], 1 + number % 58
        drawn = "".join(draw.choices(letters, k=60))
        other = letters[(letters.index(token[at]) + 1 + draw.randrange(31)) % 32]
        guesses = (
            token[:at] + other + token[at + 1 :], token[:at] + drawn[at:], drawn, token[:at], token + drawn[:at],
            foreign[2:].partition("@")[0][:at] + token[at:],
        )  # fmt: skip
        return f"r-{guesses[number % len(guesses)]}@{domain}"

    known: tuple[dict[str, str], ...] = ({}, {"In_Reply_To": answer_id}, {"References": f"{first['Message-ID']} {answer_id}"},
             {"In_Reply_To": str(first["Message-ID"])}, {"Cc": "frida@mail.example", "In_Reply_To": answer_id},
             {"Thread_Topic": "A question", "References": answer_id})  # fmt: skip
    guesses = [
        letter(
            f"g{number}",
            subject=("Re: A question #1", "A question", "Re: [#1] A question", "Aw: A question (#1)")[
                number % 4
            ],
            From=f"m{number}@evil.example",
            To=(foreign, near(number), f"r-1@{secret.partition('@')[2]}", near(number))[number // 4 % 4],
            **known[number // 16 % 6],
        )
        for number in range(1000)
    ]
    for begin in range(0, len(guesses), 10):
        await asyncio.gather(*(come_in(inst, ada, guess) for guess in guesses[begin : begin + 10]))
    assert [one.text for one in await messages(inst, ada, conversation_id)] == ["Private", "An answer"]  # type: ignore[arg-type]
    [rows] = await inst.db.run(
        ada.account_id,
        (
            "select count(*), count(distinct customer_id) from conversation where account_id = %s",
            [ada.account_id],
        ),
    )
    assert rows[0] == (1001, 1001), "each is somebody's own"
    assert (await read_list(inst, cyd, "all")).rows == []


async def test_an_absence_note_does_not_wake_a_conversation_but_a_person_on_a_list_does(
    inst: Installation, ada: Staff
) -> None:
    _, answer_id, _ = await conversation_with(inst, ada, letter("Question"))
    absence = {"Auto_Submitted": "auto-generated", "X_Auto_Response_Suppress": "All"}
    await come_in(inst, ada, letter("I am away", In_Reply_To=answer_id, **absence))
    row = (await only(inst, ada)).row
    assert row.status == "done" and (await messages(inst, ada, row.id))[-1].automatic
    await come_in(
        inst,
        ada,
        letter("Still broken", In_Reply_To=answer_id, List_Id="<support.x.example>", Precedence="list"),
    )
    assert (await only(inst, ada)).row.status == "todo"
    assert len(await messages(inst, ada, row.id)) == 4


async def test_letters_of_lists_and_shops_are_work_to_do(inst: Installation, ada: Staff) -> None:
    await come_in(
        inst, ada, letter("From a form", From="noreply@shop.example", Auto_Submitted="auto-generated")
    )
    await come_in(
        inst,
        ada,
        letter("Through a group", From="b@c.example", List_Id="<x>", List_Unsubscribe="<mailto:u@x.example>"),
    )
    assert {row.status for row in (await read_list(inst, ada, "all")).rows} == {"todo"}


async def test_a_failure_report_wakes_nobody(inst: Installation, ada: Staff) -> None:
    await come_in(inst, ada, letter("Undelivered", From="MAILER-DAEMON@mx.example"), sender="")
    assert (await only(inst, ada)).row.status == "done"


async def test_our_own_letter_that_comes_back_is_held(inst: Installation, ada: Staff, cyd: Staff) -> None:
    _, answer_id, _ = await conversation_with(inst, ada, letter("Question"))
    back = letter("An answer", From=f"Ada <{await address_of(inst, ada)}>", Message_ID=answer_id)
    await come_in(inst, ada, back)
    assert [item.reason for item in await held.list_held(inst, ada)] == [
        "It is a letter of yours that came back."
    ]
    await come_in(inst, cyd, back)
    assert await previews(inst, cyd) == ["An answer"]


async def test_answers_go_where_the_writer_asks_but_never_to_ourselves(
    inst: Installation, ada: Staff
) -> None:
    await come_in(
        inst, ada, letter("From a form", From="form@shop.example", Reply_To="Jane <jane@mail.example>")
    )
    row = (await only(inst, ada)).row
    await verbs.reply(inst, ada, row.id, new_id(), Body(text="x"), seen_position=1)
    assert "jane@mail.example" in (await sent(inst, ada, row.id)).header("to")
    await come_in(inst, ada, letter("Loop", From="loop@shop.example", Reply_To=await address_of(inst, ada)))
    loop = next(row for row in (await read_list(inst, ada, "all")).rows if row.preview == "Loop")
    await verbs.reply(inst, ada, loop.id, new_id(), Body(text="x"), seen_position=1)
    assert "loop@shop.example" in (await sent(inst, ada, loop.id)).header("to")


async def test_a_letter_that_a_group_passed_on_is_its_writers(inst: Installation, ada: Staff) -> None:
    ours = await address_of(inst, ada)
    await come_in(
        inst,
        ada,
        letter("Through the group", From=f"'Frida Berg' via Support <{ours}>", Reply_To="frida@mail.example"),
    )
    [message] = (await only(inst, ada)).entries
    assert (
        isinstance(message, Message)
        and message.from_address == "frida@mail.example"
        and message.author_name == "Frida Berg"
    )


async def test_pictures_written_into_the_html_become_files_shown_in_place(
    inst: Installation, ada: Staff
) -> None:
    message = letter("x")
    message.add_alternative('<p>Look <img src="data:image/png;base64,iVBORw0KGgo="></p>', subtype="html")
    await come_in(inst, ada, message)
    [entry] = (await only(inst, ada)).entries
    assert isinstance(entry, Message) and entry.html and "data:" not in entry.html and "/files/" in entry.html
    assert [file.name for file in entry.files] == ["picture.png"]


async def test_wild_html_is_shown_as_text_and_kept_whole(inst: Installation, ada: Staff) -> None:
    message = letter("x")
    message.set_content("<div>" * 3000 + "hello" + "<p>word</p>" * 200_000, subtype="html")
    await come_in(inst, ada, message)
    [entry] = (await only(inst, ada)).entries
    assert (
        isinstance(entry, Message)
        and "hello" in entry.text
        and [file.name for file in entry.files] == ["message.html"]
    )


async def test_tangled_letters_are_held_with_their_sender_and_the_next_letter_comes_through(
    inst: Installation, ada: Staff, post: Post
) -> None:
    tangled = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 3_000
    await post(b"From: a@b.example\r\nSubject: tangled\r\n" + tangled.encode(), await address_of(inst, ada))
    await post(letter("Next"), await address_of(inst, ada))
    [item] = await held.list_held(inst, ada)
    assert (item.from_, item.subject) == ("a@b.example", "tangled") and await previews(inst, ada) == ["Next"]
    await held.release(inst, ada, item.id)
    assert len(await previews(inst, ada)) == 2


async def test_the_door_says_no_in_the_same_words_and_bounds_guessing(
    inst: Installation, ada: Staff, post: Post
) -> None:
    def guess() -> set[tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", post.port) as client:  # type: ignore[attr-defined]
            client.helo("x")
            client.mail("a@b.example")
            return {client.rcpt(f"guess{n}@{inst.settings.mail_domain}") for n in range(40)} | {
                client.rcpt("<>")
            }

    told = await asyncio.to_thread(guess)
    assert (
        (550, b"5.1.1 No such address here") in told
        and any(code == 451 for code, _ in told)
        and len(told) <= 4
    )


async def test_a_letter_that_says_it_is_too_large_is_refused_before_it_is_sent(
    inst: Installation, ada: Staff, post: Post
) -> None:
    def offer() -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", post.port) as client:  # type: ignore[attr-defined]
            client.ehlo("x")
            assert int(client.esmtp_features["size"]) == inst.settings.max_message_bytes
            return client.mail("a@b.example", ["SIZE=50000000"])

    assert (await asyncio.to_thread(offer))[0] == 552


async def test_a_second_channel_of_the_account_has_its_own_copy(
    inst: Installation, ada: Staff, post: Post, people: People
) -> None:
    second = f"sales-{ada.account_id.hex[:8]}@{inst.settings.mail_domain}"
    await open_channel(inst, ada.account_id, "Sales", second)
    await post(letter("To both channels"), await address_of(inst, ada), second)
    assert await previews(inst, ada) == ["To both channels"] * 2


async def test_fifty_letters_at_once_are_in_the_inbox_when_the_door_says_so(
    inst: Installation, ada: Staff, post: Post
) -> None:
    address = await address_of(inst, ada)
    await asyncio.gather(
        *(post(letter(f"Letter {n}", From=f"c{n}@mail.example"), address) for n in range(50))
    )
    assert await previews(inst, ada) == sorted(f"Letter {n}" for n in range(50))


async def test_when_too_much_arrives_at_once_the_sender_comes_again_and_nothing_is_lost(
    inst: Installation, ada: Staff, post: Post
) -> None:
    intake, address = post.door.intake, await address_of(inst, ada)  # type: ignore[attr-defined]
    with intake.share() as others:
        others.take(intake.most // 2 + 1)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await post(letter("Later"), address)
        assert refused.value.smtp_code == 452
    with intake.share() as others:
        others.take(intake.most // 2)
        intake.most = intake.held + 1000
        with pytest.raises(smtplib.SMTPException):  # in the middle of the letter: 421, and the line is cut
            await post(letter("Later" + " and more" * 2000), address)
    assert intake.held == 0 and await previews(inst, ada) == []
    intake.most *= 2
    await post(letter("Later"), address)
    assert await previews(inst, ada) == ["Later"] and intake.held == 0


async def test_one_sender_cannot_take_all_lines(inst: Installation, post: Post) -> None:
    def greeting() -> tuple[socket.socket, bytes]:
        line = socket.create_connection(("127.0.0.1", post.port), timeout=10)  # type: ignore[attr-defined]
        return line, line.recv(200)

    lines = [await asyncio.to_thread(greeting) for _ in range(MOST_FROM_ONE)]
    assert all(told.startswith(b"220 ") for _, told in lines)
    turned, told = await asyncio.to_thread(greeting)
    assert told.startswith(b"421 4.3.2 ")
    for line in (turned, *(line for line, _ in lines)):
        line.close()
    for _ in range(200):
        if not post.door.connections:  # type: ignore[attr-defined]
            break
        await asyncio.sleep(0.01)
    line, told = await asyncio.to_thread(greeting)
    assert told.startswith(b"220 ")
    line.close()
