"""Who writes to the operator hears that it arrived; who gives somebody else's address gains nothing by it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import SMTPUTF8

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from chatinbox.accounts.people import read_person
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app import worker
from chatinbox.app.wiring import build
from chatinbox.channels.email import acknowledge
from chatinbox.channels.email.channel import find_channels, open_channel
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import letter
from chatinbox.conftest import OPERATOR, Say
from chatinbox.core.clock import travel
from chatinbox.core.egress import Egress
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.site import write_to_us

SECRET = "buy-cheap-watches.example"


@dataclass
class House:
    """An operator's installation with its worker at work, and the mail server that its letters leave by."""

    inst: Installation
    browser: httpx.AsyncClient
    account: Staff
    taken: list[tuple[str | None, list[str], Message]]

    async def write(
        self, email: str, name: str = "Dora", words: str = "What do you keep of me?", speaks: str = ""
    ) -> None:
        form = {"email": email, "name": name, "words": words}
        answer = await self.browser.post("/contact", data=form, headers={"accept-language": speaks})
        assert answer.status_code == 200 and "set-cookie" not in answer.headers

    async def mail(self, to: str, **headers: str) -> None:
        raw = letter(f"Please look at {SECRET}", SECRET, **headers).as_bytes(policy=SMTPUTF8)
        [(_, channel_id)] = (await find_channels(self.inst, [to])).values()
        await place(
            self.inst, await store(self.inst, self.account.account_id, channel_id, raw, "x@mail.example", to)
        )

    async def settled(self, count: int) -> None:
        """Until that many letters left, and long enough for one too many."""
        for _ in range(100):
            if len(self.taken) >= count:
                break
            await asyncio.sleep(0.05)
        ask = "select count(*) from work.procrastinate_jobs where task_name = %s and status in ('todo', 'doing')"
        for _ in range(100):
            if (await self.inst.db.directory(ask, [acknowledge.JOB]))[0][0] == 0:
                break
            await asyncio.sleep(0.05)
        assert len(self.taken) == count


@pytest.fixture
async def house(listening: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(write_to_us, "_by_place", Throttle(100, 3600))
    taken: list[tuple[str | None, list[str], Message]] = []

    class Sink:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
            taken.append(
                (envelope.mail_from, envelope.rcpt_tos, message_from_bytes(bytes(envelope.content or b"")))
            )
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="sink", loop=loop), "127.0.0.1", 0)
    hello, privacy = f"hello-{new_id().hex}@operator.example", f"privacy-{new_id().hex}@operator.example"
    await open_channel(listening, ada.account_id, "Website", hello)
    await open_channel(listening, ada.account_id, "Privacy", privacy)
    settings = replace(
        listening.settings,
        website=True,
        website_channel=hello,
        **OPERATOR | {"operator_privacy_email": privacy},
    )
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    inst = replace(listening, settings=settings, egress=Egress(listening.db, listening.vault, url))
    worker.prepare(inst)
    hands = asyncio.create_task(inst.jobs.run())
    origin = httpx.ASGITransport(await build(inst))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield House(inst, browser, ada, taken)
    hands.cancel()
    await asyncio.gather(hands, return_exceptions=True)
    server.close()


