"""Data of an account under European law goes to no company outside without a module of the clauses, and the ledger says so."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.core.egress import Declined, Egress, Errand, Letter, Withheld
from chatinbox.core.installation import Installation
from chatinbox.privacy import transfer
from promises.means import put_on_the_list


class House:
    """An installation with a register of one company, and a server on loopback that is whoever one sends to."""

    def __init__(self, inst: Installation, folder: Path, url: str, seen: list[bytes]) -> None:
        self.inst = replace(inst, settings=replace(inst.settings, data=folder))
        self.url, self.seen = url, seen
        mail = url.replace("http:", "smtp:")
        self.way = Egress(inst.db, inst.vault, mail, trust=ssl.create_default_context())
        self.way.place("stripe", url)
        self.way.guarded_by(partial(transfer.why_withheld, self.inst))

    def register(self, country: str, clauses: str, ways: Sequence[str] = ("stripe", "mail")) -> None:
        put_on_the_list(self.inst.settings.data, country=country, transfer=clauses, ways=ways)

    async def send(self, by: Staff) -> None:
        errand = Errand(by.account_id, "stripe", "subprocessor", "a test", ("e-mail address",))
        async with self.way.client(errand) as client:
            await client.get(self.url)

    async def ledger(self, by: Staff) -> list[tuple[str, str, str | None]]:
        ask = "select gate, outcome, reason from ledger where account_id = %s order by id"
        [rows] = await self.inst.db.run(by.account_id, (ask, [by.account_id]))
        return [(gate, outcome, reason) for gate, outcome, reason in rows]


@pytest.fixture
async def house(inst: Installation, tmp_path: Path) -> AsyncIterator[House]:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield House(inst, tmp_path, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", seen)
    listening.close()


def letter(by: Staff) -> Letter:
    return Letter(by.account_id, "person", by.person_id, "a@here.example", ("b@there.example",), b"Subject: x\r\n\r\ny",
                  "integration", "a test", ("words",))  # fmt: skip


@pytest.mark.parametrize("country", ["US", "GB", "CH", "JP"])
async def test_without_clauses_nothing_leaves_europe_whatever_else_may_be_said_of_a_country(
    house: House, ada: Staff, cyd: Staff, country: str
) -> None:
    """Other grounds (adequacy) are not silently used: the United Kingdom, Switzerland and Japan have such decisions."""
    await change_workspace(house.inst, ada, country="DE")
    await change_workspace(house.inst, cyd, country="US")
    house.register(country, "none needed")
    with pytest.raises(Withheld, match="transfer_without_clauses"):
        await house.send(ada)
    with pytest.raises(Declined, match="standard contractual clauses"):
        await house.way.mail(letter(ada))
    assert house.seen == []
    why = "transfer_without_clauses"
    assert await house.ledger(ada) == [("http", "withheld", why), ("mail", "withheld", why)]
    await house.send(cyd)  # another account, under another law, is not held up by it and sees none of it
    assert await house.ledger(cyd) == [("http", "taken", "200")]


async def test_with_a_module_or_at_home_it_leaves(house: House, ada: Staff) -> None:
    await change_workspace(house.inst, ada, country="FR")
    for country, clauses in (("US", "SCC module 3"), ("NO", "none needed"), ("GB", "SCC module 2")):
        house.register(country, clauses)
        await house.send(ada)
    assert len(house.seen) == 3


async def test_for_the_united_kingdom_that_country_and_europe_are_home(house: House, ada: Staff) -> None:
    await change_workspace(house.inst, ada, country="GB")
    for country in ("GB", "DE"):
        house.register(country, "none needed")
        await house.send(ada)
    house.register("US", "none needed")
    with pytest.raises(Withheld):
        await house.send(ada)
    assert len(house.seen) == 2


async def test_a_place_is_said_and_never_guessed_from_where_a_name_leads(house: House, ada: Staff) -> None:
    """The server is on this very machine; nobody wrote where it is, so nothing leaves."""
    await change_workspace(house.inst, ada, country="DE")
    with pytest.raises(Withheld, match="place_not_named"):
        await house.send(ada)
    house.register("DE", "none needed", ways=[])
    with pytest.raises(Withheld, match="place_not_named"):
        await house.send(ada)
    assert house.seen == []


async def test_who_has_not_said_a_country_is_where_the_operator_is(house: House, ada: Staff) -> None:
    house.register("US", "none needed")
    await house.send(ada)
    europe = replace(house.inst, settings=replace(house.inst.settings, operator_country="DE"))
    house.way.guarded_by(partial(transfer.why_withheld, europe))
    with pytest.raises(Withheld, match="transfer_without_clauses"):
        await house.send(ada)
    assert len(house.seen) == 1


async def test_what_an_account_chose_itself_is_its_own_instruction(
    house: House, ada: Staff, inst: Installation
) -> None:
    await change_workspace(house.inst, ada, country="DE")
    house.register("US", "none needed")
    way = Egress(inst.db, inst.vault, None, inside=True)
    way.guarded_by(partial(transfer.why_withheld, house.inst))
    own = Errand(ada.account_id, None, "integration", "its own sign-in", ("e-mail address",))
    async with way.client(own) as client:
        assert (await client.get(house.url)).status_code == 200
