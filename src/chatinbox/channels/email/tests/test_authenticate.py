"""Who sent a letter: what is found out, what is kept of it, and what a forged one cannot do."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import authenticate, dkim, held, spf
from chatinbox.channels.email.authenticate import authenticate_fetched
from chatinbox.channels.email.channel import Mailbox
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.tests.letters import Post, address_of, letter, messages, only, sent
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.checked import Checked, sentence_of, verdict_of
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message
from chatinbox.core.egress import Names
from chatinbox.core.egress.addresses import read_address
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.customers.erased import mark_erased, were_erased
from chatinbox.customers.read import read_customer
from promises.arriving import ELSEWHERE, Domain, bring, written
from promises.name_server import PEER, NameServer, name_server

FRIDA = "Frida Berg <frida@mail.example>"


@pytest.fixture
async def server(inst: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NameServer]:
    """A name server that the installation asks."""
    async with name_server() as opened:
        monkeypatch.setattr(inst.egress, "names", opened.names())
        yield opened


@pytest.fixture
def domain(server: NameServer) -> Domain:
    """mail.example, which has letters that it did not send refused."""
    return Domain("mail.example").publish(server)


async def said(inst: Installation, staff: Staff) -> list[tuple[str, str]]:
    """Of the account's only conversation, each message's verdict and words."""
    talk = await only(inst, staff)
    return [
        (one.sender.is_ if one.sender else "", one.text) for one in talk.entries if isinstance(one, Message)
    ]


async def check(
    inst: Installation, raw: bytes, sender: str = "frida@mail.example", peer: str = PEER
) -> Checked:
    found = await authenticate.authenticate(inst, raw, peer, "mx.mail.example", sender)
    assert found
    return found


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


async def test_each_way_of_vouching_is_told_by_its_name(
    inst: Installation, server: NameServer, domain: Domain
) -> None:
    raw = written("Hello", FRIDA)
    assert sentence_of(await check(inst, raw)) == "mail.example vouched for this sender (SPF, DMARC)."
    assert (
        sentence_of(await check(inst, domain.sign(raw)))
        == "mail.example vouched for this sender (SPF, DKIM, DMARC)."
    )
    Domain("mail.example", domain.key).publish(server, policy="")
    server.knows.pop("TXT _dmarc.mail.example")
    inst.egress.names = server.names()
    assert (
        sentence_of(await check(inst, domain.sign(raw), peer=ELSEWHERE))
        == "mail.example vouched for this sender (DKIM)."
    )


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [("v=DMARC1; p=reject", "denied"), ("v=DMARC1; p=quarantine", "denied"), ("v=DMARC1; p=none", "nobody"), ("", "nobody")],
)  # fmt: skip
async def test_a_domain_that_did_not_send_it_says_so_or_says_nothing(
    inst: Installation, server: NameServer, policy: str, verdict: str
) -> None:
    Domain("mail.example").publish(server, policy)
    assert verdict_of(await check(inst, written("Hello", FRIDA), peer=ELSEWHERE)) == verdict


async def test_what_is_below_a_domain_is_its_owners_and_what_is_beside_it_is_not(
    inst: Installation, server: NameServer
) -> None:
    news, other = (
        Domain("news.shop.example").publish(server, ""),
        Domain("shop.elsewhere.example").publish(server),
    )
    server.knows["TXT _dmarc.shop.example"] = ["v=DMARC1; p=reject; sp=quarantine"]
    raw = written("Hello", "a@shop.example")
    assert (await check(inst, news.sign(raw), "x@y.example", ELSEWHERE)).domain == "news.shop.example"
    assert (await check(inst, other.sign(raw), "x@y.example", ELSEWHERE)).dmarc == "reject"
    below = await check(inst, written("Hello", "a@team.shop.example"), "x@y.example", ELSEWHERE)
    assert below.dmarc == "quarantine"
    server.knows["TXT _dmarc.shop.example"] = ["v=DMARC1; p=reject; adkim=s"]
    inst.egress.names = server.names()
    assert (await check(inst, news.sign(raw), "x@y.example", ELSEWHERE)).dmarc == "reject"


async def test_a_changed_letter_is_not_signed_and_nothing_can_be_put_behind_or_before_it(
    inst: Installation, domain: Domain
) -> None:
    signed = domain.sign(written("Pay to account one", FRIDA))
    head, _, body = signed.partition(b"\r\n\r\n")
    part = signed.replace(b" c=relaxed/relaxed;", b" c=relaxed/relaxed; l=5;")
    changed = [
        signed.replace(b"one", b"two"),
        signed + b"And to account two\r\n",
        b"From: mallory@evil.example\r\n" + signed,
        head + b"\r\nFrom: mallory@evil.example\r\n\r\n" + body,
        head + b"\r\nX: y\rFrom: mallory@evil.example\r\n\r\n" + body,
        head.replace(b"From: Frida", b"From: a@evil.example, Frida") + b"\r\n\r\n" + body,
        part,
    ]
    assert (await check(inst, signed, peer=ELSEWHERE)).domain == "mail.example"
    assert [(await check(inst, one, peer=ELSEWHERE)).domain for one in changed] == [None] * len(changed)


async def test_what_is_shown_is_what_was_signed_also_where_programs_read_a_head_differently(
    inst: Installation, domain: Domain
) -> None:
    """Who has a mailbox at a domain, or one letter of somebody's, has nobody else there, and no other words, vouched for."""
    signed = domain.sign(written("Pay to account one", FRIDA))
    mallory = domain.sign(written("Pay to account two", "mallory@mail.example"))
    after_from = re.sub(rb"(\r\nFrom: [^\r]*\r\n)", rb"\1Pay to account two\r\n", signed)
    tricks = [
        b"X: y\rFrom: Frida Berg <frida@mail.example>\r\nno field\r\n" + mallory,
        b"X: y\rFrom: Frida Berg <frida@mail.example>\r\rPay to account two\r\n" + signed,
        after_from,
        b"Subject: Pay to account two\r\n" + signed,
        b"Content-Type: multipart/mixed; boundary=x\r\n" + signed,
        b"From : mallory@mail.example\r\n" + signed,
        b" From: mallory@mail.example\r\n" + signed,
    ]
    assert after_from != signed
    assert [(await check(inst, one, peer=ELSEWHERE)).domain for one in tricks] == [None] * len(tricks)
    assert [(await check(inst, one)).domain for one in tricks] == [None] * len(tricks), "nor by SPF"
    google = RESULTS.replace(b"frida@mail.example", b"mallory@mail.example")
    told = await authenticate_fetched(inst, google + tricks[0], GMAIL)
    assert verdict_of(told) != "vouched"


