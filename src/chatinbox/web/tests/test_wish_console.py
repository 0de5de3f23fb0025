"""Wishes that people carry out, on a page of the operator's (clause C57): by two, after a letter with a link that stops it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import psycopg
import pytest

from chatinbox.accounts import by_people, people
from chatinbox.accounts.colleagues import reactivate
from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App, build
from chatinbox.conftest import PASSWORD, Browser, People
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy import my_data
from chatinbox.web import forms
from chatinbox.web.tests.consoles import Open, about, opened, operated_by
from chatinbox.web.tests.second_factor import with_app
from chatinbox.web.tests.test_accounts import email_of, letter_to
from chatinbox.web.wish_console import PATH

__all__ = ["opened"]
NewBrowser = Callable[[], Browser]
DAY = timedelta(days=1, minutes=1)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(20, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(100, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)


@pytest.fixture
async def olga(inst: Installation, people: People) -> Staff:
    """Olga, an owner of the operator's own account, with a second factor."""
    olga = await people.owner("Olga", "Operations")
    await with_app(inst, olga)
    return olga


@pytest.fixture
async def house(inst: Installation, olga: Staff) -> App:
    """Olga's account is the operator's own."""
    return await build(await operated_by(inst, olga))


@pytest.fixture
async def otto(inst: Installation, people: People, olga: Staff) -> Staff:
    """Otto, the other owner of the operator's account."""
    otto = replace(await people.colleague(olga, "Otto"), role="owner")
    change = "update staff_user set role = 'owner' where account_id = %s and id = %s"
    await inst.db.run(olga.account_id, (change, [olga.account_id, otto.staff_user_id]))
    await with_app(inst, otto)
    return otto


async def wishes(inst: Installation, opened: Open, who: Staff, kind: str = "delete", words: str = "") -> None:
    """Somebody opens the link they were sent, and wishes."""
    browser = await opened(None)
    await browser.post("/wish", data={"email": await email_of(inst, who)})
    await forms.settle()
    found = re.search(r"/wish/\S+", (await letter_to(inst, who)).text)
    assert found
    taken = await browser.post(found[0], data={"kind": kind, "words": words})
    assert "people will read it" in taken.text


async def protected(inst: Installation, opened: Open, who: Staff, kind: str = "delete") -> None:
    """Somebody whose sign-in has a second factor wishes."""
    await with_app(inst, who)
    await wishes(inst, opened, who, kind)


async def press(browser: httpx.AsyncClient, what: str, **more: str) -> httpx.Response:
    """Presses a button of the page that is there."""
    return await browser.post(PATH, data=about((await browser.get(PATH)).text, what) | more)


async def stopping(inst: Installation, who: Staff) -> str:
    letter = await letter_to(inst, who)
    assert letter.header("to") == await email_of(inst, who)
    found = re.search(r"/wish/stop/\S+", letter.text)
    assert found, letter.text
    return found[0]


async def conversation(opened: Open, olga: Staff) -> str:
    """The wish's conversation, as the operator's staff read it."""
    browser = await opened(olga)
    for view in ("todo", "done", "waiting"):
        rows = (await browser.get(f"/api/list?view={view}")).json()["rows"]
        for row in rows:
            if "you hold about me" in (row["subject"] or "") or "my sign-in" in (row["subject"] or ""):
                return f"{view}: " + (await browser.get(f"/api/conversations/{row['id']}")).text
    raise AssertionError("no conversation")


async def is_there(inst: Installation, who: Staff) -> bool:
    try:
        await inst.vault.person_key(who.person_id)
    except Erased:
        return False
    return True


