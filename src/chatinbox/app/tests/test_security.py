"""What the doors note in the security log, what they never note, and the console that reads it."""

import asyncio
import getpass
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app.tests.test_serving import SOURCE, Started, data  # noqa: F401 — a fixture
from chatinbox.app.wiring import App
from chatinbox.channels.email import door as mail_door
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.channels import read_channels
from chatinbox.core import logging, postgres
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.watch import defects
from chatinbox.watch.security_log import Entry, SecurityLog
from chatinbox.web.api import read
from chatinbox.web.entrance import sign_in

NewBrowser = Callable[[], Browser]


@pytest.fixture
def noted(app: App) -> Iterator[Callable[[], list[Entry]]]:
    """What was noted since the test began."""
    app.security._entries.clear()
    app.security._defects.clear()
    yield lambda: list(app.security._entries)


async def test_a_request_is_noted_by_the_programs_name_for_it_and_by_nothing_that_was_asked_for(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser, say: Say, noted: Callable[[], list[Entry]]
) -> None:
    got = await say(ada, "a canary in a message")
    await client.get("/sign-in?email=canary@mail.example", headers={"user-agent": "Firefox"})
    await client.as_(ada)
    secret = str(new_id())
    for path in (
        f"/api/conversations/{got.conversation_id}",
        f"/api/conversations/{secret}",
        f"/nothing/{secret}?canary",
        "/inbox",
    ):
        await client.get(path, headers={"user-agent": "Firefox"})
    await client.post("/sign-in", data={"email": "canary@mail.example", "password": "canary canary canary"})
    entries = noted()
    assert {(one.route, one.status) for one in entries} == {
        ("/sign-in", 200),
        ("/sign-in", 422),
        ("/api/conversations/{id}", 200),
        ("/api/conversations/{id}", 404),
        ("-", 404),
        ("/inbox", 200),
    }
    assert {one.address for one in entries} == {"127.0.0.1"}
    everything = repr(entries)
    known = (
        secret,
        "canary",
        client.cookies["session"],
        *map(str, (ada.account_id, ada.staff_user_id, ada.person_id)),
    )
    assert [word for word in (*known, str(got.conversation_id), "Ada") if word in everything] == []


@pytest.mark.parametrize("where", ["inbox", "page"])
async def test_a_defect_is_noted_with_where_and_never_with_what(
    ada: Staff,
    client: Browser,
    app: App,
    noted: Callable[[], list[Entry]],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    canary = "canary-customer@mail.example"

    async def broken(*_given: Any, **_more: Any) -> None:
        customer, token = canary, client.cookies.get("session")
        raise LookupError(f"{customer} {token}")

    monkeypatch.setattr(logging, "ears", [defects.notice])
    logging.set_up_logging()
    monkeypatch.setattr(read, "read_list", broken)
    monkeypatch.setattr(sign_in.sign_in, "sign_in", broken)
    await client.as_(ada)
    if where == "inbox":
        assert (await client.get("/api/list?view=todo")).status_code == 500
    else:
        form = {"email": "a@b.example", "password": "x"}
        assert (await client.post("/sign-in", data=form)).status_code == 500
    [entry] = noted()
    assert entry.status == 500 and entry.defect
    [(_, defect)] = app.security._defects
    assert defect.fingerprint == entry.defect and defect.kind == "builtins.LookupError"
    assert defect.places[-1].endswith("test_security.py:broken")
    assert canary not in repr(app.security._defects) + repr(noted())
    assert client.cookies["session"] not in repr(app.security._defects) + repr(noted())


async def test_the_mail_door_notes_who_was_refused_and_whose_letter_was_taken(
    inst: Installation, ada: Staff, say: Say
) -> None:
    log, listening = SecurityLog(), socket.create_server(("127.0.0.1", 0))
    [address] = [str(one.address) for one in await read_channels(inst, ada.account_id) if one.kind == "email"]

    def letters() -> None:
        with smtplib.SMTP("127.0.0.1", listening.getsockname()[1], timeout=10) as door:
            door.ehlo("sender.example")
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                door.sendmail("canary@mail.example", ["nobody@mail.example"], b"x")
            door.sendmail("canary@mail.example", [address], b"Subject: canary\r\n\r\nA letter\r\n")

    async with mail_door.serve(inst, listening, log):
        await asyncio.to_thread(letters)
    assert {(one.route, one.status, one.device) for one in log._entries} == {
        ("smtp RCPT", 550, "sender.example"),
        ("smtp DATA", 250, "sender.example"),
    }
    assert "canary" not in repr(log._entries) and address not in repr(log._entries)


def console(data: Path, *words: str) -> subprocess.CompletedProcess[str]:  # noqa: F811
    return subprocess.run(
        [sys.executable, "-m", "chatinbox", "security", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )


def test_the_console_asks_why_notes_it_and_a_start_drops_what_is_too_old(data: Path) -> None:  # noqa: F811
    started = Started(data, "--json")
    ready = started.ready()
    device = {b"user-agent": b"A device\x85[31m"}
    assert httpx.get(f"{ready['url']}/sign-in", headers=device).status_code == 200
    cluster = postgres.up(data)
    with psycopg.connect(cluster.dsn(cluster.superuser, "chatinbox"), autocommit=True) as above:
        old = now().date() - timedelta(days=70)
        above.execute("select seclog.open_day(%s)", [old])
        assert started.stop()[0] == 0
        again = Started(data, "--json")
        again.ready()
        days = [day for (day,) in above.execute("select * from seclog.days()")]
        assert days == [now().date()], "the old one went before anybody was answered"
    postgres.leave(data)
    nothing = console(data, "connections", "--reason", "  ")
    assert (nothing.returncode, nothing.stdout) == (1, "") and "--reason" in nothing.stderr
    told = console(data, "connections", "--reason", "trying the console out")
    assert "127.0.0.1" in told.stdout and "/sign-in" in told.stdout and "\x85" not in told.stdout
    assert "A device?[31m" in told.stdout
    assert "No defect was met." in console(data, "defects").stdout
    [reading] = console(data, "readings").stdout.splitlines()
    assert getpass.getuser() in reading and reading.endswith("trying the console out")
    assert "Between 1 and 59" in console(data, "connections", "--days", "60", "--reason", "x" * 12).stderr
    assert again.stop()[0] == 0