async def test_who_writes_by_the_form_hears_at_once_and_reads_no_word_of_what_was_written(
    house: House, cyd: Staff
) -> None:
    victim = f"victim-{new_id().hex}@elsewhere.example"
    await house.write(victim, f"Visit {SECRET}", f"Visit {SECRET} today")
    await house.settled(1)
    sender, to, said = house.taken[0]
    assert to == [victim] and sender == "<>"  # answers to nobody, so no loop (RFC 3834 §3.3)
    assert said["Auto-Submitted"] == "auto-replied" and "#" in said["Subject"]
    text = said.as_string() + str(said.get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
    assert SECRET not in text and "Visit" not in text
    assert OPERATOR["operator_name"] in text
    ask = "select count(*) from ledger where account_id = %s and instruction = %s"
    for staff, count in ((house.account, 1), (cyd, 0)):
        asked = (ask, [staff.account_id, acknowledge.INSTRUCTION])
        assert await house.inst.db.run(staff.account_id, asked) == [[(count,)]]


async def test_what_acknowledges_is_in_the_language_of_the_page_and_that_is_kept_nowhere(
    house: House,
) -> None:
    await house.write(f"dora-{new_id().hex}@mail.example", words=f"Visit {SECRET}", speaks="de-CH, de;q=0.9")
    await house.settled(1)
    german = house.taken[0][2]
    text = str(german.get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
    assert "Ihre Nachricht ist angekommen" in str(make_header(decode_header(german["Subject"])))
    assert "Ein Mensch wird sie lesen" in text and "/my-data" in text and SECRET not in text
    assert "Your letter" not in german.as_string() + text
    await house.write(f"dora-{new_id().hex}@mail.example", words="again", speaks="tlh")
    await house.settled(2)
    assert "Your letter has arrived" in house.taken[1][2]["Subject"]
    left = "select count(*) from work.procrastinate_jobs where task_name = %s"
    assert await house.inst.db.directory(left, [acknowledge.JOB]) == [(0,)]


async def test_an_address_gets_one_a_day_however_often_it_is_given(house: House) -> None:
    victim = f"victim-{new_id().hex}@elsewhere.example"
    for n in range(5):
        await house.write(victim, words=f"number {n}")
        if n == 0:
            await house.settled(1)
    await house.settled(1)
    with travel(timedelta(days=1, seconds=5)):
        await house.write(victim, words="the next day")
        await house.settled(2)


async def test_in_an_hour_few_leave_however_many_addresses_are_given(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledge, "MOST_AN_HOUR", 2)
    for n in range(4):
        await house.write(f"victim-{new_id().hex}@elsewhere.example")
        await house.settled(min(n + 1, 2))


async def test_a_letter_to_the_privacy_address_is_acknowledged_and_one_to_another_channel_is_not(
    house: House,
) -> None:
    writer = f"Frida <frida-{new_id().hex}@mail.example>"
    await house.mail(house.inst.settings.operator_privacy_email, From=writer)
    await house.settled(1)
    assert SECRET not in house.taken[0][2].as_string()
    other = f"sales-{new_id().hex}@operator.example"
    await open_channel(house.inst, house.account.account_id, "Sales", other)
    await house.mail(other, From=writer.replace("frida", "gerda"))
    await house.settled(1)


async def test_who_signs_in_here_and_writes_to_the_privacy_address_gets_the_link_of_a_wish_as_well(
    house: House, cyd: Staff
) -> None:
    email = (await read_person(house.inst, cyd.person_id)).email
    await house.mail(house.inst.settings.operator_privacy_email, From=email)
    await house.settled(2)
    assert [to for _, to, _ in house.taken] == [[email], [email]]
    assert "/wish/" in str(house.taken[1][2].get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
    ask = "select count(*) from ledger where account_id = %s and instruction = 'wish about own data'"
    for staff, count in ((cyd, 1), (house.account, 0)):
        assert await house.inst.db.run(staff.account_id, (ask, [staff.account_id])) == [[(count,)]]


async def test_no_business_but_the_operators_own_is_acknowledged_for_whatever_a_job_says(
    house: House, cyd: Staff, say: Say
) -> None:
    got = await say(cyd)
    await acknowledge.acknowledge(house.inst, cyd.account_id, got.conversation_id)
    await acknowledge.acknowledge(house.inst, house.account.account_id, got.conversation_id)
    assert house.taken == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<a.list.example>"},
        {"From": "no-reply@mail.example"},
    ],
)
async def test_no_machine_and_no_list_is_answered(house: House, headers: dict[str, str]) -> None:
    given = {"From": f"m-{new_id().hex}@mail.example"} | headers
    await house.mail(house.inst.settings.operator_privacy_email, **given)
    await house.settled(0)
