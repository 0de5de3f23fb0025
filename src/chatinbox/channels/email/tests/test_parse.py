"""Letters of every program, whole and broken, are read without raising, in bounded time, and nothing is lost."""

import base64
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.channels.email.charsets import decode_bytes
from chatinbox.channels.email.parse import Address, parse
from chatinbox.channels.email.tests.corpora import corpus


def mail(*lines: str, head: str = "From: a@b.example\r\n") -> bytes:
    return (head + "\r\n".join(lines)).encode("utf-8", "surrogateescape")


def multipart(kind: str, *parts: str, boundary: str = "xx") -> str:
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{body}--{boundary}--\r\n'


def text_part(words: str, sub: str = "plain", more: str = "") -> str:
    return f"Content-Type: text/{sub}; charset=utf-8{more}\r\n\r\n{words}"


def test_every_letter_of_the_collections_is_read_quickly() -> None:
    slow, lost = [], []
    for path in corpus("**/*.eml"):
        raw = path.read_bytes()
        began = time.thread_time()
        parsed = parse(raw)
        slow += [path.name] if time.thread_time() - began > 2 else []
        empty = not (parsed.text or parsed.html or parsed.parts)
        lost += (
            [path.name]
            if parsed.defect or (empty and len(raw.strip().partition(b"\r\n\r\n")[2]) > 40)
            else []
        )
    assert slow == [] and lost == []


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_random_bytes_never_raise(raw: bytes) -> None:
    parse(raw)
    parse(b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + raw)
    parse(b"From: " + raw + b"\r\nSubject: " + raw + b"\r\nTo: " + raw + b"\r\n\r\nx")


words = st.text(
    alphabet=st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cf")), min_size=1, max_size=30
)


@given(words, words, words, st.binary(min_size=1, max_size=50))
@settings(max_examples=100)
def test_what_a_proper_program_writes_is_read_back_as_written(
    subject: str, name: str, text: str, content: bytes
) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address_(name)
    message["Subject"] = subject
    message.set_content(text + "\n", cte="base64")
    message.add_attachment(
        content, maintype="application", subtype="pdf", filename=name.replace("/", "-").replace("\\", "-")
    )
    parsed = parse(message.as_bytes())
    assert parsed.text == text + "\n"
    assert parsed.subject == subject
    assert parsed.sender and parsed.sender.email == "frida@mail.example"
    assert [part.content for part in parsed.parts] == [content]


def Address_(name: str):  # type: ignore[no-untyped-def]
    from email.headerregistry import Address as Mailbox

    return Mailbox(name, "frida", "mail.example")


