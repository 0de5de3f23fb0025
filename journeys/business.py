"""One business in a served installation, met only as its people meet it: pages, JSON, letters by SMTP, the chat."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx

from chatinbox.accounts import sessions
from chatinbox.accounts.sign_up import sign_up
from chatinbox.app.tests.chance import without_chance
from chatinbox.core import postgres
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings
from chatinbox.web.first_channels import open_first_channels
from journeys.conftest import PASSWORD, House

# Not who looked, nor how much is stored: they tell of this very looking, of which one run may need a round more.
DOORS = (
    "/api/list?view=all", "/api/list?view=todo", "/api/list?view=spam", "/api/sync?after=0", "/api/held",
    "/api/search?q=hello", "/api/search?q=apricots", "/api/search?q=frida", "/api/search?q=%231",
    "/settings/ledger", "/settings/erasures", "/settings/people", "/settings/workspace", "/settings/changes",
    "/settings/retention", "/settings/requests", "/reports/work", "/inbox", "/outbox",
)  # fmt: skip


@dataclass
class Business:
    """Its owner's browser, and its customers, who keep their places in the chat."""

    house: House
    client: httpx.Client
    account_id: UUID
    owner: str
    slug: str
    key: str = ""
    address: str = ""
    talks: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def chat(self, who: str, words: str) -> httpx.Response:
        """A visitor writes: the first message begins their chat, the next go on."""
        heads = {"authorization": f"Bearer {self.talks[who]}"} if who in self.talks else {}
        said = {"id": str(new_id()), "text": words}
        answer = httpx.post(
            f"{self.house.url}/chat/{self.key}/messages", json=said, headers=heads, timeout=20
        )
        if "token" in answer.json():
            self.talks[who] = answer.json()["token"]
        return answer

    def letter(self, who: str, words: str, number: int, file: bytes = b"") -> None:
        """A customer's letter, with a file or without. Letters of all businesses share their Message-IDs."""
        named = {
            "message_id": f"<shared{number}@mail.example>",
            "References": f"<shared{(number + 1) % 4}@mail.example>",
        }
        self.house.send_mail(who, self.address, "Order 7", words, file=file, **named)

    def rows(self, view: str = "all") -> list[dict[str, Any]]:
        """Its conversations, the newest first."""
        found: list[dict[str, Any]] = self.client.get(f"/api/list?view={view}").json()["rows"]
        return found

    def files(self) -> int:
        """How many files of it there are."""
        return sum(one.is_file() for one in (self.house.data / "files" / self.account_id.hex).rglob("*"))

    def invite(self, email: str) -> httpx.Response:
        """The owner asks somebody to join."""
        return self.client.post("/settings/people", data={"do": "invite", "email": email, "role": "staff"})

    def writers(self) -> dict[str, str]:
        """Its customers: ids and names, spam too."""
        rows = [*self.rows(), *self.rows("spam")]
        return {row["customer"]["id"]: row["customer"]["name"] for row in rows}

    def erase(self, customer_id: str, name: str) -> None:
        """The owner has a customer erased, whose name is typed as a sign that it is meant."""
        asked = {"do": "erase", "customer": customer_id, "typed": name}
        answer = self.client.post("/settings/erasures", data=asked)
        assert answer.status_code == 200 and "They will be erased" in answer.text, answer.text

    def _of(self, who: str) -> list[dict[str, Any]]:
        """The conversations of whoever writes as “Name <address>”, in spam too."""
        rows = [*self.rows(), *self.rows("spam")]
        return [row for row in rows if who.startswith(f"{row['customer']['name']} <")]

    def work(self, what: str, words: str, nth: int, who: str | None = None) -> httpx.Response | None:
        """The owner does something with one of the conversations, or of somebody's; None while there is none."""
        rows = self._of(who) if who else self.rows()
        if not rows:
            return None
        row = rows[nth % len(rows)]
        door, said = f"/api/conversations/{row['id']}", {"id": str(new_id()), "text": words}
        if what == "reply":
            return self.client.post(f"{door}/messages", json=said | {"send_anyway": True})
        if what == "note":
            return self.client.post(f"{door}/notes", json=said)
        if what == "draft":
            return self.client.put(f"{door}/draft", json={"kind": "reply", "text": words, "revision": 1})
        if what == "done":
            return self.client.put(f"{door}/status", json={"status": "done"})
        if what == "spam":
            return self.client.put(f"{door}/spam")
        if what == "name":
            return self.client.put(f"/api/customers/{row['customer']['id']}", json={"name": words})
        return self.client.put(f"{door}/tags/{self.tag(words[:9])}")

    def tag(self, name: str) -> str:
        """The id of one of its tags, which is made when it is first asked for."""
        if name not in self.tags:
            self.tags[name] = self.client.post("/api/tags", json={"name": name}).json()["id"]
        return self.tags[name]

    def seen(self) -> list[str]:
        """All that its owner and its visitors can see, without what is drawn at random."""
        doors = list(DOORS)
        for row in self.rows():
            doors += [f"/api/conversations/{row['id']}", f"/api/customers/{row['customer']['id']}"]
        told = [self._told(door, self.client.get(door)) for door in doors]
        told += [self._told("letter", self.client.get(link)) for link in self._letters()]
        for who, token in sorted(self.talks.items()):
            heads = {"authorization": f"Bearer {token}"}
            answer = httpx.get(
                f"{self.house.url}/chat/{self.key}/messages?after=0", headers=heads, timeout=20
            )
            told.append(self._told(who, answer))
        return told

    def _letters(self) -> list[str]:
        """Links to what left by letter."""
        return sorted(set(re.findall(r'href="(/outbox/[^"]+)"', self.client.get("/outbox").text)))

    def _told(self, door: str, answer: httpx.Response) -> str:
        heads = {
            name: value for name, value in answer.headers.items() if name not in ("date", "content-length")
        }
        told = f"{door} {answer.status_code} {sorted(heads.items())} {answer.text}"
        port = self.house.url.rsplit(":", 1)[1]
        for known, what in ((f":{port}", ":port"), (self.key, "key"), (self.owner, "owner")):
            told = told.replace(known, what)
        return without_chance(told, self.slug)


@asynccontextmanager
async def installation(house: House) -> AsyncIterator[Installation]:
    """What runs in a house, opened once more beside it: with its keys, and whatever its own process does to itself not done."""
    cluster = postgres.up(house.data)
    settings = replace(Settings(), data=house.data, public_url=house.url, files_url=house.url, sign_up="open")
    inst = await Installation.open(settings, cluster.dsn(cluster.superuser, "chatinbox"))
    try:
        yield inst
    finally:
        await inst.close()


async def open_businesses(house: House, names: list[str]) -> list[Business]:
    """New businesses in a running house, each with its owner signed in."""
    opened = []
    async with installation(house) as inst:
        for name in names:
            email = f"{new_id().hex[-8:]}@{name.lower()}.example"
            made = await sign_up(inst, "Ada Lund", email, name, PASSWORD, confirmed=True)
            assert made
            await open_first_channels(inst, made.account_id, name)
            client = house.client()
            token = await sessions.start(inst, made.staff, "a browser")
            client.cookies.set(sessions.cookie_name(inst), token)
            business = Business(house, client, made.account_id, email, name.lower())
            business.key, business.address = house.addresses(client)
            opened.append(business)
    return opened
