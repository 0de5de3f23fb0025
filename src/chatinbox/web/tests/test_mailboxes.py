"""Connecting a mailbox on the settings page, tried at a real server (Dovecot), by owners alone."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import mailbox
from chatinbox.channels.email.poll import poll
from chatinbox.channels.email.tests.dovecot import PASSWORD, Server, served
from chatinbox.channels.email.tests.letters import channel_of, letter
from chatinbox.conftest import Browser, People
from chatinbox.conversations.channels import read_settings
from chatinbox.conversations.inbox import read_list
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use, at_work

NewBrowser = Callable[[], Browser]
PAGE = "/settings/channels"


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("dovecot")) as server:
        yield server


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with nobody counted."""
    monkeypatch.setattr(mailbox, "_TRIES", mailbox.Throttle(20, 600))


@pytest.fixture(autouse=True)
def near(inst: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's server is in our own network."""
    monkeypatch.setattr(inst.egress, "_inside", True)


def form(channel_id: UUID | str, port: int = 1, **other: str) -> dict[str, str]:
    return {
        "do": "connect", "id": str(channel_id), "host": "127.0.0.1", "port": str(port), "tls": "none",
        "user": "frida", "password": PASSWORD, **other,
    }  # fmt: skip


def bare(answer: httpx.Response) -> str:
    """A page without what is new on every page."""
    return re.sub(r'nonce="[^"]*"', "", answer.text)


async def stored(inst: Installation, staff: Staff, channel_id: UUID) -> object:
    """The mailbox in the channel's settings, and whether it is asked."""
    settings = await read_settings(inst, staff.account_id, channel_id)
    with at_work("tests", Use("Looks at all mailboxes", "answer")):
        asked = await inst.db.directory(
            "select count(*) from directory.mailboxes() where channel_id = %s", [channel_id]
        )
    assert settings
    return settings[1].get("mailbox"), asked[0][0]


async def test_an_owner_connects_a_mailbox_its_new_letters_come_in_and_disconnects_it(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    before = await browser.get(PAGE)
    assert "<summary>Connect a mailbox</summary>" in before.text and "Disconnect" not in before.text
    await asyncio.to_thread(dovecot.deliver, letter("From before").as_bytes())
    answer = await browser.post(PAGE, data=form(channel_id, dovecot.port))
    assert answer.status_code == 200 and "The mailbox is connected." in answer.text
    await asyncio.to_thread(dovecot.deliver, letter("New").as_bytes())
    page = (await browser.get(PAGE)).text
    assert "frida" in page and "127.0.0.1" in page and "Disconnect" in page and "Last read" in page
    assert PASSWORD not in page and "Connect a mailbox" not in page
    assert await poll(inst, ada.account_id, channel_id) == 1
    assert [row.preview for row in (await read_list(inst, ada, "all")).rows] == ["New"]
    again = await browser.post(PAGE, data=form(channel_id, dovecot.port))
    assert again.status_code == 409 and "Disconnect it first" in again.text
    answer = await browser.post(PAGE, data={"do": "disconnect", "id": str(channel_id)})
    assert answer.status_code == 200 and "<summary>Connect a mailbox</summary>" in answer.text
    assert await stored(inst, ada, channel_id) == (None, 0)
    assert await poll(inst, ada.account_id, channel_id) == 0


async def test_the_password_lies_sealed_in_the_channels_settings(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    await connected(browser, channel_id, dovecot)
    kept, asked = await stored(inst, ada, channel_id)  # type: ignore[misc]
    assert kept["password"] == PASSWORD and asked == 1
    [rows] = await inst.db.run(
        ada.account_id, ("select c::text from channel c where account_id = %s", [ada.account_id])
    )
    assert rows and not any(PASSWORD.encode().hex() in row[0] or PASSWORD in row[0] for row in rows)
    await browser.post(PAGE, data={"do": "disconnect", "id": str(channel_id)})


async def connected(browser: Browser, channel_id: UUID, dovecot: Server) -> None:
    answer = await browser.post(PAGE, data=form(channel_id, dovecot.port))
    assert answer.status_code == 200, bare(answer)


async def refused_with(browser: Browser, asked: dict[str, str], field: str, sentence: str) -> None:
    """The sentence stands at its field; what was typed stays, but for the password; the log tells nothing."""
    with capture_logs() as logs:
        answer = await browser.post(PAGE, data=asked)
    page = answer.text
    assert answer.status_code == 422
    said = re.search(rf'<small id="h-{field}-{asked["id"]}" class="bad" role="alert">([^<]*)', page)
    assert said and sentence in said[1].replace("&#39;", "'")
    assert f'aria-describedby="h-{field}-{asked["id"]}"' in page
    assert '<details class="pt" open>' in page and asked["password"] not in page
    assert f'value="{asked["user"]}"' in page and f'<option value="{asked["tls"]}" selected>' in page
    assert logs == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "::1", "169.254.169.254", "10.1.2.3", "fd00::1", "0.0.0.0"]
)
async def test_where_strangers_sign_up_no_server_of_our_own_network_is_asked(
    inst: Installation,
    ada: Staff,
    new_browser: NewBrowser,
    dovecot: Server,
    host: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inst.egress, "_inside", False)
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    asked = form(channel_id, dovecot.port, host=host)
    await refused_with(browser, asked, "host", "cannot reach this server")
    assert inst.settings.sign_up == "open" and await stored(inst, ada, channel_id) == (None, 0)


async def test_a_wrong_password_gets_a_sentence_and_stores_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    for wrong in ("not_this_one", 'quo"ted\\', "nicht über Umlaute"):
        asked = form(channel_id, dovecot.port, password=wrong)
        await refused_with(browser, asked, "password", "does not accept this user name and password")
    assert await stored(inst, ada, channel_id) == (None, 0)


async def test_a_server_that_cannot_be_reached_or_says_nothing_gets_a_sentence_and_stores_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    monkeypatch.setattr(mailbox, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        await refused_with(browser, form(channel_id, port), "host", "cannot reach this server")
    for tls in ("none", "starttls", "tls"):
        await refused_with(browser, form(channel_id, port, tls=tls), "host", "cannot reach this server")
    assert await stored(inst, ada, channel_id) == (None, 0)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_server_that_does_not_encrypt_as_chosen_gets_a_sentence_and_stores_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server, tls: str
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    await refused_with(browser, form(channel_id, dovecot.port, tls=tls), "tls", "does not encrypt like this")
    assert await stored(inst, ada, channel_id) == (None, 0)


@contextlib.contextmanager
def saying(words: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that greets with some words, and what it hears after that."""
    heard: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client:
                    client.sendall(words)
                    asked = client.recv(1000)
                    heard.append(asked)
                    tag = asked.split(b" ")[0]
                    client.sendall(b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n" + tag + b" OK done\r\n")
                    heard.append(client.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)


async def test_no_password_is_sent_where_the_server_takes_none_without_encryption(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    with saying(b"* OK hello\r\n") as (port, heard):
        await refused_with(browser, form(channel_id, port), "tls", "does not encrypt like this")
        assert heard and PASSWORD.encode() not in b"".join(heard)
    assert await stored(inst, ada, channel_id) == (None, 0)


async def test_what_answers_but_is_no_mailbox_gets_a_sentence_and_stores_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    with saying(b"220 mail.example ESMTP\r\n") as (port, _):
        await refused_with(browser, form(channel_id, port), "host", "not as a mailbox does")
    assert await stored(inst, ada, channel_id) == (None, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("host", "https://imap.example.com"),
        ("host", "imap.example.com:993"),
        ("host", "a..example"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "many"),
        ("user", ""),
        ("user", "frida\r\nA1 DELETE INBOX"),
        ("password", ""),
        ("password", "a\nb"),
    ],
)
async def test_what_cannot_be_a_mailbox_is_said_at_its_field_without_asking_anybody(
    inst: Installation, ada: Staff, new_browser: NewBrowser, field: str, value: str
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    answer = await browser.post(PAGE, data=form(channel_id, **{field: value}))
    assert answer.status_code == 422
    assert f'id="h-{field}-{channel_id}" class="bad"' in answer.text
    assert await stored(inst, ada, channel_id) == (None, 0)


async def test_staff_who_are_no_owners_neither_see_nor_change_mailboxes(
    inst: Installation, ada: Staff, bea: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    hers, beas = await new_browser().as_(ada), await new_browser().as_(bea)
    channel_id = await channel_of(inst, ada)
    assert "mailbox" not in (await beas.get(PAGE)).text
    assert (await beas.post(PAGE, data=form(channel_id, dovecot.port))).status_code == 403
    assert await stored(inst, ada, channel_id) == (None, 0)
    await connected(hers, channel_id, dovecot)
    page = (await beas.get(PAGE)).text
    assert "frida" not in page and "Disconnect" not in page
    disconnect = {"do": "disconnect", "id": str(channel_id)}
    assert (await beas.post(PAGE, data=disconnect)).status_code == 403
    assert (await stored(inst, ada, channel_id))[1] == 1  # type: ignore[index]
    assert (await hers.post(PAGE, data=disconnect)).status_code == 200


async def test_another_accounts_channel_is_answered_like_a_made_up_one(
    inst: Installation, ada: Staff, cyd: Staff, people: People, new_browser: NewBrowser, dovecot: Server
) -> None:
    hers, cyds = await new_browser().as_(ada), await new_browser().as_(cyd)
    channel_id = await channel_of(inst, ada)
    await connected(hers, channel_id, dovecot)
    before = await stored(inst, ada, channel_id)
    wrongs = [channel_id, new_id(), "not-an-id", await people.channel(cyd, "chat")]
    for asked in (form("x", dovecot.port), {"do": "disconnect", "id": "x"}):
        answers = [await cyds.post(PAGE, data=asked | {"id": str(wrong)}) for wrong in wrongs]
        told = {(one.status_code, bare(one)) for one in answers}
        assert len(told) == 1 and answers[0].status_code == 404
    assert "frida" not in (await cyds.get(PAGE)).text
    assert await stored(inst, ada, channel_id) == before
    assert await stored(inst, cyd, await channel_of(inst, cyd)) == (None, 0)
    await hers.post(PAGE, data={"do": "disconnect", "id": str(channel_id)})


async def test_a_form_from_elsewhere_connects_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    answer = await browser.post(
        PAGE, data=form(channel_id, dovecot.port), headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403 and await stored(inst, ada, channel_id) == (None, 0)


async def test_a_mailbox_that_fails_says_since_when(
    inst: Installation, ada: Staff, new_browser: NewBrowser, dovecot: Server
) -> None:
    browser, channel_id = await new_browser().as_(ada), await channel_of(inst, ada)
    await connected(browser, channel_id, dovecot)
    await inst.db.run(
        ada.account_id,
        ("update mailbox_cursor set failing_since = now() where account_id = %s", [ada.account_id]),
    )
    page = (await browser.get(PAGE)).text
    assert "We have not been able to read it since" in page and "Last read" not in page
    await browser.post(PAGE, data={"do": "disconnect", "id": str(channel_id)})


async def test_an_account_that_tries_many_servers_is_asked_to_wait_and_others_are_not(
    inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "_TRIES", mailbox.Throttle(2, 600))
    hers, cyds = await new_browser().as_(ada), await new_browser().as_(cyd)
    asked = form(await channel_of(inst, ada))
    codes = [(await hers.post(PAGE, data=asked)).status_code for _ in range(3)]
    assert codes == [422, 422, 429]
    assert (await cyds.post(PAGE, data=form(await channel_of(inst, cyd)))).status_code == 422
