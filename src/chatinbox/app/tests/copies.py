"""What tests of copies stand on: an installation of which copies are made, and what happens in it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.app.backup.copy import copy
from chatinbox.app.backup.restore import put_back
from chatinbox.channels.email import receive
from chatinbox.channels.email.raw import store
from chatinbox.conftest import People, fresh_database
from chatinbox.conversations.inbox import read_list
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure

HERS, HIS = "frida@mail.example", "casey@mail.example"
LATER = UNDO + timedelta(seconds=1)


class Copies:
    """Where copies lie, and an installation whose data and keys they are of."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.settings = self.elsewhere("here")
        self.to, self.keys_to = folder / "copies", folder / "keys copies"

    def elsewhere(self, name: str) -> Settings:
        """A folder and a database in which nothing is yet."""
        dsn = fresh_database(self.cluster, f"test_{new_id().hex}")
        data = self.folder / name
        return replace(
            Settings(), data=data, database_url=dsn, public_url="http://127.0.0.1:8000", sign_up="open"
        )

    @asynccontextmanager
    async def opened(self, settings: Settings | None = None) -> AsyncIterator[Installation]:
        settings = settings or self.settings
        inst = await Installation.open(settings, settings.database_url or "")
        try:
            yield inst
        finally:
            await inst.close()

    def make(self, inst: Installation) -> tuple[Path, Path, str]:
        """Both copies; and the line that `backup` prints."""
        for one in (self.to, self.keys_to):
            one.mkdir(exist_ok=True)
        data, keys, head = copy(
            self.settings, inst.vault, self.settings.database_url or "", self.to, self.keys_to
        )
        return data, keys, str(head)

    def restored(self, data: Path, keys: Path, ledger: Path | None = None, head: str = "") -> Settings:
        """Into a new folder and database; the settings there."""
        there = self.elsewhere(f"there {new_id().hex[-6:]}")
        with ThreadPoolExecutor(1) as thread:  # it has a loop of its own, and here one runs already
            assert thread.submit(put_back, there, data, keys, self.root, ledger, head).result()
        return there

    @property
    def root(self) -> Path:
        return self.settings.data / "keys" / "root.key"

    @property
    def ledger(self) -> Path:
        """The live one."""
        return self.settings.data / "keystore" / "destroyed.ledger"


async def writes(inst: Installation, staff: Staff, sender: str, words: str) -> None:
    """A letter with a file arrives."""
    channel_id = await People(inst).channel(staff, "email")
    letter = EmailMessage()
    for name, value in {
        "From": f"Somebody <{sender}>",
        "Subject": "Hello",
        "Message-ID": f"<{words}@mail.example>",
    }.items():
        letter[name] = value
    letter.set_content(f"Words about {words}")
    letter.add_attachment(words.encode() * 9, maintype="application", subtype="pdf", filename=f"{words}.pdf")
    arrived = await store(inst, staff.account_id, channel_id, letter.as_bytes(), None, "to@x.example")
    await receive.place(inst, arrived)


async def who(inst: Installation, staff: Staff) -> dict[UUID, UUID]:
    """Customers by their conversation."""
    return {row.id: row.customer.id for row in (await read_list(inst, staff, "all")).rows}


async def customer_of(inst: Installation, staff: Staff, email: str) -> UUID:
    """Whoever writes from there, who has written."""
    found = await find_by_email(inst, staff.account_id, email)
    assert found
    return found


async def erases(inst: Installation, staff: Staff, customer_id: UUID) -> None:
    erasure_id = await ask_erasure(inst, staff, customer_id, "Somebody")
    with travel(LATER):
        assert await engine.erase(inst, staff.account_id, erasure_id)
