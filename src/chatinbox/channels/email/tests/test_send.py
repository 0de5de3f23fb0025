"""Answers leave once, through the gate, and what became of them is seen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from chatinbox.accounts.profile import change_profile
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import set_identity
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.send import MOST_TRIES, send
from chatinbox.channels.email.tests.letters import address_of, channel_of, deliveries, letter, only
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now
from chatinbox.core.egress import Asked, Egress, Letter, NobodyAsked
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


@dataclass
class Sink:
    """A mail server that keeps what it is given, and says what it is told to say."""

    url: str = ""
    says: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.taken.append(bytes(envelope.content or b""))
        return self.says.pop(0) if self.says else "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return f"550 5.1.1 <{address}> is not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    kept = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, hostname="sink", loop=loop), "127.0.0.1", 0)
    kept.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield kept
    server.close()


def through(inst: Installation, url: str) -> Installation:
    return replace(inst, egress=Egress(inst.db, inst.vault, url))


async def answered(inst: Installation, staff: Staff, message: EmailMessage | None = None) -> None:
    """A customer wrote, and staff answered; the answer waits to leave."""
    raw = (message or letter("Question")).as_bytes(policy=SMTPUTF8)
    await place(
        inst,
        await store(
            inst, staff.account_id, await channel_of(inst, staff), raw, None, await address_of(inst, staff)
        ),
    )
    row = (await only(inst, staff)).row
    await verbs.reply(inst, staff, row.id, new_id(), Body(text="Answer", author_name="Ada"), seen_position=1)
    note = Body(text="INTERNAL WORDS")
    await verbs.add_note(inst, staff, row.id, new_id(), note)


async def ledger(inst: Installation, staff: Staff) -> list[str]:
    [rows] = await inst.db.run(
        staff.account_id, ("select outcome from ledger where account_id = %s order by id", [staff.account_id])
    )
    return [row[0] for row in rows]


async def test_an_answer_leaves_once_and_is_in_the_ledger(
    inst: Installation, ada: Staff, cyd: Staff, sink: Sink
) -> None:
    await answered(inst, ada)
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    out = through(inst, sink.url)
    await send(out, cyd.account_id, delivery_id)
    assert sink.taken == []
    await asyncio.gather(*(send(out, ada.account_id, delivery_id) for _ in range(3)))
    await send(out, ada.account_id, delivery_id)
    assert len(sink.taken) == 1 and b"INTERNAL" not in sink.taken[0]
    assert (await deliveries(inst, ada))[0][1:] == ("sent", None)
    assert (
        await ledger(inst, ada) == ["taken"]
        and await ledger(inst, cyd) == []
        and await list_kept(inst, ada) == []
    )


async def test_what_nobody_of_the_business_asked_for_does_not_leave_to_a_customer(
    inst: Installation, ada: Staff, cyd: Staff, sink: Sink, say: Say
) -> None:
    got, other, foreign = await say(ada), await say(ada, email="other@mail.example"), await say(cyd)
    said = {}
    for staff, one in ((ada, got), (ada, other), (cyd, foreign)):
        said[one.customer_id] = message_id = new_id()
        await verbs.reply(inst, staff, one.conversation_id, message_id, Body(text="Answer"), seen_position=1)

    def to_them(asked: Asked | None) -> Letter:
        return Letter(ada.account_id, "customer", got.customer_id, "", ("customer@mail.example",), b"Subject: x\r\n\r\nx",
                      "service", "a test", ("words",), asked)  # fmt: skip

    out = through(inst, sink.url).egress
    claims = [None, Asked("rule", new_id()), Asked("setting", new_id())]
    claims += [Asked("staff", one) for one in (new_id(), got.message_id, said[other.customer_id])]
    for claim in (*claims, Asked("staff", said[foreign.customer_id])):
        with pytest.raises(NobodyAsked):
            await out.mail(to_them(claim))
    assert sink.taken == [] and await ledger(inst, ada) == []
    await out.mail(to_them(Asked("staff", said[got.customer_id])))
    assert len(sink.taken) == 1 and await ledger(inst, ada) == ["taken"]


async def test_a_server_that_says_later_is_asked_again_with_the_same_letter(
    inst: Installation, ada: Staff, sink: Sink
) -> None:
    await answered(inst, ada)
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    sink.says = ["451 4.3.0 later", "421 4.3.2 busy"]
    for _ in range(2):
        again = await send(through(inst, sink.url), ada.account_id, delivery_id)
        assert again and again > now()
        state, reason = (await deliveries(inst, ada))[0][1:]
        assert state == "waiting" and reason and "tried again" in reason
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    assert (await deliveries(inst, ada))[0][1:] == ("sent", None)
    assert len({parse(raw).message_id for raw in sink.taken}) == 1
    assert await ledger(inst, ada) == ["unreachable", "unreachable", "taken"]


async def test_a_server_that_says_no_makes_the_failure_visible_without_the_address(
    inst: Installation, ada: Staff, sink: Sink
) -> None:
    await answered(inst, ada, letter("Q", From="unknown@mail.example"))
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    state, reason = (await deliveries(inst, ada))[0][1:]
    assert state == "failed" and reason and reason.startswith("550") and "unknown@" not in reason
    row = (await only(inst, ada)).row
    assert row.failed and row.status == "todo"
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    assert sink.taken == []


async def test_a_server_that_is_not_there_is_given_up_after_many_tries(
    inst: Installation, ada: Staff
) -> None:
    await answered(inst, ada)
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    away = through(inst, "smtp://127.0.0.1:9")
    for _ in range(MOST_TRIES - 1):
        assert await send(away, ada.account_id, delivery_id)
    assert await send(away, ada.account_id, delivery_id) is None
    assert (await deliveries(inst, ada))[0][1] == "failed" and (await only(inst, ada)).row.failed


async def test_a_process_that_died_after_sending_repeats_the_same_letter(
    inst: Installation, ada: Staff, sink: Sink
) -> None:
    await answered(inst, ada)
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    await inst.db.run(
        ada.account_id,
        (
            "update delivery set state = 'sending', changed_at = %s where account_id = %s",
            [now() - timedelta(minutes=3), ada.account_id],
        ),
    )
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    first, second = (parse(raw) for raw in sink.taken)
    assert first.message_id == second.message_id and first.text == second.text


@pytest.mark.parametrize("address", ["jörg@mail.example", "a..b@mail.example", '"quoted name"@mail.example'])
async def test_odd_addresses_end_in_a_letter_or_in_a_sentence(
    inst: Installation, ada: Staff, sink: Sink, address: str
) -> None:
    await answered(inst, ada, _from(address))
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    state, reason = (await deliveries(inst, ada))[0][1:]
    assert state == "sent" or (state == "failed" and reason and reason[-1] == ".")


def _from(address: str) -> EmailMessage:
    message = letter("Q")
    del message["From"]
    message._headers.insert(0, ("From", address))  # type: ignore[attr-defined]
    return message


async def test_nobody_is_reached_who_was_not_written_to(inst: Installation, ada: Staff, sink: Sink) -> None:
    await answered(inst, ada, letter("Q", Cc="karl@other.example", To="support@x.example"))
    [(delivery_id, _, _)] = await deliveries(inst, ada)
    await send(through(inst, sink.url), ada.account_id, delivery_id)
    sent = parse(sink.taken[0])
    assert (
        [one.email for one in sent.to] == ["frida@mail.example"]
        and sent.cc == []
        and b"karl" not in sink.taken[0]
    )


async def test_a_letter_ends_with_the_signature_of_who_wrote_it_and_of_nobody_else(
    inst: Installation, ada: Staff, bea: Staff, sink: Sink
) -> None:
    await change_profile(inst, ada.person_id, signature="Ada Lund\nTea <since> 1901")
    await answered(inst, ada)
    row = (await only(inst, ada)).row
    await verbs.reply(inst, bea, row.id, new_id(), Body(text="More"), seen_position=9, send_anyway=True)
    for delivery_id, *_ in await deliveries(inst, ada):
        await send(through(inst, sink.url), ada.account_id, delivery_id)
    signed, plain = (parse(raw) for raw in sink.taken)
    assert "-- \nAda Lund\nTea <since> 1901" in sink_text(sink.taken[0])
    assert "&lt;since&gt;" in (signed.html or "") and "Ada Lund" not in (plain.html or "")
    assert "Ada Lund" not in sink_text(sink.taken[1])


def sink_text(raw: bytes) -> str:
    """The plain part of a letter."""
    part = message_from_bytes(raw, policy=SMTPUTF8).get_body(("plain",))
    assert part
    return str(part.get_content()).replace("\r\n", "\n")


async def test_who_the_business_is_stands_in_its_letters_where_it_wants_that_and_in_nobody_elses(
    inst: Installation, ada: Staff, cyd: Staff, people: People, sink: Sink
) -> None:
    dan = await people.owner("Dan", "Dan's Dates")
    await set_identity(inst, ada, "Halden Tea AS", "Storgata <1>\n1767 Halden", in_letters=True)
    await set_identity(inst, dan, "Halden Dates AS", "Storgata 2\n1767 Halden", in_letters=False)
    for staff in (ada, cyd, dan):
        await answered(inst, staff)
        for delivery_id, *_ in await deliveries(inst, staff):
            await send(through(inst, sink.url), staff.account_id, delivery_id)
    hers, *others = sink.taken
    assert "-- \nHalden Tea AS\nStorgata <1>\n1767 Halden" in sink_text(hers)
    assert "Storgata &lt;1&gt;" in (parse(hers).html or "")
    assert len(others) == 2 and not any("Halden" in sink_text(one) for one in others)