@pytest.mark.parametrize(
    ("charset", "encoding", "words"),
    [
        ("utf-8", "utf-8", "Grüße ✓"),
        ("us-ascii", "utf-8", "Grüße"),
        ("iso-8859-1", "utf-8", "Grüße"),
        ("iso-8859-1", "cp1252", "Grüße “fein” – 5 €"),
        ("utf-8", "cp1252", "Größe und Übermaß"),
        ("gb2312", "gb18030", "你好，镕基先生，龍"),
        ("iso-2022-jp", "iso2022_jp_ext", "こんにちは世界"),
        ("shift_jis", "cp932", "①②こんにちは"),
        ("ks_c_5601-1987", "cp949", "안녕하세요 똠"),
        ("koi8-r", "koi8-r", "Здравствуйте"),
        ("windows-1257", "cp1257", "Sveiki, šiandien"),
        ("iso-8859-8-i", "cp1255", "שלום עולם"),
        ("utf-16", "utf-16", "Grüße"),
        ("utf-7", "utf-7", "Grüße"),
        ("x-never-heard-of", "utf-8", "Grüße"),
        ("x-never-heard-of", "cp1251", "Здравствуйте, это письмо без кодировки. Спасибо за ответ на вопрос."),
        ('"utf8"', "utf-8", "Grüße"),
    ],
)
def test_charsets_are_read_as_declared_or_as_they_must_be_meant(
    charset: str, encoding: str, words: str
) -> None:
    body = base64.b64encode(words.encode(encoding)).decode()
    parsed = parse(
        mail(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64", "", body)
    )
    assert parsed.text == words


def test_backslashes_and_undeclared_eight_bit_stay_as_written() -> None:
    parsed = parse(
        b"From: a@b.example\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\nContent-Type: text/plain\r\n\r\nC:\\new\\table Gr\xfc\xdfe \\u0041"
    )
    assert parsed.text == "C:\\new\\table Grüße \\u0041" and parsed.subject == "Grüße"
    assert decode_bytes(b"\x81\x8d\x90 plain", None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Frida Berg <frida@mail.example>", Address("Frida Berg", "frida@mail.example")),
        ('"Berg, Frida" <frida@mail.example>', Address("Berg, Frida", "frida@mail.example")),
        ("frida@mail.example (Frida Berg)", Address("Frida Berg", "frida@mail.example")),
        ("=?utf-8?b?TcO8bGxlciwgSsO2cmc=?= <j@m.example>", Address("Müller, Jörg", "j@m.example")),
        (
            "=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_M=C3=BCller?= <j@m.example>",
            Address("Jörg Müller", "j@m.example"),
        ),
        ("=?iso-2022-jp?b?GyRCOzNFRBsoQg==?= <j@m.example>", Address("山田", "j@m.example")),
        ("Frida <<frida@mail.example>>", Address("Frida", "frida@mail.example")),
        ("Frida frida@mail.example, x", None),
        ("'Frida' <frida@mail.example>", Address("Frida", "frida@mail.example")),
        ("Frida [the] <frida@mail.example", None),
        ("nobody", "none"),
        ("undisclosed-recipients:;", "none"),
        ("=?x?y?broken?= <j@m.example>", None),
    ],
)
def test_senders_are_found_however_they_are_written(header: str, expected: Address | str | None) -> None:
    sender = parse(mail("", "x", head=f"From: {header}\r\n")).sender
    if expected is None:
        assert sender and sender.email.endswith(".example")
    else:
        assert sender == (None if expected == "none" else expected)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=plan.pdf", "plan.pdf"),
        ("attachment; filename*=utf-8''R%C3%A4tsel%20%E2%82%AC.pdf", "Rätsel €.pdf"),
        ("attachment; filename*0*=utf-8''R%C3%A4t; filename*1*=sel.pdf", "Rätsel.pdf"),
        ("attachment; filename==?utf-8?b?UsOkdHNlbC5wZGY=?=", "Rätsel.pdf"),
        ('attachment; filename="=?utf-8?q?R=C3=A4tsel=2Epdf?="', "Rätsel.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\files\\\\plan.pdf"', "plan.pdf"),
        ('attachment; filename="invoice\u202efdp.exe"', "invoicefdp.exe"),
        ("attachment; filename*=x-unknown''R%E4tsel.pdf", "R"),
        ("attachment", "file.pdf"),
    ],
)
def test_names_of_files_are_read_and_made_harmless(disposition: str, name: str) -> None:
    raw = mail(
        multipart(
            "mixed",
            text_part("x"),
            f"Content-Type: application/pdf\r\nContent-Disposition: {disposition}\r\n\r\n%PDF",
        )
    )
    [part] = parse(raw).parts
    assert part.name.startswith(name) and "/" not in part.name and part.content == b"%PDF"


def test_alternatives_are_two_forms_of_the_same_words() -> None:
    calendar = "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"
    parsed = parse(
        mail(
            multipart(
                "alternative",
                text_part("plain"),
                text_part("<p>rich</p>", "html"),
                text_part("amp", "x-amp-html"),
                calendar,
            )
        )
    )
    assert (parsed.text, parsed.html) == ("plain", "<p>rich</p>")
    assert [(part.name, part.type) for part in parsed.parts] == [("invitation.ics", "text/calendar")]


def test_bodies_around_pictures_are_put_together_in_their_order() -> None:
    picture = "Content-Type: image/png; name=a.png\r\nContent-Disposition: inline; filename=a.png\r\nContent-ID: <p1>\r\n\r\nPNG"
    plain = parse(mail(multipart("mixed", text_part("one"), picture, text_part("two"))))
    assert plain.text == "one\n\ntwo" and [part.name for part in plain.parts] == ["a.png"]
    rich = parse(
        mail(
            multipart(
                "mixed",
                text_part("<p>one</p>", "html"),
                picture,
                text_part("<p>two</p>", "html"),
                text_part("list footer"),
            )
        )
    )
    assert (
        rich.html
        and rich.html.index("one") < rich.html.index("two") < rich.html.index("list footer")
        and rich.text is None
    )


def test_pictures_in_related_parts_are_shown_in_place() -> None:
    picture = "Content-Type: image/png\r\nContent-ID: <p1@x>\r\n\r\nPNG"
    inner = multipart("related", text_part("<img src=cid:p1@x>", "html"), picture, boundary="yy")
    parsed = parse(mail(multipart("alternative", text_part("plain"), inner)))
    assert parsed.html == "<img src=cid:p1@x>" and parsed.text == "plain"
    assert [(part.content_id, part.inline, part.name) for part in parsed.parts] == [
        ("p1@x", True, "picture.png")
    ]


def test_letters_in_letters_and_reports_are_files() -> None:
    inner = "Content-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\ninner words"
    report = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nStatus: 5.1.1\r\n"
    parsed = parse(mail(multipart("report", text_part("It failed"), report, inner)))
    assert parsed.text == "It failed" and [part.name for part in parsed.parts] == ["report.txt", "Grüße.eml"]
    assert b"5.1.1" in parsed.parts[0].content and b"inner words" in parsed.parts[1].content


