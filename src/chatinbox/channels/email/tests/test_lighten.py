"""What a letter carries besides what its writer means to say: nothing of it is written anywhere."""

import base64
import io
import re
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.channels.email.lighten import lighten
from chatinbox.channels.email.parse import parse, tree
from chatinbox.channels.email.raw import Arrived, read
from chatinbox.channels.email.tests.letters import Post, address_of, channel_of, letter, only
from chatinbox.conversations.collection import set_takes
from chatinbox.conversations.timeline import Message
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.letter_head import is_kept, without_traces
from chatinbox.core.masking import Masking

CARD = "4242424242424242"
IBAN = "DE89370400440532013000"
PLACE = "Canary at 47.3769 8.5417"
MACHINE = "203.0.113.77"
ALL = {"files", "traces", "numbers"}


def photo() -> bytes:
    written = Image.Exif()
    written[0x010F] = PLACE
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "JPEG", exif=written.tobytes())
    return out.getvalue()


def full(text: str = f"My card is {CARD}", **more: str) -> EmailMessage:
    """A letter as programs write them."""
    return letter(
        text,
        f"About {CARD}",
        Received=f"from laptop ([{MACHINE}]) by mx.example; Mon, 3 Nov 2025 10:00:00 +0000",
        X_Originating_IP=f"[{MACHINE}]",
        X_Mailer="CanaryMail 7",
        User_Agent="CanaryAgent 8",
        X_Never_Heard_Of="canary-field",
        Authentication_Results=f"mx.example; spf=pass smtp.remote-ip={MACHINE}; dkim=pass",
        **more,
    )


async def stored_bytes(inst: Installation, staff: Staff) -> bytes:
    """Everything the account has of customers' letters, opened: raw letters, files, words, summaries; and every column that
    is not sealed, of every table.
    """
    account_id, found = staff.account_id, []
    [raws, files, messages, titles] = await inst.db.run(
        account_id,
        ("select id, channel_id, summary_sealed from raw_mail where account_id = %s", [account_id]),
        (
            "select a.id, c.customer_id, a.name_sealed from attachment a join conversation c using (account_id)"
            " where a.conversation_id = c.id and a.account_id = %s",
            [account_id],
        ),
        (
            "select m.id, c.customer_id, m.body_sealed from message m join conversation c using (account_id)"
            " where m.conversation_id = c.id and m.account_id = %s",
            [account_id],
        ),
        (
            "select id, customer_id, subject_sealed, preview_sealed from conversation where account_id = %s",
            [account_id],
        ),
    )
    for raw_id, channel_id, summary in raws:
        raw, _ = await read(inst, Arrived(account_id, raw_id, channel_id))
        key = await inst.vault.raw_mail_key(account_id, raw_id)
        parsed = parse(raw)
        found += [raw, key.open(summary, account_id, "raw_mail", "summary", raw_id), str(parsed).encode()]
        found += [part.content for part in parsed.parts]
    for row_id, customer_id, name in files:
        key = await inst.vault.customer_key(account_id, customer_id)
        found += [
            await inst.files.get(key, account_id, row_id),
            key.open(name, account_id, "attachment", "name", row_id),
        ]
    for row_id, customer_id, body in messages:
        key = await inst.vault.customer_key(account_id, customer_id)
        found.append(key.open(body, account_id, "message", "body", row_id))
    for row_id, customer_id, title, preview in titles:
        key = await inst.vault.customer_key(account_id, customer_id)
        found += [
            key.open(sealed, account_id, "conversation", name, row_id)
            for name, sealed in (("subject", title), ("preview", preview))
            if sealed
        ]
    tables = await inst.db.directory(
        "select c.oid::regclass::text from pg_class c where c.relnamespace = 'tenant'::regnamespace and c.relkind = 'r'"
        " and has_table_privilege(c.oid, 'select')"
    )
    rows = await inst.db.run(
        account_id, *((f"select to_jsonb(t)::text from {name} t", []) for (name,) in tables)
    )
    found += [row[0].encode() for table in rows for row in table]
    return b"\n".join(found)


CANARIES = (CARD, IBAN, PLACE, MACHINE, "CanaryMail", "CanaryAgent", "canary-field")


