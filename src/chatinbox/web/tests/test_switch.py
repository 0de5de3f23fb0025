"""Somebody who works in several accounts goes from one to another, and no account learns of the others."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts import colleagues, invite, people, roles, sessions, switch
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

NewBrowser = Callable[[], Browser]


@pytest.fixture
async def both(inst: Installation, ada: Staff, cyd: Staff) -> Staff:
    """Ada, who also works in Cyd's account; as she is there."""
    return await join(inst, cyd.account_id, ada.person_id, "staff")


async def session_of(inst: Installation, browser: Browser) -> Session:
    """What the browser was given last; what a test put there names no host."""
    token = max(
        (cookie for cookie in browser.cookies.jar if cookie.name == "session"), key=lambda one: one.domain
    )
    session = await sessions.session_for(inst, token.value or "")
    assert session
    return session


def go(account_id: UUID) -> dict[str, str]:
    return {"do": "switch", "id": str(account_id)}


async def test_one_goes_to_another_account_and_the_session_until_then_ends(
    inst: Installation, ada: Staff, cyd: Staff, both: Staff, client: Browser
) -> None:
    role = await roles.create_role(inst, cyd, "Night desk", ["answer"])
    await colleagues.set_role(inst, cyd, both.staff_user_id, str(role))
    await client.as_(ada)
    before = client.cookies["session"]
    page = (await client.get("/settings/accounts")).text
    assert (
        "Night desk" in page
        and "Ada&#39;s Tea" in page
        and "Cyd&#39;s Coffee" in page
        and page.count("Go there") == 1
    )
    answer = await client.post("/settings/accounts", data=go(cyd.account_id))
    assert answer.status_code == 303 and answer.headers["location"] == "/inbox"
    assert (await session_of(inst, client)).staff.permissions == {"answer"}
    assert await sessions.session_for(inst, before) is None


async def test_nobody_else_sees_where_somebody_works(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, both: Staff, new_browser: NewBrowser
) -> None:
    assert '"elsewhere":true' in (await (await new_browser().as_(ada)).get("/inbox")).text
    for other, company in ((bea, "Cyd"), (cyd, "Ada")):
        browser = await new_browser().as_(other)
        assert '"elsewhere":false' in (await browser.get("/inbox")).text
        page = (await browser.get("/settings/accounts")).text
        assert page.count("Go there") == 0 and f"{company}&#39;s" not in page
        foreign, made_up = [
            await browser.post("/settings/accounts", data=go(account_id))
            for account_id in ((cyd if other is bea else ada).account_id, new_id())
        ]
        assert foreign.status_code == 404 and foreign.content == made_up.content
        assert (await session_of(inst, browser)).staff.account_id == other.account_id


async def test_going_elsewhere_makes_a_session_neither_younger_nor_better_proven(
    inst: Installation, ada: Staff, cyd: Staff, both: Staff
) -> None:
    with clock.travel(-timedelta(days=9)):
        token = await sessions.start(inst, ada, "Firefox on Linux", how="passkey")
    before = await sessions.session_for(inst, token)
    assert before
    after = await sessions.session_for(inst, await switch.switch(inst, before, cyd.account_id))
    assert after and after.staff.account_id == cyd.account_id
    assert (after.created_at, after.proven_at, after.how) == (before.created_at, before.proven_at, "passkey")
    [listed] = await sessions.list_sessions(inst, ada.person_id)
    assert listed.device == "Firefox on Linux"


async def test_what_a_company_vouched_for_is_good_in_its_account_alone(
    inst: Installation, ada: Staff, cyd: Staff, both: Staff, client: Browser
) -> None:
    client.cookies.set("session", await sessions.start(inst, ada, "tests", proven_elsewhere=True))
    answer = await client.post("/settings/accounts", data=go(cyd.account_id))
    assert answer.status_code == 403 and "good for its account alone" in answer.text
    assert (await session_of(inst, client)).staff == ada


async def test_an_account_with_a_sign_on_of_its_own_is_entered_by_that_alone(
    inst: Installation, ada: Staff, cyd: Staff, both: Staff, client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only_there(_inst: Installation, staff: Staff) -> bool:
        return staff.account_id == cyd.account_id

    monkeypatch.setattr(switch, "must_use_sso", only_there)
    await client.as_(ada)
    answer = await client.post("/settings/accounts", data=go(cyd.account_id))
    assert answer.status_code == 403 and (await session_of(inst, client)).staff == ada


async def test_who_is_signed_in_joins_without_a_password_and_nobody_else_does(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    email = (await people.read_person(inst, cyd.person_id)).email
    path = "/invitation/" + (await invite.invite(inst, ada, email, "viewer")).rsplit("/", 1)[1]
    vouched, beas, cyds = new_browser(), await new_browser().as_(bea), await new_browser().as_(cyd)
    vouched.cookies.set("session", await sessions.start(inst, cyd, "tests", proven_elsewhere=True))
    for other in (vouched, beas, new_browser()):
        assert "Join as" not in (await other.get(path)).text
        assert (await other.post(path, data={"do": "join"})).status_code == 403
    assert "Join as Cyd" in (await cyds.get(path)).text
    assert (await cyds.post(path, data={"do": "join"})).headers["location"] == "/inbox"
    here = (await session_of(inst, cyds)).staff
    assert (here.account_id, here.role, here.person_id) == (ada.account_id, "viewer", cyd.person_id)
    assert (await cyds.post(path, data={"do": "join"})).status_code != 303
