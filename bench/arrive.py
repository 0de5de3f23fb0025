"""How long a new business waits for the machine between its words and its inbox: the sign-up, its letter, the confirmation and
what the inbox asks for first. How long the people took to read and type is not counted.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_PASSWORD = "bench stands on four strong legs"
_OWN = {"sec-fetch-site": "same-origin"}
_OPERATOR = {
    "CHATINBOX_OPERATOR_NAME": "Bench Operations",
    "CHATINBOX_OPERATOR_ADDRESS": "Storgata 1, 1767 Halden",
    "CHATINBOX_OPERATOR_COUNTRY": "NO",
    "CHATINBOX_OPERATOR_EMAIL": "hello@operator.example",
    "CHATINBOX_OPERATOR_PRIVACY_EMAIL": "privacy@operator.example",
}


class _Letters:
    """A mail server that hands on the link of each letter."""

    def __init__(self) -> None:
        self._loop, self.links = asyncio.get_running_loop(), asyncio.Queue[str]()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 — the library's name
        assert isinstance(envelope.content, bytes)
        found = re.search(rb"/confirm/([\w-]+)", envelope.content.replace(b"=\r\n", b""))
        assert found
        self._loop.call_soon_threadsafe(self.links.put_nowait, found[0].decode())
        return "250 kept"


@contextlib.asynccontextmanager
async def letters() -> AsyncIterator[tuple[_Letters, dict[str, str]]]:
    """The mail server, and what an installation is told that sends by it and takes sign-ups."""
    box = _Letters()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(server.start)
    try:
        yield box, _OPERATOR | {"CHATINBOX_SMTP_URL": f"smtp://127.0.0.1:{port}"}
    finally:
        await asyncio.to_thread(server.stop)


async def arrive(port: int, box: _Letters, number: int) -> float:
    """One new business, from its form to its inbox; milliseconds."""
    fields = {
        "name": f"Newcomer {number}",
        "email": f"newcomer{number}@bench.example",
        "company": f"Newcomers {number}",
        "password": _PASSWORD,
    }
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=_OWN, timeout=30) as browser:
        began = time.perf_counter()
        (await browser.post("/sign-up", data=fields)).raise_for_status()
        link = await asyncio.wait_for(box.links.get(), 30)
        (await browser.get(link)).raise_for_status()
        inbox = await browser.post(link, data={"password": _PASSWORD}, follow_redirects=True)
        assert inbox.raise_for_status().url.path.startswith("/inbox"), inbox.url
        (await browser.get("/api/list?view=todo")).raise_for_status()
        return (time.perf_counter() - began) * 1000
