"""Nobody opens an account with an operator who has not said who they are, nor where the door is closed."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from chatinbox.accounts import people
from chatinbox.app.wiring import build
from chatinbox.conftest import OPERATOR, PASSWORD, Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.operator import takes_sign_ups
from chatinbox.core.settings import Settings
from chatinbox.web import forms


@pytest.mark.parametrize(
    "gap", [{}, {"operator_name": "TODO"}, {"operator_country": "Germany"}, {"operator_privacy_email": ""}]
)
async def test_while_the_operator_has_not_named_themselves_nobody_can_open_an_account(
    inst: Installation, guest: Callable[[], Browser], gap: dict[str, str]
) -> None:
    settings = replace(inst.settings, **OPERATOR | gap) if gap else inst.settings
    unnamed = replace(inst, settings=settings)
    email = f"frida.{new_id().hex[-12:]}@mail.example"
    form = {"name": "Frida Berg", "email": email, "company": "Frida", "password": PASSWORD}
    transport = httpx.ASGITransport(await build(unnamed))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as stranger:
        for answer in (await stranger.get("/sign-up"), await stranger.post("/sign-up", data=form)):
            assert answer.status_code == 503 and "has not said who they are" in answer.text
            assert "CHATINBOX_OPERATOR_NAME" in answer.text and "<input" not in answer.text
        assert 'href="/sign-up"' not in (await stranger.get("/sign-in")).text
    await forms.settle()
    assert await people.find_person(inst, email) is None
    assert (await guest().post("/sign-up", data=form)).status_code == 200
    await forms.settle()
    assert await people.find_person(inst, email), "and with a name it is opened"


async def test_the_demo_has_a_made_up_operator_and_a_closed_door_says_why_it_is_closed(
    inst: Installation,
) -> None:
    demo = replace(Settings(), sign_up="open", demo=True)
    assert takes_sign_ups(demo) and not takes_sign_ups(replace(demo, sign_up="invitation"))
    closed = replace(inst, settings=replace(inst.settings, sign_up="closed"))
    transport = httpx.ASGITransport(await build(closed))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as stranger:
        answer = await stranger.get("/sign-up")
        assert answer.status_code == 200 and "ask a colleague" in answer.text