def test_a_letter_is_taken_apart_as_the_standard_has_it_and_no_longer_than_one_is() -> None:
    assert dkim.body_as("relaxed", b"a \t \t b\t\r\n c \r\n\r\n") == b"a b\r\n c\r\n"
    assert dkim.body_as("relaxed", b"  \t") == b""
    odd = dkim.split(b"A: 1\nB: 2\r\r\nC: 3\r\n\nx\ny")
    assert [one.name for one in odd.fields][:2] == [b"a", b"b"] and odd.body == b"x\r\ny"
    assert dkim.read_tags(b"v=1;" + b";" * dkim.LONGEST_TAGS) == {}
    assert len(dkim.split(b"A: 1\r\n" * 5_000 + b"\r\n").fields) == dkim.MOST_FIELDS


async def test_the_signatures_of_the_standards_own_example_hold(
    inst: Installation, server: NameServer
) -> None:
    """RFC 8463, appendix A."""
    server.knows["TXT brisbane._domainkey.football.example.com"] = [
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    ]
    server.knows["TXT test._domainkey.football.example.com"] = [
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    ]
    lines = [
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;", " d=football.example.com; i=@football.example.com;",
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :", " subject : date : message-id : from : subject : date;",
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
        " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus",
        " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;", " d=football.example.com; i=@football.example.com;",
        " q=dns/txt; s=test; t=1528637909; h=from : to : subject :", " date : message-id : from : subject : date;",
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
        " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3",
        " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz",
        " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
        "From: Joe SixPack <joe@football.example.com>", "To: Suzie Q <suzie@shopping.example.net>",
        "Subject: Is dinner ready?", "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
        "Message-ID: <20030712040037.46341.5F8J@football.example.com>", "", "Hi.", "", "We lost the game.  Are you hungry yet?", "", "Joe.", "",
    ]  # fmt: skip
    found = await dkim.verify(
        dkim.split("\r\n".join(lines).encode()), inst.egress.names.inquiry(), lambda _: True
    )
    assert [one.word for one in found] == ["pass", "pass"]


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


async def test_a_forger_cannot_keep_us_waiting_with_domains_of_their_own(
    inst: Installation, server: NameServer, domain: Domain
) -> None:
    server.silent.update({"s1._domainkey.slow.example", "slow.example"})
    slow = Domain("slow.example")
    raw = slow.sign(slow.sign(written("Hello", FRIDA)))
    found = await check(inst, raw, "x@slow.example", ELSEWHERE)
    assert verdict_of(found) == "denied" and not [one for one in server.asked if "slow" in one]


async def test_a_slow_domain_does_not_keep_others_from_being_checked(
    inst: Installation, server: NameServer, domain: Domain
) -> None:
    server.silent.add("_dmarc.slow.example")
    assert verdict_of(await check(inst, written("Hello", "a@slow.example"))) == "unchecked"
    assert (await check(inst, domain.sign(written("Hello", FRIDA)))).domain == "mail.example"


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


async def test_no_question_holds_the_address_of_a_person(inst: Installation, server: NameServer) -> None:
    server.knows["TXT mail.example"] = ["v=spf1 exists:%{l}.%{o}.spf.example -all"]
    found = await check(inst, written("Hello", "frida.berg@mail.example"), "frida.berg@mail.example")
    assert found.spf == "unknown" and not [one for one in server.asked if "frida" in one]


