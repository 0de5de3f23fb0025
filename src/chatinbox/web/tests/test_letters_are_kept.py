"""A letter to a person survives what it is written by: a process that is killed, and a mail server that is away."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from chatinbox.accounts import letters, people, promised, sign_in
from chatinbox.accounts.letters import LEFT_OVER, send_left_over
from chatinbox.accounts.links import look
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.egress import Egress
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import forms

NewBrowser = Callable[[], Browser]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(100, 600))


class Postbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        return "250 kept"


@pytest.fixture
async def postbox() -> AsyncIterator[tuple[Postbox, str]]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(server.start)
    yield box, f"smtp://127.0.0.1:{port}"
    await asyncio.to_thread(server.stop)


def by(inst: Installation, smtp_url: str) -> Installation:
    """The same installation with an outgoing server."""
    return replace(inst, egress=Egress(inst.db, inst.vault, smtp_url))


async def rows(inst: Installation, staff: Staff) -> list[bytes]:
    [found] = await inst.db.run(staff.account_id, ("select letter_sealed from person_letter", []))
    return [row[0] for row in found]


async def test_a_letter_of_a_killed_process_is_sent_by_the_clock_once_and_lies_sealed_until_then(
    inst: Installation, ada: Staff, cyd: Staff, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never says a word
        slow = by(inst, f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        sending = asyncio.create_task(sign_in.send_reset(slow, ada.person_id))
        while not await rows(inst, ada):
            await asyncio.sleep(0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    [sealed] = await rows(inst, ada)
    email = (await people.read_person(inst, ada.person_id)).email.encode()
    assert b"/reset/" not in sealed and email not in sealed and await rows(inst, cyd) == []
    working = by(inst, url)
    await send_left_over(working, ada.account_id)
    assert box.raw == []  # it may still be on its way
    with travel(LEFT_OVER + timedelta(seconds=1)):
        await send_left_over(working, cyd.account_id)
        assert box.raw == []
        for _ in range(2):
            await send_left_over(working, ada.account_id)
        [raw] = box.raw
        link = re.search(rb"/reset/([\w-]+)", raw.replace(b"=\r\n", b""))
        assert link and (await look(inst, "reset", link[1].decode())).person_id == ada.person_id
    assert await rows(inst, ada) == []


async def test_a_server_that_is_away_is_tried_again_as_long_as_the_letter_is_of_use(
    inst: Installation, ada: Staff, cyd: Staff, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    away = by(inst, "smtp://127.0.0.1:9")
    for staff in (ada, cyd):
        await sign_in.send_reset(away, staff.person_id)
    with travel(timedelta(minutes=10)):
        await send_left_over(away, ada.account_id)
    with travel(timedelta(minutes=20)):
        await send_left_over(by(inst, url), ada.account_id)
    assert len(box.raw) == 1 and await rows(inst, ada) == []
    with travel(timedelta(minutes=61)):  # the link in it is no longer good
        await send_left_over(by(inst, url), cyd.account_id)
    assert len(box.raw) == 1 and await rows(inst, cyd) == []


async def test_many_that_were_left_over_go_in_one_round_and_a_server_that_is_away_is_not_asked_for_each(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    postbox: tuple[Postbox, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letters, "BLOCK", 2)
    box, url = postbox
    away = by(inst, "smtp://127.0.0.1:9")
    for staff in (ada, ada, ada, ada, ada, cyd):
        await sign_in.send_reset(away, staff.person_id)
    with travel(LEFT_OVER + timedelta(seconds=1)):
        seen: list[str] = []
        token = statements.set(seen)
        await send_left_over(away, ada.account_id)
        statements.reset(token)
        assert (
            len([one for one in seen if "from person_letter" in one]) == 1 and len(await rows(inst, ada)) == 5
        )
        await send_left_over(by(inst, url), ada.account_id)
    assert len(box.raw) == 5 and await rows(inst, ada) == []
    assert len(await rows(inst, cyd)) == 1, "another account's waits for its own round"


async def test_what_nobody_can_open_any_more_is_let_go(inst: Installation, ada: Staff, bea: Staff) -> None:
    await sign_in.send_reset(by(inst, "smtp://127.0.0.1:9"), bea.person_id)
    await inst.vault.destroy("person", bea.account_id, bea.person_id)
    with travel(LEFT_OVER + timedelta(seconds=1)):
        await send_left_over(inst, ada.account_id)
    assert await rows(inst, ada) == []


@pytest.mark.parametrize("page", ["/reset"])
async def test_what_a_page_promised_is_kept_when_its_process_was_killed_right_after_the_answer(
    inst: Installation, client: Browser, ada: Staff, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(forms, "LATER_SECONDS", 3600.0)
    email = (await people.read_person(inst, ada.person_id)).email
    assert (await client.post(page, data={"email": email})).status_code == 200
    for task in list(forms._later):
        task.cancel()
    assert await list_kept(inst, ada) == []
    with travel(LEFT_OVER + timedelta(seconds=1)):
        for _ in range(2):
            await promised.keep_left_over(inst)
    [letter] = await list_kept(inst, ada)
    assert "/reset/" in letter.text


async def test_the_same_is_asked_written_and_kept_for_an_address_that_nobody_has(
    inst: Installation, client: Browser, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LATER_SECONDS", 3600.0)
    known = (await people.read_person(inst, cyd.person_id)).email
    told: list[tuple[list[str], str]] = []
    for email in (known, f"p{new_id().hex[-12:]}@mail.example"):
        asked: list[str] = []
        reset = statements.set(asked)
        answer = await client.post("/reset", data={"email": email})
        statements.reset(reset)
        told.append((asked, re.sub(r'nonce="[^"]*"', "", answer.text)))
    assert told[0] == told[1] and any("add_promised_letter" in text for text in told[0][0])
    for task in list(forms._later):
        task.cancel()
    with travel(timedelta(minutes=61)):
        await promised.keep_left_over(inst)
    waiting = await inst.db.directory("select id from directory.promised_letters_before(%s)", [letters.now()])
    assert waiting == [] and await list_kept(inst, cyd) == []  # an hour later they have asked again