async def test_one_begins_another_agrees_and_a_day_after_the_letter_the_sign_in_is_deleted(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await protected(inst, opened, bea)
    hers, his = await opened(olga), await opened(otto)
    page = (await hers.get(PATH)).text
    assert await email_of(inst, bea) in page and "second factor" in page and "Not begun" in page
    for secret in ("Bea<", "Ada", "Halden", str(bea.account_id)):
        assert secret not in page, "nothing of the account, and no name"
    page = (await press(hers, "begin")).text
    assert 'value="agree"' not in page and 'value="carry-out"' not in page
    letter = await letter_to(inst, bea)
    assert "deleted in every account" in letter.text and await stopping(inst, bea)
    wish = {"wish": about((await his.get(PATH)).text, "agree")["wish"]}
    assert (await hers.post(PATH, data=wish | {"do": "agree"})).status_code == 403, "not who began it"
    assert (await press(his, "agree")).status_code == 200
    assert (await hers.post(PATH, data=wish | {"do": "carry-out"})).status_code == 409, "not before its day"
    assert await is_there(inst, bea)
    with travel(DAY):
        assert (await press(await opened(olga), "carry-out")).status_code == 200
        again = await (await opened(otto)).post(PATH, data=wish | {"do": "carry-out"})
        assert again.status_code == 400 and "None is open" in again.text, "done once"
        told = await conversation(opened, olga)
    assert not await is_there(inst, bea) and await is_there(inst, ada)
    assert (
        told.startswith("done: ") and "Carried out. The sign-in is deleted" in told and "Agreed to." in told
    )
    [line] = [one for one in await read_changes(inst, ada, Filter()) if "wish" in one.what]
    assert "deleted" in line.after
    elsewhere = await read_changes(inst, olga, Filter())
    assert not [one for one in elsewhere if "wish" in one.what]


async def test_a_sign_in_is_deactivated_and_its_person_finds_the_wish_in_their_data(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await protected(inst, opened, bea, "deactivate")
    await press(await opened(olga), "begin")
    await press(await opened(otto), "agree")
    with travel(DAY):
        assert (await press(await opened(otto), "carry-out")).status_code == 200
        await reactivate(inst, ada, bea.staff_user_id)
        [mine] = (await my_data.about(inst, bea.person_id))["directory.wish"]
        assert mine["kind"] == "deactivate" and mine["done_at"]
        assert "directory.wish" not in await my_data.find_rows(inst, ada.person_id)
    with travel(by_people.KEPT + 2 * DAY):
        await by_people.forget(inst)
    assert "directory.wish" not in await my_data.find_rows(inst, bea.person_id)


async def test_a_name_is_set_as_the_letter_said_and_other_words_are_answered_in_words(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await wishes(inst, opened, bea, "correct", "My name is Beatrix Moss, with an x.")
    assert (await press(await opened(olga), "begin")).status_code == 400, "which name?"
    page = unescape((await press(await opened(olga), "begin", name="Beatrix Moss")).text)
    assert "the name becomes" in page and "Beatrix Moss" in (await letter_to(inst, bea)).text
    await press(await opened(otto), "agree")
    await wishes(inst, opened, ada, "update", "My telephone number is another one.")
    short = await press(await opened(olga), "answer", words="no")
    assert short.status_code == 400
    page = (
        await press(await opened(olga), "answer", words="We hold none, so there is nothing to change.")
    ).text
    assert await email_of(inst, ada) not in page and await email_of(inst, bea) in page
    with travel(DAY):
        await press(await opened(olga), "carry-out")
    assert (await people.read_person(inst, bea.person_id)).name == "Beatrix Moss"
    assert (await people.read_person(inst, ada.person_id)).name == "Ada"


async def test_an_only_owner_waits_three_days_instead_and_nobody_does_where_there_are_two(
    inst: Installation, opened: Open, bea: Staff, olga: Staff, people: People
) -> None:
    await protected(inst, opened, bea)
    hers = await opened(olga)
    page = (await press(hers, "begin")).text
    assert "three days" in page
    wish = {"do": "carry-out", "wish": re.findall(r'name="wish" value="([^"]+)"', page)[0]}
    for days in (0, 1, 2):
        with travel(timedelta(days=days, minutes=1)):
            assert (await (await opened(olga)).post(PATH, data=wish)).status_code == 409
    second = await people.colleague(olga, "Otto")
    change = "update staff_user set role = %s where account_id = %s and id = %s"
    await inst.db.run(olga.account_id, (change, ["owner", olga.account_id, second.staff_user_id]))
    with travel(timedelta(days=3, minutes=1)):
        alone = await (await opened(olga)).post(PATH, data=wish)
        assert alone.status_code == 409 and "second person" in alone.text
        assert await is_there(inst, bea)
        await inst.db.run(olga.account_id, (change, ["staff", olga.account_id, second.staff_user_id]))
        assert (await (await opened(olga)).post(PATH, data=wish)).status_code == 200
    assert not await is_there(inst, bea)


async def test_the_link_in_the_letter_stops_it_for_good_and_is_good_once(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await protected(inst, opened, bea)
    await press(await opened(olga), "begin")
    page = (await press(await opened(otto), "agree")).text
    wish = {"do": "carry-out", "wish": re.findall(r'name="wish" value="([^"]+)"', page + (await (await opened(olga)).get(PATH)).text)[0]}  # fmt: skip
    path, anybody = await stopping(inst, bea), await opened(None)
    looked = await anybody.get(path)
    assert (
        looked.status_code == 200 and await email_of(inst, bea) in (await (await opened(olga)).get(PATH)).text
    )
    assert "It is stopped" in (await anybody.post(path)).text
    for answer in (
        await anybody.post(path),
        await anybody.get(path),
        await anybody.post("/wish/stop/made-up"),
    ):
        assert answer.status_code == 410
    with travel(DAY):
        assert (await (await opened(olga)).post(PATH, data=wish)).status_code == 400
        assert "None is open" in (await (await opened(olga)).get(PATH)).text
    assert await is_there(inst, bea)
    assert "They stopped it by the link" in await conversation(opened, olga)


async def test_a_link_stops_nothing_but_its_own_wish_and_nothing_that_is_done(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await protected(inst, opened, bea, "deactivate")
    await press(await opened(olga), "begin")
    await press(await opened(otto), "agree")
    path = await stopping(inst, bea)
    await wishes(inst, opened, ada, "correct", "The name is wrong.")
    with travel(DAY):
        await press(await opened(olga), "carry-out")
        assert (await (await opened(None)).post(path)).status_code == 410
        assert await email_of(inst, ada) in (await (await opened(olga)).get(PATH)).text


async def test_a_last_owner_is_told_what_comes_first_and_is_deleted_by_nobody(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, otto: Staff
) -> None:
    await wishes(inst, opened, ada)
    hers = await opened(olga)
    page = (await hers.get(PATH)).text
    assert "hand it over, or close it, first" in page and 'value="begin"' not in page
    wish = about(page, "first")
    refused = await hers.post(PATH, data=wish | {"do": "begin"})
    assert refused.status_code == 409 and "last owner" in refused.text
    assert (await hers.post(PATH, data=wish)).status_code == 200
    letter = await letter_to(inst, ada)
    assert letter.header("subject") == "What has to happen first" and "Hand it over" in letter.text
    change = "update staff_user set role = %s where account_id = %s and id = %s"
    await inst.db.run(ada.account_id, (change, ["owner", ada.account_id, bea.staff_user_id]))
    await press(hers, "begin")
    await press(await opened(otto), "agree")
    await inst.db.run(ada.account_id, (change, ["staff", ada.account_id, bea.staff_user_id]))
    with travel(DAY):
        late = await (await opened(olga)).post(PATH, data=wish | {"do": "carry-out"})
        assert late.status_code == 409 and "last owner" in late.text
    assert await is_there(inst, ada)


async def test_nobody_carries_out_their_own_wish(
    inst: Installation, opened: Open, people: People, olga: Staff, otto: Staff
) -> None:
    await wishes(inst, opened, otto)
    his = await opened(otto)
    page = (await his.get(PATH)).text
    assert "Your own" in page and 'value="begin"' not in page
    wish = {"wish": about((await (await opened(olga)).get(PATH)).text, "begin")["wish"]}
    assert (await his.post(PATH, data=wish | {"do": "begin"})).status_code == 403
    await press(await opened(olga), "begin")
    assert (await his.post(PATH, data=wish | {"do": "agree"})).status_code == 403
    with travel(timedelta(days=4)):
        assert (await (await opened(otto)).post(PATH, data=wish | {"do": "carry-out"})).status_code == 409
    assert await is_there(inst, otto)


async def test_where_the_letter_does_not_leave_nothing_was_begun(
    inst: Installation, opened: Open, bea: Staff, olga: Staff, otto: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await protected(inst, opened, bea)
    with monkeypatch.context() as broken:

        async def lost(*_: object, **__: object) -> str:
            return "unreachable"

        broken.setattr(by_people, "write_to", lost)
        page = await press(await opened(olga), "begin")
    assert page.status_code == 503 and "Not begun" in page.text
    wish = {"wish": about(page.text, "begin")["wish"]}
    assert (await (await opened(otto)).post(PATH, data=wish | {"do": "agree"})).status_code == 409
    with travel(timedelta(days=4)):
        assert (await (await opened(otto)).post(PATH, data=wish | {"do": "carry-out"})).status_code == 409
    assert await is_there(inst, bea) and (await press(await opened(olga), "begin")).status_code == 200


async def test_owners_of_other_accounts_and_the_operators_staff_find_nothing_there(
    inst: Installation, opened: Open, ada: Staff, bea: Staff, olga: Staff, people: People
) -> None:
    await protected(inst, opened, bea)
    wish = about((await (await opened(olga)).get(PATH)).text, "begin")
    await with_app(inst, ada)
    uwe = await people.colleague(olga, "Uwe")
    await with_app(inst, uwe)
    for who in (None, ada, bea, uwe):
        browser = await opened(who)
        made_up = await browser.get("/operator/made-up")
        for answer in (await browser.get(PATH), await browser.post(PATH, data=wish)):
            assert answer.status_code == 404 and answer.content == made_up.content
    assert "Not begun" in (await (await opened(olga)).get(PATH)).text


async def test_without_a_second_factor_lately_proven_nothing_begins(
    inst: Installation, opened: Open, bea: Staff, olga: Staff, people: People
) -> None:
    await protected(inst, opened, bea)
    wish = about((await (await opened(olga)).get(PATH)).text, "begin")
    with travel(timedelta(minutes=-20)):
        stale = await opened(olga)
    asked = await stale.post(PATH, data=wish)
    assert "proof_code" in asked.text
    assert "Not begun" in (await (await opened(olga)).get(PATH)).text


@pytest.mark.parametrize(
    "row",
    [
        "first_by = %(one)s, link_id = %(one)s, second_by = %(one)s",
        "first_by = person_id, link_id = %(one)s",
        "first_by = %(one)s, link_id = %(one)s, second_by = person_id",
        "first_by = %(one)s, link_id = %(one)s, told_at = now(), opens_at = now() + interval '23 hours'",
        "carried_at = now()",
        "first_by = %(one)s, link_id = %(one)s, told_at = now(), opens_at = now() + interval '1 day', carried_at = now() + interval '2 days'",
        "done_at = now()",
    ],
)
async def test_the_database_itself_lets_nobody_do_it_alone_at_once_or_to_themselves(
    inst: Installation, opened: Open, bea: Staff, olga: Staff, above: psycopg.Connection, row: str
) -> None:
    await protected(inst, opened, bea)
    with pytest.raises(psycopg.errors.CheckViolation), above.transaction():
        above.execute(
            f"update directory.wish set {row} where person_id = %(who)s",  # type: ignore[arg-type]
            {"one": new_id(), "who": bea.person_id},
        )


async def test_a_password_alone_is_no_way_around_the_wait(
    inst: Installation, opened: Open, bea: Staff, olga: Staff, otto: Staff, new_browser: NewBrowser
) -> None:
    """Until it is carried out they sign in as ever."""
    await protected(inst, opened, bea)
    await press(await opened(olga), "begin")
    form = {"email": await email_of(inst, bea), "password": PASSWORD}
    assert 'name="step"' in (await new_browser().post("/sign-in", data=form)).text