RECORDS = {
    "v=spf1 ip4:5.9.17.0/24 -all": "pass", "v=spf1 a -all": "pass", "v=spf1 mx -all": "pass", "v=spf1 include:b.example -all": "pass",
    "v=spf1 redirect=b.example": "pass", "v=spf1 ptr:mail.example -all": "pass", "v=spf1 exists:%{ir}.x.example -all": "pass",
    "v=spf1 ip4:5.9.18.0/24 ~all": "softfail", "v=spf1 -all": "fail", "v=spf1": "neutral", "v=spf2 -all": "none",
    "v=spf1 what:ever": "error", "v=spf1 include:nowhere.example": "error", "v=spf1 include:mail.example": "error",
}  # fmt: skip


@pytest.mark.parametrize(("record", "word"), RECORDS.items())
async def test_who_may_send_is_read_as_the_standard_has_it(
    inst: Installation, server: NameServer, record: str, word: str
) -> None:
    server.knows |= {
        "TXT mail.example": [record], "A mail.example": [PEER], "MX mail.example": ["10 mx.mail.example."],
        "A mx.mail.example": [PEER], "TXT b.example": [f"v=spf1 ip4:{PEER} -all"], "A 33.17.9.5.x.example": ["127.0.0.2"],
        "PTR 33.17.9.5.in-addr.arpa": ["mx.mail.example."],
    }  # fmt: skip
    address = read_address(PEER)
    assert address and await spf.check(address, "mail.example", "x", inst.egress.names.inquiry()) == word


GMAIL: Mailbox = {"host": "imap.gmail.com", "user": "x", "password": "x"}
RESULTS = (
    b"Authentication-Results: mx.google.com;\r\n dkim=pass header.i=@mail.example header.s=s1 header.b=abc;\r\n"
    b" spf=pass (google.com: domain of x) smtp.mailfrom=x@mail.example;\r\n"
    b" dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=mail.example\r\n"
)


async def test_a_mail_server_in_front_is_believed_when_the_operator_named_it(
    inst: Installation, ada: Staff, server: NameServer
) -> None:
    named = replace(inst, settings=replace(inst.settings, mail_relay="mx.google.com"))
    await bring(named, await address_of(inst, ada), RESULTS + written("Hello", FRIDA), peer=ELSEWHERE)
    await bring(
        inst, await address_of(inst, ada), RESULTS + written("Hello again", "g@mail.example"), peer=ELSEWHERE
    )
    rows = (await read_list(inst, ada, "all")).rows
    checks = {row.preview: (await messages(inst, ada, row.id))[0].sender for row in rows}
    assert {words: one and one.is_ for words, one in checks.items()} == {
        "Hello": "vouched",
        "Hello again": "nobody",
    }


async def test_of_a_mailbox_elsewhere_only_what_its_own_server_wrote_on_top_counts(
    inst: Installation,
) -> None:
    raw = written("Hello", FRIDA)
    found = await authenticate_fetched(inst, RESULTS + raw, GMAIL)
    assert found and found.domain == "mail.example"
    assert (
        sentence_of(found)
        == "mail.example vouched for this sender (SPF, DKIM, DMARC), as mx.google.com found."
    )
    other = RESULTS.replace(b"mx.google.com;", b"mx.evil.example;")
    assert await authenticate_fetched(inst, other + RESULTS + raw, GMAIL) is None
    assert await authenticate_fetched(inst, RESULTS + raw, {**GMAIL, "host": "imap.other.example"}) is None
    for_another = await authenticate_fetched(inst, RESULTS + written("Hello", "a@bank.example"), GMAIL)
    assert for_another and for_another.domain is None
    failed = (
        RESULTS.replace(b"dmarc=pass", b"dmarc=fail")
        .replace(b"dkim=pass", b"dkim=fail")
        .replace(b"spf=pass", b"spf=fail")
    )
    assert verdict_of(await authenticate_fetched(inst, failed + raw, GMAIL)) == "denied"


PIECES = [
    b"DKIM-Signature: ", b"ARC-Seal: i=1; ", b"From: ", b"a@b.example", b"\r\n", b"\r", b";", b"=", b" v=1;", b" h=from;",
    b" d=mail.example; s=s1;", b"Authentication-Results: mx.google.com; dmarc=pass",
]  # fmt: skip


@given(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=30))
@settings(max_examples=150)
async def test_whatever_is_in_a_letter_nobody_vouches_by_accident(
    inst: Installation, server: NameServer, tail: bytes, pieces: list[bytes]
) -> None:
    raw = b"".join(pieces) + tail
    found = await authenticate.authenticate(inst, raw, ELSEWHERE, "x", "x@evil.example")
    assert found is None or found.domain is None


async def test_questions_are_counted(inst: Installation, server: NameServer) -> None:
    for n in range(12):
        server.knows[f"TXT s{n}.example"] = [f"v=spf1 include:s{n + 1}.example -all"]
    address = read_address(PEER)
    assert address and await spf.check(address, "s0.example", "x", inst.egress.names.inquiry()) == "error"
    assert len(server.asked) == 11
    assert not Names("off").is_on
