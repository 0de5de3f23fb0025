"""A stranger before the operator's door, and what each business that is asked does with its case."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import build
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.requests import carry, go_on, link
from chatinbox.privacy.requests.case import Case, list_cases
from chatinbox.web import forms

NewBrowser = Callable[[], Browser]
Asks = Callable[[str, str], Awaitable[None]]
A_MOMENT = timedelta(seconds=1)
ARRIVED = carry.SPREAD + A_MOMENT


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(10, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(600, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)
    monkeypatch.setattr(link, "to_all", Throttle(1_000, 600))


@pytest.fixture
def hers() -> str:
    """An address of its own for every test."""
    return f"frida.{new_id().hex[-12:]}@mail.example"


@pytest.fixture
async def operator(inst: Installation, people: People) -> Staff:
    """Whose account the operator's is."""
    return await people.owner("Olga", "Operations")


@pytest.fixture
async def door(inst: Installation, operator: Staff) -> httpx.AsyncClient:
    """A browser of a stranger, at an installation whose operator's outbox keeps the house's letters."""
    address = f"desk-{new_id().hex}@operator.example"
    await open_channel(inst, operator.account_id, "Desk", address)
    taking = replace(inst, settings=replace(inst.settings, website_channel=address))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(await build(taking)), base_url="http://127.0.0.1:8000"
    )


async def sent(inst: Installation, operator: Staff, to: str) -> list[str]:
    """The paths of links that were sent to an address, the newest first."""
    letters = [one for one in await list_kept(inst, operator) if one.header("to") == to]
    return [found[0] for one in letters if (found := re.search(r"/my-data/\S+", one.text))]


async def opened(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, email: str, wish: str, **more: str
) -> UUID:
    """Somebody asks, opens the link and says what they wish; the request's id."""
    before = {bytes(row[0]) for row in await inst.db.directory("select mac from work.data_request")}
    answer = await door.post("/my-data", data={"email": email, "wish": wish, **more})
    assert answer.status_code == 200, answer.text
    await forms.settle()
    path = (await sent(inst, operator, email))[0]
    assert (await door.post(path, data={"wish": wish})).status_code == 200
    after = {bytes(row[0]) for row in await inst.db.directory("select mac from work.data_request")}
    [mac] = after - before
    return UUID(bytes=mac)


@pytest.fixture
def asks(inst: Installation, door: httpx.AsyncClient, operator: Staff) -> Asks:
    """Somebody wishes something, and it is carried to each business concerned: `await asks(hers, "erasure")`."""

    async def all_the_way(email: str, wish: str) -> None:
        await carry.carry(inst, await opened(inst, door, operator, email, wish))

    return all_the_way


async def case_of(inst: Installation, staff: Staff) -> Case:
    with travel(ARRIVED):
        [case] = await list_cases(inst, staff)
    return case


async def told(inst: Installation, staff: Staff) -> Case:
    """The one case of an account, when its owners were told; the clock stands where that was."""
    await go_on.go_on(inst, staff.account_id)
    [case] = await list_cases(inst, staff)
    assert case.told_at
    return case


async def finish(inst: Installation, staff: Staff) -> Case:
    """Goes on as often as the clock would, with what it asks for behind the scenes."""
    for _ in range(3):
        await go_on.go_on(inst, staff.account_id)
        for one in await list_cases(inst, staff):
            if one.copy_id:
                await make_package(inst, staff.account_id, one.copy_id)
        for one in await list_erasures(inst, staff):
            await erase(inst, staff.account_id, one.id)
    return (await list_cases(inst, staff))[0]


async def letters_to(inst: Installation, staff: Staff, email: str) -> list[str]:
    return [
        f"{one.header('subject')}\n{one.text}"
        for one in await list_kept(inst, staff)
        if one.header("to") == email
    ]
