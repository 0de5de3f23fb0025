"""What was acknowledged is there, once, whatever was killed in between."""

import asyncio
import base64
import os
import random
import re
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from chatinbox.core.ids import new_id
from journeys.conftest import House, aside

MARK = re.compile(r"\b(?:mail|chat)-\d{5}\b")
PATIENCE_SECONDS = 240.0
# A letter that was stored when the database went is placed by the clock: half a minute old, then at the next minute.
PLACED_SECONDS = 150.0
SENDERS, VISITORS = 4, 4


class Load:
    """Customers who write until they are told that it was taken, with the same id every time, as programs do."""

    def __init__(self, house: House, key: str, address: str) -> None:
        self.house, self.key, self.address = house, key, address
        self.taken: list[str] = []
        self.again = 0

    async def run(self, each: int) -> None:
        """`each` letters and `each` chat messages."""
        self.until = time.monotonic() + PATIENCE_SECONDS
        senders = [self._mail(range(n, each, SENDERS), n) for n in range(SENDERS)]
        await asyncio.gather(*senders, *(self._chat(range(n, each, VISITORS)) for n in range(VISITORS)))

    async def _mail(self, numbers: range, sender: int) -> None:
        for number in numbers:
            mark = f"mail-{number:05}"
            words = (f"c{sender}@mail.example", self.address, f"About {mark}", f"It says {mark}.")
            send = partial(aside, self.house.send_mail, *words, message_id=f"<{mark}@mail.example>")
            await self._try(send, mark)

    async def _chat(self, numbers: range) -> None:
        moment = int(time.time() * 1000).to_bytes(6, "big")
        opening = base64.urlsafe_b64encode(moment + os.urandom(32)).decode().rstrip("=")
        token: str | None = None
        async with httpx.AsyncClient(base_url=self.house.url, timeout=10) as client:
            for number in numbers:
                mark = f"chat-{number:05}"
                said = {"id": str(new_id()), "text": f"It says {mark}."}
                proof = {"authorization": f"Bearer {token}"} if token else {}
                said |= {} if token else {"opening": opening}
                token = await self._try(partial(self._say, client, said, proof), mark) or token

    async def _say(
        self, client: httpx.AsyncClient, said: dict[str, str], proof: dict[str, str]
    ) -> str | None:
        answer = await client.post(f"/chat/{self.key}/messages", json=said, headers=proof)
        refused = 400 <= answer.status_code < 500 and answer.status_code != 429
        assert not refused, f"{said['text']} was refused: {answer.status_code} {answer.text}"
        answer.raise_for_status()
        token: str | None = answer.json().get("token")
        return token

    async def _try(self, send: Callable[[], Any], mark: str) -> Any:
        while True:
            try:
                told = await send()
            except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
                assert time.monotonic() < self.until, f"{mark} was never taken: {error!r}"
                self.again += 1
                await asyncio.sleep(0.1 + random.random() / 5)
            else:
                self.taken.append(mark)
                return told


async def kills(load: Load, times: int, total: int, kill: Callable[[], None]) -> None:
    """Kills at even shares of the work, so that every kill meets somebody who is being served."""
    for turn in range(1, times + 1):
        while len(load.taken) < total * turn / (times + 1):
            await asyncio.sleep(0.01)
        await aside(kill)


def written(client: httpx.Client) -> Counter[str]:
    """How often each mark stands in the conversations that staff see."""
    found: Counter[str] = Counter()
    after: str | None = None
    while True:
        page = client.get("/api/list", params={"view": "all"} | ({"after": after} if after else {})).json()
        for row in page["rows"]:
            found.update(_marks(client, row["id"]))
        after = page["next"]
        if not after:
            return found


def _marks(client: httpx.Client, conversation_id: str) -> list[str]:
    found: list[str] = []
    before: dict[str, int] = {}
    while True:
        told = client.get(f"/api/conversations/{conversation_id}", params=before).json()
        said = [entry for entry in told["entries"] if entry["kind"] == "message"]
        found += [mark for entry in said for mark in MARK.findall(entry["text"])]
        if not told["more_before"]:
            return found
        before = {"before": min(entry["position"] for entry in told["entries"])}


async def prove(house: House, each: int, times: int, kill: Callable[[], None], capsys: Any) -> None:
    """All of it arrives once, while `kill` strikes; and the house still stops in order."""
    client = house.set_up("Ada Lund", "ada@pottery.example", "Pottery")
    key, address = house.addresses(client)
    load = Load(house, key, address)
    began = time.monotonic()
    await asyncio.gather(load.run(each), kills(load, times, 2 * each, kill))
    took = time.monotonic() - began
    expected = {f"{kind}-{number:05}" for kind in ("mail", "chat") for number in range(each)}
    found = await aside(written, client)
    until = time.monotonic() + PLACED_SECONDS
    while expected - set(found) and time.monotonic() < until:
        await asyncio.sleep(2)
        found = await aside(written, client)
    placed = time.monotonic() - began - took
    assert sorted(load.taken) == sorted(expected)
    assert expected - set(found) == set(), "acknowledged, but not there"
    assert {mark: count for mark, count in found.items() if count > 1} == {}, "there more than once"
    with capsys.disabled():
        print(
            f"\n{2 * each} messages, {times} kills, {load.again} tries again, {took:.1f} s, all placed {placed:.1f} s later"
        )
    client.close()
    assert house.stop() == 0


def strike(house: House) -> Callable[[], None]:
    """kill -9 and a start."""

    def kill() -> None:
        house.kill()
        house.start()

    return kill


async def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(
    new_house: Callable[[], House], capsys: Any
) -> None:
    house = new_house()
    await prove(house, 60, 3, strike(house), capsys)


@pytest.mark.long
async def test_two_thousand_messages_outlive_ten_kills_of_the_server(
    new_house: Callable[[], House], capsys: Any
) -> None:
    house = new_house()
    await prove(house, 1000, 10, strike(house), capsys)


@pytest.mark.long
async def test_two_thousand_messages_outlive_ten_kills_of_the_database(
    new_house: Callable[[], House], capsys: Any
) -> None:
    house = new_house()

    def kill() -> None:
        house.kill_database()
        time.sleep(3)

    await prove(house, 1000, 10, kill, capsys)
