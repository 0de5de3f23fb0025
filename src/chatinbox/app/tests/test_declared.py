"""Every route says who may come and whose data it touches; one that does not keeps the server from starting (C03)."""

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from chatinbox.app import wiring
from chatinbox.app.wiring import App, build
from chatinbox.conftest import Browser
from chatinbox.core.declared import Declared, Line, Way, table_of
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.web import photos, site


async def anything(_request: Request) -> Response:
    """A door without a declaration."""
    return PlainTextResponse("words of a customer")


def table(app: App) -> list[Line]:
    """What the running program says of its routes."""
    found: list[Line] = app._ours.state.table
    return found


@pytest.mark.parametrize("to", [None, Declared(())])
async def test_a_route_that_does_not_say_who_may_come_keeps_the_server_from_starting(
    inst: Installation, monkeypatch: pytest.MonkeyPatch, to: Declared | None
) -> None:
    monkeypatch.setattr(photos, "routes", lambda _inst: [Way("/words-of-customers", anything, to)])
    with pytest.raises(Trouble, match="/words-of-customers does not say who may come"):
        await build(inst)


async def test_a_page_of_the_website_without_a_declaration_keeps_it_from_starting_too(
    inst: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(site.records, "TO")
    with pytest.raises(Trouble, match="/records"):
        await build(inst)
    with pytest.raises(Trouble, match="/records"):
        await build(replace(inst, settings=replace(inst.settings, website=True)))


async def test_the_same_path_for_two_sorts_of_people_is_two_lines() -> None:
    ways = [
        Way("/x", anything, Declared((who,), ("U",)), [how])
        for who, how in (("staff", "PUT"), ("customer", "GET"))
    ]
    assert [(line.methods, line.to.who) for line in table_of(ways)] == [
        (("GET",), ("customer",)),
        (("PUT",), ("staff",)),
    ]


async def test_a_way_for_staff_lets_nobody_in_who_is_signed_out(app: App, client: Browser) -> None:
    lines = [line for line in table(app) if line.to.who == ("staff",)]
    assert len(lines) > 30
    for line in lines:
        path = line.path.replace("{size:int}", "48").replace("{id}", "0190b6a0-0000-7000-8000-000000000000")
        path = path.replace("{page}", "people").replace("{view}", "todo").replace("{number}", "1")
        for method in line.methods:
            answer = await client.request(method, path)
            turned_away = answer.status_code in (401, 404) or answer.headers.get("location") == "/sign-in"
            first_step = path == "/settings" and answer.headers.get("location") == "/settings/profile"
            assert turned_away or first_step, (method, path, answer.status_code)


async def test_the_page_shows_every_way_of_the_running_program(app: App, client: Browser) -> None:
    page = (await client.get("/trust/routes")).text
    for line in table(app):
        assert f"<code>{line.path}</code>" in page, line
    assert f"The {len(table(app))} ways" in page


def test_the_doors_that_no_router_knows_are_in_the_table() -> None:
    assert {line.path for line in wiring._BY_HAND} == {"/live", "incoming mail"}
