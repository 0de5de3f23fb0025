"""Answers as letters: they stay in their thread, name nobody else, and cannot be made to say more than they should."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.channels.email.compose import Answer, CannotBeWritten, File, capped, compose
from chatinbox.channels.email.parse import parse

AT = datetime(2025, 11, 3, 10, 15, tzinfo=UTC)


def answer(**more: Any) -> Answer:
    usual: dict[str, Any] = {
        "message_id": "one@inbox.example", "sender_name": "Ada, Tea", "sender": "support@tea.example",
        "reply_to": "r-abc@inbox.example", "recipient": "frida@mail.example", "recipient_name": "Frida Berg", "subject": "Order 7",
        "at": AT, "text": "On its way", "html": None, "in_reply_to": "q@mail.example", "references": ["q@mail.example"],
        "quoted_by": "Frida", "quoted_at": AT, "quoted_text": "Where is it?",
    }  # fmt: skip
    return Answer(**{**usual, **more})


def read(raw: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(raw, policy=default))


def test_an_answer_says_who_writes_and_which_letter_it_answers() -> None:
    message = read(compose(answer()))
    assert (
        message["From"] == '"Ada, Tea" <support@tea.example>'
        and message["To"] == "Frida Berg <frida@mail.example>"
    )
    assert message["Reply-To"] == '"Ada, Tea" <r-abc@inbox.example>' and message["Subject"] == "Re: Order 7"
    assert (
        message["Message-ID"] == "<one@inbox.example>"
        and message["In-Reply-To"] == message["References"] == "<q@mail.example>"
    )
    assert message["Auto-Submitted"] is None and message["Bcc"] is None and message["Date"]
    plain, rich = (str(message.get_body((kind,)).get_content()) for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert "On its way\n\nOn 3 November 2025, 10:15 UTC, Frida wrote:\n> Where is it?" in plain.replace(
        "\r", ""
    )
    assert "Where is it?" in rich


def test_only_automatic_letters_say_that_they_are() -> None:
    message = read(compose(answer(automatic=True)))
    assert message["Auto-Submitted"] == "auto-replied" and message["X-Auto-Response-Suppress"] == "All"


def test_long_ids_leave_as_they_came_and_unfit_ones_stay_here() -> None:
    long = "AM0PR04MB1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789@AM0PR04MB1234.eurprd04.prod.outlook.com"
    raw = compose(answer(in_reply_to=long, references=["x" * 300 + "@b", "ü@b", "a b@c", "a>b@c", long]))
    assert f"<{long}>".encode() in raw and b"=?" not in raw.split(b"MIME-Version")[0]
    parsed = parse(raw)
    assert parsed.references == [long, "x" * 300 + "@b"]


def test_the_thread_keeps_its_first_and_last_ids() -> None:
    assert capped([str(n) for n in range(50)]) == ["0", *(str(n) for n in range(31, 50))]
    assert capped(["a", "a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("subject", ["Re: x", "AW: x", "Sv: x", "RE[2]: x", "回复：x"])
def test_an_answer_to_an_answer_is_not_marked_twice(subject: str) -> None:
    assert read(compose(answer(subject=subject)))["Subject"] == subject


@pytest.mark.parametrize(
    "address",
    [
        "no address",
        "a@b@c d",
        "jörg@mail.example",
        "@",
        "a@",
        '"@x.example',
        "a\r\nBcc: v@x.example",
        "x" * 70 + "(@y",
    ],
)
def test_an_address_that_cannot_be_written_to_is_said_in_a_sentence(address: str) -> None:
    try:
        message = read(compose(answer(recipient=address)))
    except CannotBeWritten as refused:
        assert str(refused).endswith(".")
    else:
        assert message["Bcc"] is None


def test_domains_of_other_scripts_are_written_in_ascii() -> None:
    assert "xn--mller-kva.example" in read(compose(answer(recipient="frida@müller.example")))["To"]


text = st.text(max_size=60) | st.sampled_from(["a\r\nBcc: v@x.example", "a\nTo: v@x.example\n\nbody", "=?utf-8?q?=0d=0aBcc:_v?=", "\u2028Bcc: x", "\ud800", "=??Q?=0D=0ABcc:v@x.example", "=?utf-8?q?=0ABcc:v?= =?utf-8?b?DQpCY2M6?=", "\x00", "a" * 2000, "<script>", '"; x="'])  # fmt: skip


@given(text, text, text, text, text, text)
@settings(max_examples=200)
def test_no_words_of_anybody_become_headers(
    name: str, subject: str, body: str, quoted: str, file: str, message_id: str
) -> None:
    raw = compose(
        answer(
            sender_name=name, recipient_name=name, subject=subject, text=body.encode("utf-8", "replace").decode(), quoted_by=name,
            quoted_text=quoted.encode("utf-8", "replace").decode(), in_reply_to=message_id, references=[message_id, subject],
            files=[File(file, subject, b"content")],
        )
    )  # fmt: skip
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
    names = {line.split(":")[0].lower() for line in re.split(r"\r\n(?![ \t])", head)}
    assert names <= {
        "from",
        "to",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
    }
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998 and b"\n" not in raw.replace(b"\r\n", b"")
    parsed = parse(raw)
    assert parsed.defect is None and [part.content for part in parsed.parts] == [b"content"]
    assert [one.email for one in parsed.to] == ["frida@mail.example"] and not parsed.cc


def test_a_composed_answer_is_read_back_by_our_own_reader_and_folds_what_it_quotes() -> None:
    from chatinbox.channels.email.words import body_of

    body = body_of(
        parse(
            compose(
                answer(
                    text="Grüße\n\nC:\\new\\table", files=[File("Rätsel €.pdf", "application/pdf", b"%PDF")]
                )
            )
        )
    )
    assert body.text == "Grüße\n\nC:\\new\\table" and "Where is it?" in (body.quoted_text or "")
