"""The pages about the rights of customers: what each shows to whom, and what can be done on it."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from io import BytesIO
from uuid import UUID
from zipfile import ZipFile

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.incoming import Received, Sender
from chatinbox.core.clock import now, travel
from chatinbox.core.destroyed import ASIDE, HELD, Head, Line
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import put_back
from chatinbox.privacy.hold_again import hold_again
from chatinbox.privacy.package.ask import ask_package
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.package.read import read_package
from chatinbox.privacy.restriction.again import restrict_again

NewBrowser = Callable[[], Browser]
HERS = "frida@mail.example"


@pytest.fixture
async def frida(ada: Staff, say: Say) -> Received:
    return await say(ada, "Hello", HERS, sender=Sender(HERS, "Frida Lind"))


def page_of(customer_id: UUID) -> str:
    return f"/settings/rights?customer={customer_id}"


async def test_a_copy_is_asked_for_downloaded_and_shared_after_proof(
    inst: Installation, ada: Staff, frida: Received, client: Browser, new_browser: NewBrowser
) -> None:
    await client.as_(ada)
    page = page_of(frida.customer_id)
    form = {"do": "copy", "customer": str(frida.customer_id), "reach": "person"}
    with travel(timedelta(minutes=20)):  # too long ago that they said who they are
        assert "password" in (await client.post(page, data=form)).text
    assert "is being made" in (await client.post(page, data=form)).text
    [[(package_id,)]] = await inst.db.run(
        ada.account_id, ("select id from package where account_id = %s", [ada.account_id])
    )
    assert "Being made" in (await client.get(page)).text
    assert await make_package(inst, ada.account_id, package_id)
    got = await client.post(page, data={"do": "download", "package": str(package_id)})
    assert got.content[:2] == b"PK" and got.headers["content-disposition"].startswith("attachment")
    with travel(timedelta(minutes=20)):
        for act in ("download", "share"):
            assert "password" in (await client.post(page, data={"do": act, "package": str(package_id)})).text
    shown = (await client.post(page, data={"do": "share", "package": str(package_id)})).text
    link, phrase = re.findall(r"<code>([^<]+)</code>", shown)
    assert phrase not in (await client.get(page)).text  # shown once
    told = await new_browser().post(link, data={"phrase": phrase})
    assert told.content[:2] == b"PK"
    assert "they got it" in (await client.get(page)).text
    assert "is removed" in (await client.post(page, data={"do": "end-copy", "package": str(package_id)})).text


async def test_what_was_put_back_after_a_restore_is_shown_as_that_and_in_nobodys_name(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, client: Browser
) -> None:
    """By the lines of a ledger that knows more than the database does; also in the customer's own copy."""
    account, hers, until = ada.account_id, frida.customer_id.hex, (now() + timedelta(days=30)).isoformat()
    lines = [
        Line(Head(1, ""), now(), ASIDE, account, new_id(), (hers,)),
        Line(Head(2, ""), now(), HELD, account, new_id(), (hers, "-", until)),
    ]
    assert (
        await restrict_again(inst, cyd.account_id, lines)
        == await hold_again(inst, cyd.account_id, lines)
        == 0
    )
    assert await restrict_again(inst, account, lines) == await hold_again(inst, account, lines) == 1
    await client.as_(ada)
    for page in ("/settings/rights", page_of(frida.customer_id)):
        shown = unescape((await client.get(page)).text)
        assert shown.count(put_back.SAID) == 2 and shown.count("a restore") >= 2 and put_back.WORDS in shown
        assert "a former colleague" not in shown
    package_id = await ask_package(inst, account, frida.customer_id, ada, "person")
    assert await make_package(inst, account, package_id)
    content = b"".join([piece async for piece in await read_package(inst, account, package_id, ada)])
    with ZipFile(BytesIO(content)) as copy:
        aside, held = json.loads(copy.read("you.json"))["standing"]
    assert put_back.WORDS in aside and put_back.WORDS in held
    assert "In the business's words" not in aside + held
    await client.as_(cyd)
    assert put_back.SAID not in unescape((await client.get("/settings/rights")).text)