async def test_a_letter_with_its_traces_a_photo_and_numbers_leaves_none_of_them_anywhere(
    inst: Installation, ada: Staff, post: Post
) -> None:
    message = full(f"My card is {CARD}, pay back to {IBAN}.")
    message.add_attachment(photo(), "image", "jpeg", filename=f"me {CARD}.jpg")
    message.add_attachment(f"name;card\nFrida;{CARD}\n".encode(), "text", "csv", filename="cards.csv")
    message.add_attachment(full("Inner words"))
    await post(message, await address_of(inst, ada))
    stored = (await stored_bytes(inst, ada)).decode("utf-8", "replace")
    assert [one for one in CANARIES if one in stored] == []
    assert "spf=pass" in stored and "dkim=pass" in stored and "Inner words" in stored
    [message_] = [one for one in (await only(inst, ada)).entries if isinstance(one, Message)]
    assert message_.text == "My card is ••••••••••••4242, pay back to DE••••••••••••••••3000."
    assert [file.name for file in message_.files][:2] == ["me ************4242.jpg", "cards.csv"] and len(
        message_.files
    ) == 3


async def test_a_held_letter_is_without_them_too_and_is_released_so(
    inst: Installation, ada: Staff, cyd: Staff, post: Post
) -> None:
    raw = full().as_bytes(policy=SMTP)
    raw = re.sub(rb"(?m)^From:.*\r\n", b"", raw)
    await post(raw, await address_of(inst, ada), sender="")
    [waiting] = await held.list_held(inst, ada)
    assert waiting.subject == "About ••••••••••••4242"
    kept, _ = await held.raw(inst, ada, waiting.id)
    assert not [one for one in CANARIES if one.encode() in kept]
    with pytest.raises(Refused):
        await held.raw(inst, cyd, waiting.id)


def traces_read(raw: bytes) -> list[str]:
    """The fields that our reader finds in a letter's head and nobody meant to say."""
    verdicts = ("authentication-results", "arc-authentication-results", "received-spf")
    return [
        name for name, _ in tree(raw).items() if not is_kept(name.encode()) and name.lower() not in verdicts
    ]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize(
    "odd", [b"From me@x Mon", b" odd", b"\todd", b": empty", b":", b": empty\r\n more", b"Subject: x"]
)
def test_no_line_that_is_no_field_keeps_the_traces_behind_it(odd: bytes, end: bytes) -> None:
    trace = b"Received: from pc [%s]" % MACHINE.encode()
    for head in ([b"Subject: x", odd, trace], [odd, trace, b"Subject: x"], [trace, odd, odd, trace]):
        light = without_traces(end.join([*head, b"", b"Received: words", b"hi"]))
        assert traces_read(light) == [] and MACHINE.encode() not in light
        assert light.endswith(end + b"Received: words" + end + b"hi")


LINES = [
    b"Subject: x", b"From: a@b.example", b"To: c@d.example", b"Received: from pc [10.1.2.3]", b"X-Mailer: y", b"subject:", b" more",
    b"\t", b"From me@x Mon", b"From love", b": empty", b":", b"Authentication-Results: x; ip=10.1.2.3", b"Content-Type: text/plain",
]  # fmt: skip
ODD_LINES = [
    b">From me@x Mon",
    b"Received : from pc",
    b"To\t: x",
    b"words",
    b"R\xe9ceived: x",
    b"\x0bX-A: b",
    b"",
]
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r"])


@given(st.lists(st.tuples(st.sampled_from(LINES + ODD_LINES) | st.binary(max_size=6), ENDS), max_size=9))
def test_whatever_the_head_no_trace_is_read_in_what_is_left(head: list[tuple[bytes, bytes]]) -> None:
    assert traces_read(without_traces(b"".join(line + end for line, end in head))) == []


@given(st.lists(st.tuples(st.sampled_from(LINES), ENDS), max_size=9), ENDS, st.binary(max_size=30))
def test_what_people_mean_and_all_below_the_head_is_read_as_before(
    head: list[tuple[bytes, bytes]], empty: bytes, words: bytes
) -> None:
    assume(not (head and head[-1][1] == b"\r" and empty.startswith(b"\n")))  # those two are one end
    assume(not (empty == b"\r" and words.startswith(b"\n")))
    raw = b"Message-ID: <1@x>\r\n" + b"".join(line + end for line, end in head) + empty + words
    light = without_traces(raw)
    before, after = tree(raw), tree(light)
    assert light.endswith(empty + words) and after.get_payload() == before.get_payload()
    kept = [(name, value) for name, value in before.items() if is_kept(name.encode())]
    assert [(name, value) for name, value in after.items() if is_kept(name.encode())] == kept


