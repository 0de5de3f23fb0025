"""The page about connected programs: made with proof, shown once, told in plain words, ended; and nobody else's."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chatinbox.accounts import colleagues
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import build
from chatinbox.conftest import PASSWORD, Browser, Say
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.installation import Installation
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.connection import read_connections
from chatinbox.integrations.tests.programs import NO, Program, connected, happen, listening, near
from chatinbox.web.settings import connections_page
from chatinbox.web.settings.connections_page import why

NewBrowser = Callable[[], Browser]
PAGE = "/settings/connections"


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with listening() as one:
        yield one


@pytest.fixture
async def owner(inst: Installation, ada: Staff) -> AsyncIterator[Browser]:
    """Ada's browser, where programs on this machine may be connected."""
    close = near(inst)
    async with Browser(close, await build(close)) as browser:
        yield await browser.as_(ada)


async def test_an_empty_page_says_so_and_who_may_not_does_not_see_it(
    owner: Browser, bea: Staff, new_browser: NewBrowser
) -> None:
    assert "No program is connected." in (await owner.get(PAGE)).text
    staff = await new_browser().as_(bea)
    assert (await staff.get(PAGE)).headers["location"] == "/settings/profile"
    assert "Connected programs" not in (await staff.get("/settings/profile")).text


async def test_it_is_connected_with_proof_and_its_secret_is_shown_once(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    owner: Browser,
    new_browser: NewBrowser,
    program: Program,
    say: Say,
) -> None:
    form = {
        "do": "connect-out", "name": "Our <shop>", "target": program.url, "event-message.received": "on",
        "field-customer_name": "on", "term": "quarter",
    }  # fmt: skip
    with travel(timedelta(minutes=20)):
        asked = await owner.post(PAGE, data=form)
        assert "Is it you?" in asked.text and await read_connections(inst, ada.account_id) == []
        made = (await owner.post(PAGE, data=form | {"proof": PASSWORD})).text
    [secret] = re.findall(r"whsec_[\w+/=]+", made)
    page = (await owner.get(PAGE)).text
    assert secret not in page and "Our &lt;shop&gt;" in page and "the customer’s name" in page
    await say(ada)
    await happen(near(inst), ada)
    [heard] = program.heard
    assert heard.is_signed_with(secret) and set(heard.said["data"]) >= {"customer_name"}
    page = (await owner.get(PAGE)).text
    assert "1 told" in page and "name 1" in page and "Taken" in page
    assert "Connected a program" in (await owner.get("/settings/changes")).text
    other = await new_browser().as_(cyd)
    assert "shop" not in (await other.get(PAGE)).text.lower().replace("our shop.", "")


async def test_a_failure_is_told_in_plain_words_and_tried_again(
    inst: Installation, ada: Staff, owner: Browser, program: Program, say: Say
) -> None:
    made = await connected(near(inst), ada, program, events=["message.received"])
    program.says = NO
    await say(ada)
    await happen(near(inst), ada)
    page = (await owner.get(PAGE)).text
    assert "It answered 500" in page and "It has not been reached since" in page and "Try again" in page
    tested = await owner.post(PAGE, data={"do": "test", "id": str(made.id)})
    assert "The test did not arrive. It answered 500." in tested.text
    again = await owner.post(PAGE, data={"do": "again", "id": str(made.id)})
    assert "tried again at once" in again.text


async def test_the_button_for_tests_is_no_hammer(
    inst: Installation, ada: Staff, owner: Browser, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_page, "tests", Throttle(2, 600))
    made = await connected(near(inst), ada, program)
    answers = [await owner.post(PAGE, data={"do": "test", "id": str(made.id)}) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429] and program.kinds == ["test", "test"]


@pytest.mark.parametrize("do", ["test", "again", "confirm", "end"])
async def test_of_another_account_nothing_can_be_done(
    inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser, program: Program, do: str
) -> None:
    made = await connected(near(inst), ada, program)
    other = await new_browser().as_(cyd)
    foreign = await other.post(PAGE, data={"do": do, "id": str(made.id)})
    nobody = await other.post(PAGE, data={"do": do, "id": "0190b6a0-0000-7000-8000-000000000000"})
    assert foreign.status_code == nobody.status_code == 404 and foreign.content == nobody.content
    assert [one.state for one in await read_connections(inst, ada.account_id)] == ["on"]
    assert program.heard == []


async def test_it_is_ended_by_a_button_and_stays_listed_as_ended(
    inst: Installation, ada: Staff, owner: Browser
) -> None:
    made = (await owner.post(PAGE, data={"do": "connect-in", "name": "CRM", "bring-name": "on"})).text
    assert re.findall(r"connect_[\w-]+", made) and "/customers" in made
    [one] = await read_connections(inst, ada.account_id)
    ended = (await owner.post(PAGE, data={"do": "end", "id": str(one.id)})).text
    assert "It has ended." in ended and "<dt>Ended</dt>" in ended
    assert "Ended a connected program" in (await owner.get("/settings/changes")).text


async def test_a_connection_nobody_stands_for_asks_to_be_confirmed(
    inst: Installation, ada: Staff, bea: Staff, owner: Browser
) -> None:
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    await connect(inst, replace(bea, role="admin"), Asked("in", "CRM"))
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    page = (await owner.get(PAGE)).text
    assert "waits to be confirmed" in page and "Confirm it, and you stand for it" in page
    [one] = await read_connections(inst, ada.account_id)
    assert (
        "You stand for this connection"
        in (await owner.post(PAGE, data={"do": "confirm", "id": str(one.id)})).text
    )
    [one] = await read_connections(inst, ada.account_id)
    assert (one.state, one.staff_user_id) == ("on", ada.staff_user_id)


async def test_what_cannot_be_connected_is_said_beside_its_field(owner: Browser) -> None:
    asked = {"do": "connect-out", "name": "Shop", "target": "crm.example.com", "event-message.received": "on"}
    answer = await owner.post(PAGE, data=asked)
    assert answer.status_code == 422 and "Type the whole address" in answer.text
    assert 'value="crm.example.com"' in answer.text and "checked" in answer.text
    answer = await owner.post(PAGE, data={"do": "connect-in", "name": "CRM", "bring-shoe_size": "on"})
    assert answer.status_code == 422 and "that are listed" in answer.text


async def test_many_connections_ask_as_many_statements_as_one(
    inst: Installation, ada: Staff, owner: Browser, program: Program, say: Say
) -> None:
    async def asked() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        try:
            await owner.get(PAGE)
        finally:
            statements.reset(token)
        return len(seen)

    await connected(near(inst), ada, program)
    await say(ada)
    await happen(near(inst), ada)
    await owner.get(PAGE)
    one = await asked()
    for _ in range(5):
        await connected(near(inst), ada, program)
    await say(ada)
    await happen(near(inst), ada)
    assert await asked() == one < 30


def test_every_reason_has_words() -> None:
    for reason in ("withheld address", "withheld other", "network", "too_slow", "307", "404", "410", "500"):
        assert why(reason)
    assert "followed" in why("307") and why(None) == ""