async def test_setting_aside_objecting_and_holding_back_are_done_and_listed(
    ada: Staff, frida: Received, client: Browser
) -> None:
    await client.as_(ada)
    page, who = page_of(frida.customer_id), {"customer": str(frida.customer_id)}
    told = await client.post(page, data={"do": "restrict", "ground": "accuracy", "words": "They rang"} | who)
    assert "Set aside since" in told.text and "They rang" in told.text
    assert (
        "Write what they are told"
        in (await client.post(page, data={"do": "take-up", "letter": ""} | who)).text
    )
    assert "They took it back" in (await client.post(page, data={"do": "object"} | who)).text
    until = (now() + timedelta(days=30)).date().isoformat()
    hold = {"do": "hold", "number": "#1", "hold_ground": "claims", "why": "A claim", "until": until}
    assert "It is held" in (await client.post(page, data=hold | who)).text
    wrong = await client.post(page, data=hold | {"until": "2999-01-01"} | who)
    assert wrong.status_code == 422 and "within a year" in wrong.text and 'value="#1"' in wrong.text
    listed = (await client.get("/settings/rights")).text
    assert listed.count("Frida Lind") == 2 and "A claim" in listed
    assert "taken up again" in (await client.post(page, data={"do": "take-up", "told": "on"} | who)).text
    assert "Nobody." in (await client.get("/settings/rights")).text


async def test_what_is_wrong_is_put_right_on_the_page(ada: Staff, frida: Received, client: Browser) -> None:
    await client.as_(ada)
    page, who = page_of(frida.customer_id), {"customer": str(frida.customer_id)}
    told = await client.post(page, data={"do": "rename", "name": "Frida Berg"} | who)
    assert "Rights of Frida Berg" in told.text
    [address] = re.findall(r'name="address" value="([^"]+)"', told.text)
    told = await client.post(
        page, data={"do": "address", "address": address, "email": "new@mail.example"} | who
    )
    assert "new@mail.example" in told.text and HERS not in told.text
    wrong = await client.post(page, data={"do": "address", "address": address, "email": "nothing"} | who)
    assert "no e-mail address" in wrong.text


async def test_a_foreign_customer_is_answered_as_a_made_up_one_and_each_role_sees_its_part(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, frida: Received, new_browser: NewBrowser
) -> None:
    outside, staff = await new_browser().as_(cyd), await new_browser().as_(bea)
    foreign, made_up = [await outside.get(page_of(one)) for one in (frida.customer_id, new_id())]
    assert foreign.status_code == made_up.status_code == 404 and foreign.content == made_up.content
    for act in ("restrict", "object", "rename", "copy", "hold", "take-up"):
        form = {"do": act, "name": "x", "ground": "accuracy", "told": "on"}
        answers = [
            await outside.post("/settings/rights", data=form | {"customer": str(one)})
            for one in (frida.customer_id, new_id())
        ]
        assert answers[0].status_code == answers[1].status_code == 404, act
        assert answers[0].content == answers[1].content
    shown = (await staff.get(page_of(frida.customer_id))).text
    assert "Set aside" in shown and "A copy for them" not in shown and "Hold something back" not in shown
    for act in ("copy", "hold"):
        refused = await staff.post(
            page_of(frida.customer_id), data={"do": act, "customer": str(frida.customer_id)}
        )
        assert refused.status_code == 403, act
    assert (await staff.get("/settings/retention")).headers["location"] == "/settings/profile"


async def test_a_rule_is_looked_at_before_it_is_made_and_can_be_taken_back(
    ada: Staff, cyd: Staff, say: Say, client: Browser, new_browser: NewBrowser
) -> None:
    with travel(-timedelta(days=100)):
        await say(ada, "Long ago", HERS, sender=Sender(HERS, "Frida Lind"))
    await client.as_(ada)
    page = "/settings/retention"
    first = (await client.get(page)).text
    assert "There is no rule" in first and "Make the rule" not in first
    form = {"days": "90", "counted": "silence", "channel": "", "tag": ""}
    looked = (await client.post(page, data=form | {"do": "look"})).text
    assert "would erase 1 conversation" in looked and "Frida Lind" in looked and "Make the rule" in looked
    assert "Give a number of days" in (await client.post(page, data=form | {"do": "look", "days": "x"})).text
    made = (await client.post(page, data=form | {"do": "make"})).text
    assert "followed from tomorrow" in made and "Take it back" in made
    outside = await new_browser().as_(cyd)
    assert "There is no rule" in (await outside.get(page)).text
    assert "would erase 0 conversations" in (await outside.post(page, data=form | {"do": "look"})).text
    [rule] = re.findall(r'name="id" value="([^"]+)"', made)
    foreign, made_up = [
        await outside.post(page, data={"do": "end", "id": one}) for one in (rule, str(new_id()))
    ]
    assert foreign.content == made_up.content
    assert "taken back" in (await client.post(page, data={"do": "end", "id": rule})).text
