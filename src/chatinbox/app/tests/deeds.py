"""What people do at an installation from wherever they are: the same deeds for tests in the program and at served ports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import httpx

from chatinbox.app.tests.apart import Place
from chatinbox.core.ids import new_id

Deed: TypeAlias = Literal["look", "sign up", "sign in", "wrong password", "chat", "answer", "settings"]
DEEDS: tuple[Deed, ...] = ("look", "sign up", "sign in", "wrong password", "chat", "answer", "settings")


@dataclass
class Deeds:
    """`browse` opens a browser in a place; the others say whose account it is: a staff user's, with a session and a chat."""

    browse: Callable[[Place], httpx.AsyncClient]
    email: str
    password: str
    key: str
    session: str
    visitors: dict[int, str] = field(default_factory=dict)

    async def do(self, deed: Deed, actor: int, place: Place) -> None:
        """One deed of somebody's."""
        async with self.browse(place) as browser:
            match deed:
                case "look":
                    assert (await browser.get("/")).status_code == 200
                case "sign up":
                    await self._sign_up(browser)
                case "sign in" | "wrong password":
                    password = self.password if deed == "sign in" else "not this one, no"
                    answer = await browser.post("/sign-in", data={"email": self.email, "password": password})
                    assert answer.status_code == (303 if deed == "sign in" else 422), answer.text
                case "chat":
                    await self._chat(browser, actor)
                case "answer":
                    await self._answer(browser, actor)
                case "settings":
                    browser.cookies.set("session", self.session)
                    assert (await browser.get("/settings/sessions")).status_code == 200

    async def _sign_up(self, browser: httpx.AsyncClient) -> None:
        form = {
            "name": "Frida Berg",
            "email": f"p{new_id().hex[-12:]}@mail.example",
            "company": f"Berg {new_id().hex[-12:]}",
            "password": "four words marching backwards",
        }
        assert (await browser.post("/sign-up", data=form)).status_code == 200

    async def _chat(self, browser: httpx.AsyncClient, actor: int) -> None:
        token = self.visitors.get(actor)
        answer = await browser.post(
            f"/chat/{self.key}/messages",
            json={"id": str(new_id()), "text": f"Where is my order? {actor}"},
            headers={"authorization": f"Bearer {token}"} if token else {},
        )
        assert answer.status_code == 201, answer.text
        self.visitors[actor] = answer.json().get("token", token)

    async def _answer(self, browser: httpx.AsyncClient, actor: int) -> None:
        """Staff answer the newest conversation, where there is one."""
        browser.cookies.set("session", self.session)
        listed = (await browser.get("/api/list?view=todo")).json()
        if found := listed.get("rows", []):
            said = {"id": str(new_id()), "text": f"It left today. {actor}", "seen": 10_000}
            answer = await browser.post(f"/api/conversations/{found[0]['id']}/messages", json=said)
            assert answer.status_code == 201, answer.text
