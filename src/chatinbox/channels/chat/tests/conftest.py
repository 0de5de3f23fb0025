"""A box on each side of the wall: one of account A, one of account B, and browsers that speak to them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import doors, rates
from chatinbox.channels.chat.channel import open_channel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

ORIGIN = "http://127.0.0.1:8000"


@dataclass
class Browser:
    """A visitor's browser at one box: holds its token as the frame does, in memory."""

    client: httpx.AsyncClient
    key: str
    token: str | None = None
    said: list[str] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        return await self.client.request(
            method, f"/chat/{self.key}/{path}", headers=self.headers(), json=body if body else None
        )

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "messages", id=str(new_id()), text=text, **more)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        self.token = told.get("token", self.token)
        message: dict[str, Any] = told["message"]
        return message

    async def read(self, after: int = 0) -> dict[str, Any]:
        answer = await self.ask("GET", f"messages?after={after}")
        assert answer.status_code == 200, answer.text
        talk: dict[str, Any] = answer.json()
        return talk


@dataclass
class Boxes:
    """The doors with a channel of account A and one of account B."""

    app: Starlette
    client: httpx.AsyncClient
    key: str
    foreign_key: str

    def browser(self, foreign: bool = False) -> Browser:
        return Browser(self.client, self.foreign_key if foreign else self.key)


@pytest.fixture
async def boxes(inst: Installation, ada: Staff, cyd: Staff) -> AsyncIterator[Boxes]:
    for bucket in (rates.FIRSTS, rates.FORMS, rates.MESSAGES, rates.UPLOADS, rates.SIGNS, rates.ADDRESSES):
        bucket.forget()
    _, key = await open_channel(inst, ada.account_id, "Halden Ceramics", {})
    _, foreign_key = await open_channel(inst, cyd.account_id, "Other House", {})
    app = Starlette(routes=doors.routes(inst))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield Boxes(app, client, key, foreign_key)
    await asyncio.sleep(0)


async def count(inst: Installation, who: Staff, table: str) -> int:
    [rows] = await inst.db.run(
        who.account_id, (f"select count(*) from {table} where account_id = %s", [who.account_id])
    )
    total: int = rows[0][0]
    return total