def test_a_text_file_is_a_file_but_words_that_are_all_there_is_are_words() -> None:
    log = "Content-Type: text/plain; name=log.txt\r\nContent-Disposition: attachment; filename=log.txt\r\n\r\nline"
    parsed = parse(mail(multipart("mixed", text_part("see log"), log)))
    assert parsed.text == "see log" and [part.name for part in parsed.parts] == ["log.txt"]
    assert parse(mail("Content-Type: text/plain; name=body.txt", "", "words")).text == "words"


def test_broken_lines_of_flowed_text_are_put_together() -> None:
    parsed = parse(
        mail(
            "Content-Type: text/plain; format=flowed",
            "",
            "one ",
            "two",
            "> quoted ",
            "> on",
            " From here",
            "-- ",
            "Frida",
        )
    )
    assert parsed.text == "one two\n> quoted on\nFrom here\n-- \nFrida"


@pytest.mark.parametrize(
    "raw",
    [
        mail("Content-Type: multipart/mixed", "", "--zz", "Content-Type: text/plain", "", "words", "--zz--"),
        mail(
            "Content-Type: multipart/mixed; boundary=other",
            "",
            "--zz",
            "Content-Type: text/plain",
            "",
            "words",
            "--zz--",
        ),
        mail("Content-Type: multipart/mixed; boundary=zz", "", "words"),
        mail(
            "Content-Type: multipart/mixed; boundary=zz", "", "--zz", "Content-Type: text/plain", "", "words"
        ),
        mail("Content-Type: ;;;", "", "words"),
        mail("Content-Type: text/plain; charset=", "Content-Transfer-Encoding: rot13", "", "words"),
        mail("Content-Transfer-Encoding: base64", "", "d29yZHM=!!!"),
        mail("Content-Type: text/html", "", "words"),
    ],
)
def test_broken_mime_still_gives_its_words(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.defect is None and "words" in (parsed.text or "") + (parsed.html or "")


def test_a_text_too_long_to_be_shown_is_kept_whole_as_a_file() -> None:
    parsed = parse(mail("", "word " * 200_000))
    assert parsed.text and len(parsed.text) == 400_000
    assert [(part.name, len(part.content)) for part in parsed.parts] == [("message.txt", 1_000_000)]


def test_an_archive_is_kept_and_not_unpacked() -> None:
    bomb = base64.b64encode(b"PK\x03\x04" + b"\0" * 1000).decode()
    raw = mail(
        multipart(
            "mixed",
            text_part("x"),
            f"Content-Type: application/zip; name=b.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{bomb}",
        )
    )
    assert [len(part.content) for part in parse(raw).parts] == [1004]


TANGLED = {
    "nested parts": lambda: "".join(f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n" for i in range(3000)) + "\r\nx\r\n" * 100_000,
    "many parts": lambda: "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 300_000,
    "many headers": lambda: "X: y\r\n" * 1_000_000 + "\r\nx",
    "long header": lambda: "Subject: " + "=?utf-8?q?x?= " * 500_000 + "\r\n\r\nx",
    "many addresses": lambda: "To: " + ", ".join(f"a{i}@b.example" for i in range(200_000)) + "\r\n\r\nx",
    "odd addresses": lambda: "To: " + '"(' * 200_000 + "\r\nCc: " + "(" * 200_000 + "\r\nReply-To: " + "<" * 200_000 + "\r\n\r\nx",
    "many ids": lambda: "References: " + "<a@b>" * 500_000 + "\r\n\r\nx",
    "open encoded words": lambda: "Subject: " + "=?utf-8?b?" * 300_000 + "\r\n\r\nx",
    "letters in letters": lambda: "Content-Type: message/rfc822\r\n\r\n" * 3_000 + "x",
    "long parameters": lambda: "Content-Type: text/plain; " + "; ".join(f"name*{i}*=x" for i in range(50_000)) + "\r\n\r\nx",
    "open quotes": lambda: 'Content-Disposition: attachment; filename="' + '\\"' * 300_000 + "\r\n\r\nx",
    "quotes after a bare CR": lambda: "X: y\rContent-Type: text/plain" + ";a=" * 200_000 + '"\r\rx',
    "large": lambda: "\r\n" + "word word word\r\n" * 1_500_000,
}  # fmt: skip


@pytest.mark.parametrize("name", TANGLED)
def test_tangled_letters_cost_little_and_are_read_or_say_why_not(name: str) -> None:
    raw = mail(head="From: Frida <frida@mail.example>\r\nSubject: first\r\n" + TANGLED[name]())
    began = time.thread_time()
    parsed = parse(raw)
    assert time.thread_time() - began < 9
    assert parsed.sender == Address("Frida", "frida@mail.example")
    assert parsed.defect or parsed.text or parsed.parts