@pytest.mark.parametrize(
    "line", [b"From a b\r\n", b":\n", b" \r", b"X:\n \n", b"To: a\n", b"x", b" ", b"From "]
)
def test_a_head_costs_time_by_its_length(line: bytes) -> None:
    def seconds(times: int) -> float:
        raw, began = line * times, time.thread_time()
        without_traces(raw)
        return time.thread_time() - began

    assert seconds(400_000) < 40 * max(min(seconds(40_000) for _ in range(3)), 0.001)


def html_letter(html: str) -> bytes:
    message = letter("see below")
    message.add_alternative(html, subtype="html")
    return message.as_bytes(policy=SMTP)


@pytest.mark.parametrize("cte", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_numbers_are_found_however_the_words_are_encoded(cte: str, charset: str) -> None:
    words = f"Karte {CARD}" if cte == "7bit" else f"Größe und Karte {CARD}, {'lang ' * 30}"
    message = letter("x")
    message.set_content(words, cte=cte, charset=charset)
    light, withheld = lighten(message.as_bytes(policy=SMTP), {"files"})
    text = parse(light).text or ""
    assert text.strip() == words.replace(CARD, "••••••••••••4242").strip() and withheld == {"card": 1}


def test_a_letter_without_any_is_the_same_below_its_head_to_the_byte() -> None:
    message = letter("Größe ohne alles")
    message.add_attachment(b"\x00\x01" * 100, "application", "octet-stream", filename="a.bin")
    message.set_boundary(f"==={CARD.replace(' ', '')}==")  # drawn by a program, read by nobody
    raw = b"Received: from here\r\n" + message.as_bytes(policy=SMTP)
    assert lighten(raw, {"files"}) == (raw.removeprefix(b"Received: from here\r\n"), {})
    assert lighten(raw, ALL) == (raw, {})


def test_subjects_names_and_file_names_are_masked_in_every_form_they_are_written() -> None:
    raw = (
        f'From: =?utf-8?q?J=C3=B6rg_{CARD}?= <j@x.example>\r\nTo: "{CARD}" <a@b.example>\r\n'
        f"Subject: =?utf-8?b?4oKsIDQyNDI=?=\r\n =?utf-8?q?_4242_4242_4242?=\r\nMessage-ID: <{CARD}@x.example>\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
        "--b\r\nContent-Type: application/pdf\r\n"
        "Content-Disposition: attachment; filename*=utf-8''4242%204242%204242%204242.pdf\r\n\r\nx\r\n--b--\r\n"
    ).encode()
    light, _ = lighten(raw, {"files"})
    parsed = parse(light)
    assert parsed.subject == "€ •••• •••• •••• 4242" and parsed.message_id == f"{CARD}@x.example"
    assert (
        parsed.sender
        and parsed.sender.name == "Jörg ••••••••••••4242"
        and parsed.sender.email == "j@x.example"
    )
    assert parsed.to[0].name == "************4242"
    assert "4242 4242" not in parsed.parts[0].name and parsed.parts[0].name.endswith("4242.pdf")


def test_an_address_that_looks_like_a_number_stays_one_that_can_be_answered() -> None:
    raw = f"From: Id 44051401359 <44051401359@mail.example>\r\nTo: {CARD}@b.example\r\n\r\nhi".encode()
    parsed = parse(lighten(raw, {"files"})[0])
    assert parsed.sender and parsed.sender.email == "44051401359@mail.example"
    assert parsed.sender.name == "Id *********59" and parsed.to[0].email == f"{CARD}@b.example"


def test_lines_that_a_program_broke_are_one_number_and_stay_broken() -> None:
    raw = b"From: a@b.example\r\nContent-Type: text/plain; format=flowed\r\n\r\nMy card 4242 4242 \r\n4242 4242 thanks\r\n"
    light, withheld = lighten(raw, {"files"})
    assert (
        withheld == {"card": 1}
        and "4242 thanks" in (parse(light).text or "")
        and "•••• •••• ••••" in (parse(light).text or "")
    )


def test_pictures_written_into_html_lose_where_they_were_taken() -> None:
    html = f"<p>Hi <b>4242</b>42424242<i>4242</i></p><img src='data:image/jpeg;base64,{base64.b64encode(photo()).decode()}'>"
    light, withheld = lighten(html_letter(html), {"files"})
    parsed = parse(light)
    assert withheld == {"card": 1, "picture": 1} and "<b>••••</b>••••••••<i>4242</i>" in (parsed.html or "")
    found = re.search(r"base64,([^']+)", parsed.html or "")
    assert found and PLACE.encode() not in base64.b64decode(found[1])


def test_a_letter_that_cannot_be_taken_apart_is_masked_as_it_lies_there() -> None:
    raw = (
        full()
        .as_bytes(policy=SMTP)
        .replace(b"Subject:", b"Content-Type: multipart/mixed; " + b"a=b; " * 5000 + b"\r\nSubject:")
    )
    assert parse(raw).defect
    light, withheld = lighten(raw, {"files"})
    assert withheld == {"card": 1} and not [one for one in CANARIES if one.encode() in light]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_where_no_files_are_taken_only_the_head_is_left_of_one_that_cannot_be_taken_apart(end: bytes) -> None:
    tangled = b";a=" * 50_000
    raw = end.join([b"Subject: x", b"Content-Type: text/plain" + tangled, b"", b"the file"])
    light, _ = lighten(raw, set())
    assert b"Subject: x" in light and b"the file" not in light
    assert b"the file" in lighten(raw, {"files"})[0]


def test_words_beside_the_parts_are_masked_too() -> None:
    raw = f"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbefore {CARD}\r\n--b\r\n\r\nhi\r\n--b--\r\nafter {CARD}\r\n"
    assert CARD.encode() not in lighten(raw.encode(), {"files"})[0]


def test_where_the_business_wants_them_traces_and_numbers_stay_and_cards_do_not() -> None:
    message = full(f"{CARD} and {IBAN}")
    message.add_attachment(photo(), "image", "jpeg", filename="me.jpg")
    light, withheld = lighten(message.as_bytes(policy=SMTP), ALL)
    parsed = parse(light)
    assert withheld == {"card": 1} and CARD not in light.decode("latin-1")
    assert (
        IBAN in (parsed.text or "")
        and MACHINE in light.decode("latin-1")
        and PLACE.encode() in parsed.parts[0].content
    )


async def test_where_no_files_are_taken_a_letter_comes_without_them_and_staff_see_that_one_was_left_out(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, post: Post
) -> None:
    await set_takes(inst, ada, await channel_of(inst, ada), [])
    message = letter("See the file")
    message.add_attachment(b"%PDF secret file words", "application", "pdf", filename="a.pdf")
    message.add_attachment(photo(), "image", "jpeg", filename="b.jpg")
    for staff in (ada, cyd):
        await post(message, await address_of(inst, staff))
    timeline = await only(inst, bea)
    assert [
        getattr(one, "text", None) or (getattr(one, "what", ""), getattr(one, "data", {}))
        for one in timeline.entries
    ] == ["See the file", ("left_out", {"count": 2})]
    assert b"secret file words" not in await stored_bytes(inst, ada)
    assert b"secret file words" in await stored_bytes(inst, cyd)  # the other account's rule is its own
    [message_] = [one for one in (await only(inst, cyd)).entries if isinstance(one, Message)]
    assert len(message_.files) == 2


async def test_a_letter_that_is_nothing_but_a_file_leaves_nothing_of_it(
    inst: Installation, ada: Staff, post: Post
) -> None:
    await set_takes(inst, ada, await channel_of(inst, ada), [])
    raw = b"From: a@b.example\r\nSubject: Scan\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF secret file words\r\n"
    await post(raw, await address_of(inst, ada))
    assert b"secret file words" not in await stored_bytes(inst, ada)
    assert (await only(inst, ada)).row.subject == "Scan"


WORDS = st.lists(
    st.sampled_from(
        [
            "hello",
            "Größe",
            "日本語",
            "42424",
            CARD,
            "4242 4242 4242 4242",
            IBAN,
            "<b>",
            "&amp;",
            "> quoted",
            "\n",
            "-- ",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(WORDS, WORDS, st.sampled_from(["8bit", "quoted-printable", "base64"]))
def test_what_is_read_of_a_lightened_letter_is_what_would_be_read_masked(
    text: str, html: str, cte: str
) -> None:
    message = letter("x")
    message.set_content(text, cte=cte)
    message.add_alternative(f"<p>{html}</p>", subtype="html", cte=cte)
    raw = message.as_bytes(policy=SMTP)
    light, withheld = lighten(raw, {"files"})
    before, after, masking = parse(raw), parse(light), Masking()
    assert after.text == masking.text(before.text or "") and after.html == masking.html(before.html or "")
    assert after.subject == before.subject and withheld == dict.fromkeys(masking.found, 1)
    assert lighten(light, {"files"}) == (light, {})


@given(st.binary(max_size=400))
def test_nothing_that_arrives_makes_it_fail(raw: bytes) -> None:
    for head in (b"", b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"):
        assert isinstance(lighten(head + raw, set())[0], bytes)
