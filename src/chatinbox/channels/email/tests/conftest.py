"""The door, open on a free port, and a name server that knows who may send."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from chatinbox.channels.email import door
from chatinbox.channels.email.tests.letters import Post
from chatinbox.core.installation import Installation
from promises.arriving import Domain
from promises.name_server import NameServer, name_server


@pytest.fixture
async def post(inst: Installation) -> AsyncIterator[Post]:
    """Hands letters to the SMTP door as a mail server would: `await post(letter, recipient, …)`."""
    clients = ThreadPoolExecutor(60)  # apart from the threads that the door itself uses
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    port = listening.getsockname()[1]

    def hand_over(letter: EmailMessage | bytes, recipients: tuple[str, ...], sender: str) -> None:
        raw = letter if isinstance(letter, bytes) else letter.as_bytes(policy=SMTP)
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail(sender, list(recipients), raw)

    async def deliver(
        letter: EmailMessage | bytes, *recipients: str, sender: str = "frida@mail.example"
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(clients, hand_over, letter, recipients, sender)

    deliver.port = port  # type: ignore[attr-defined]
    async with door.serve(inst, listening) as opened:
        deliver.door = opened  # type: ignore[attr-defined]
        yield deliver


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
