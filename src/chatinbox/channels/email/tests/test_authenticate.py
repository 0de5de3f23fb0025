"""Who sent a letter: what its signatures, its way and its domain say, read as the standards have it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import authenticate, dkim, spf
from chatinbox.channels.email.authenticate import authenticate_fetched
from chatinbox.channels.email.channel import Mailbox
from chatinbox.channels.email.tests.letters import FRIDA, address_of, messages
from chatinbox.conversations.checked import Checked, sentence_of, verdict_of
from chatinbox.conversations.inbox import read_list
from chatinbox.core.egress import Names
from chatinbox.core.egress.addresses import read_address
from chatinbox.core.installation import Installation
from promises.arriving import ELSEWHERE, Domain, bring, written
from promises.name_server import PEER, NameServer


async def check(
    inst: Installation, raw: bytes, sender: str = "frida@mail.example", peer: str = PEER
) -> Checked:
    found = await authenticate.authenticate(inst, raw, peer, "mx.mail.example", sender)
    assert found
    return found


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
