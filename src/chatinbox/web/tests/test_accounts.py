"""Signing up, in and out, over the real pages; and what a stranger cannot learn from them."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from chatinbox.accounts import colleagues, invite, links, people, sessions
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.setup import look_setup, set_up, setup_link
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import Kept, list_kept
from chatinbox.conftest import PASSWORD, Browser, fresh_database
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.web import forms
from chatinbox.web.settings import people_page

NewBrowser = Callable[[], Browser]


STRONG = "four unlikely words marching backwards"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with nobody counted."""
    monkeypatch.setattr(forms, "by_name", Throttle(10, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(60, 600))
    monkeypatch.setattr(people_page, "letters", Throttle(30, 3600))


def fresh() -> str:
    return f"p{new_id().hex[-12:]}@mail.example"


def bare(answer: httpx.Response) -> str:
    """A page without what is new on every page."""
    return re.sub(r'nonce="[^"]*"', "", answer.text)


async def letter_to(inst: Installation, staff: Staff) -> Kept:
    """The newest letter to somebody; it is written after the page was answered."""
    for _ in range(200):
        if letters := await list_kept(inst, staff):
            return letters[0]
        await asyncio.sleep(0.02)
    raise AssertionError("no letter came")


async def person_with(inst: Installation, email: str) -> Staff:
    """The owner of an account that was signed up for a moment ago."""
    for _ in range(200):
        person_id = await people.find_person(inst, email)
        rows = person_id and await inst.db.directory(
            "select account_id, staff_user_id from directory.memberships(%s)", [person_id]
        )
        if person_id and rows:
            return Staff(rows[0][0], rows[0][1], person_id, "owner", "")
        await asyncio.sleep(0.02)
    raise AssertionError("nobody signed up")


async def email_of(inst: Installation, staff: Staff) -> str:
    return (await people.read_person(inst, staff.person_id)).email


async def test_sign_up_sends_a_link_that_confirms_and_then_one_can_sign_in(
    inst: Installation, guest: NewBrowser
) -> None:
    browser, email = guest(), fresh()
    form = {"name": "Frida Berg", "email": email, "company": f"Frida {email}", "password": STRONG}
    assert (await browser.post("/sign-up", data=form)).status_code == 200
    sign_in = {"email": email, "password": STRONG}
    await person_with(inst, email)
    assert (await browser.post("/sign-in", data=sign_in)).status_code == 403
    letter = await letter_to(inst, await person_with(inst, email))
    path = re.search(r"/confirm/\S+", letter.text)
    assert path and letter.header("auto-submitted") == "auto-generated"
    assert "Confirm" in (await browser.get(path[0])).text
    assert (await browser.post(path[0], data={"password": "another's guess of it"})).status_code == 422
    assert (await browser.post("/sign-in", data=sign_in)).status_code == 403
    answer = await browser.post(path[0], data={"password": STRONG})
    assert answer.headers["location"] == "/inbox"
    assert (await guest().post(path[0], data={"password": STRONG})).status_code == 410
    answer = await browser.post("/sign-in", data=sign_in)
    assert answer.headers["location"] == "/inbox"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert (await browser.get("/inbox")).status_code == 200


@pytest.mark.parametrize("page", ["/sign-in", "/reset", "/sign-up"])
async def test_a_known_and_an_unknown_address_get_the_same_bytes(
    inst: Installation, guest: NewBrowser, ada: Staff, page: str
) -> None:
    answers = []
    for email in (await email_of(inst, ada), fresh()):
        form = {"email": email, "password": "wrong but long enough words", "name": "N", "company": "C"}
        answer = await guest().post(page, data=form)
        answers.append(
            (answer.status_code, bare(answer).replace(email, ""), answer.headers.get("set-cookie"))
        )
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "passwordpassword"),
        ("password", "aaaaaaaaaaaaaaaaaaaa"),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a b@c.example"),
        ("name", "  "),
        ("company", ""),
    ],
)
async def test_what_cannot_be_kept_is_said_at_its_field(guest: NewBrowser, field: str, value: str) -> None:
    form = {"name": "F", "email": fresh(), "company": "C", "password": STRONG} | {field: value}
    answer = await guest().post("/sign-up", data=form)
    assert answer.status_code == 422 and f'id="h-{field}" class="bad"' in answer.text
    assert STRONG not in answer.text


async def test_a_session_that_ends_takes_everything_with_it_at_once(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    one, other = await new_browser().as_(ada), await new_browser().as_(ada)
    ended: list[object] = []
    sessions.on_end(ended.append)
    page = await one.get("/settings/sessions")
    assert page.text.count("<form") >= 2
    listed = await sessions.list_sessions(inst, ada.person_id)
    mine = await sessions.session_for(inst, one.cookies["session"])
    assert mine and len(listed) == 2
    foreign = next(one.id for one in listed if one.id != mine.session_id)
    assert (await one.post("/settings/sessions", data={"do": "end", "id": str(foreign)})).status_code == 200
    assert (await other.get("/api/list")).status_code == 401 and ended == [foreign]
    assert (await one.get("/api/list")).status_code == 200
    assert (await one.post("/sign-out")).headers["location"] == "/sign-in"
    assert (await one.get("/api/list")).status_code == 401


async def test_nobody_ends_anothers_session(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    hers, his = await new_browser().as_(ada), await new_browser().as_(cyd)
    [session] = await sessions.list_sessions(inst, ada.person_id)
    await his.post("/settings/sessions", data={"do": "end", "id": str(session.id)})
    assert (await hers.get("/api/list")).status_code == 200


async def test_a_forgotten_password_is_set_anew_by_a_link_once_and_ends_every_session(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    old, browser = await new_browser().as_(ada), new_browser()
    await browser.post("/reset", data={"email": await email_of(inst, ada)})
    first = await letter_to(inst, ada)
    await browser.post("/reset", data={"email": await email_of(inst, ada)})
    while (newest := await letter_to(inst, ada)).id == first.id:
        await asyncio.sleep(0.02)
    path, other = re.search(r"/reset/\S+", first.text), re.search(r"/reset/\S+", newest.text)
    assert path and other and path[0] != other[0]
    assert (await browser.post(path[0], data={"password": "short"})).status_code == 422
    assert (await browser.post(path[0], data={"password": STRONG})).headers["location"].startswith("/sign-in")
    assert (await browser.post(path[0], data={"password": STRONG + " again"})).status_code == 410
    assert (await browser.post(other[0], data={"password": STRONG + " again"})).status_code == 410
    assert (await old.get("/api/list")).status_code == 401
    email = await email_of(inst, ada)
    assert (await browser.post("/sign-in", data={"email": email, "password": PASSWORD})).status_code == 422
    assert (await browser.post("/sign-in", data={"email": email, "password": STRONG})).status_code == 303


async def test_an_invitation_brings_somebody_in_once_and_can_be_withdrawn(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    address = await invite.invite(inst, ada, email := fresh(), "staff")
    path = address.removeprefix(inst.settings.public_url)
    browser = new_browser()
    assert email in (await browser.get(path)).text
    answer = await browser.post(path, data={"name": "Dora New", "password": STRONG})
    assert answer.headers["location"] == "/inbox"
    assert "Dora New" in {one.name for one in await read_staff(inst, ada.account_id)}
    assert "Dora New" not in {one.name for one in await read_staff(inst, cyd.account_id)}
    assert (await new_browser().get(path)).status_code == 410
    other = await invite.invite(inst, ada, fresh(), "staff")
    [open_one] = await invite.list_invitations(inst, ada)
    with pytest.raises(Refused):
        await invite.withdraw(inst, cyd, open_one.id)
    await invite.withdraw(inst, ada, open_one.id)
    assert (await new_browser().get(other.removeprefix(inst.settings.public_url))).status_code == 410


async def test_only_owners_change_people_and_one_owner_always_stays(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    hers, beas, cyds = [await new_browser().as_(who) for who in (ada, bea, cyd)]
    change = {"do": "deactivate", "id": str(ada.staff_user_id)}
    assert (await beas.post("/settings/people", data=change)).status_code == 403
    assert (
        await cyds.post("/settings/people", data=change | {"id": str(bea.staff_user_id)})
    ).status_code == 404
    assert (await hers.post("/settings/people", data=change)).status_code == 409
    assert (
        await hers.post("/settings/people", data=change | {"id": str(bea.staff_user_id)})
    ).status_code == 200
    assert (await beas.get("/api/list")).status_code == 401
    assert "Former colleague 2" in {one.name for one in await read_staff(inst, ada.account_id)}
    assert "Bea" not in (await cyds.get("/settings/people")).text


async def test_too_many_tries_are_asked_to_wait_and_others_are_not(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    form = {"email": await email_of(inst, ada), "password": "wrong but long enough words"}
    codes = [(await new_browser().post("/sign-in", data=form)).status_code for _ in range(12)]
    assert codes[0] == 422 and codes[-1] == 429
    right = {"email": await email_of(inst, cyd), "password": PASSWORD}
    assert (await new_browser().post("/sign-in", data=right)).status_code == 303


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_a_form_from_elsewhere_is_not_carried_out(
    new_browser: NewBrowser, ada: Staff, headers: dict[str, str]
) -> None:
    browser = await new_browser().as_(ada)
    assert (await browser.post("/sign-out", headers=headers)).status_code == 403
    assert (await browser.get("/api/list")).status_code == 200


async def test_every_page_is_strict_about_what_it_loads(new_browser: NewBrowser, ada: Staff) -> None:
    browser = await new_browser().as_(ada)
    for page in (
        "/inbox",
        "/settings/profile",
        "/settings/people",
        "/settings/channels",
        "/outbox",
        "/reset",
    ):
        answer = await browser.get(page)
        policy = answer.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy
            and "frame-ancestors 'none'" in policy
            and "unsafe-eval" not in policy
        )
        assert re.search(r"script-src[^;]*'unsafe-inline'", policy) is None
        assert (
            answer.headers["cache-control"] == "no-store"
            and answer.headers["x-content-type-options"] == "nosniff"
        )
        named = re.findall(r'(?:src|href)="((?:https?:)?//[^"]*)', answer.text)
        assert [url for url in named if not url.startswith("http://127.0.0.1:8000/chat/")] == [], page


async def test_a_link_to_somebody_is_in_nobody_elses_outbox(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await join(inst, ada.account_id, cyd.person_id, "staff")
    for who in (ada, cyd):
        await new_browser().post("/reset", data={"email": await email_of(inst, who)})
    letter = await letter_to(inst, ada)
    beas = await new_browser().as_(bea)
    assert await list_kept(inst, bea) == []
    made_up = await beas.get(f"/outbox/{new_id()}")
    foreign = await beas.get(f"/outbox/{letter.id}")
    assert (foreign.status_code, foreign.headers["location"]) == (303, made_up.headers["location"])
    assert "/reset/" not in (await beas.get("/outbox")).text
    assert "/reset/" in (await (await new_browser().as_(ada)).get(f"/outbox/{letter.id}")).text


async def test_an_invitation_ends_with_the_role_of_who_gave_it(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    admin = replace(bea, role="admin")
    address = await invite.invite(inst, admin, fresh(), "admin")
    path = address.removeprefix(inst.settings.public_url)
    assert (await new_browser().get(path)).status_code == 200
    await colleagues.set_role(inst, ada, bea.staff_user_id, "staff")
    assert (await new_browser().get(path)).status_code == 410


async def test_a_weak_password_does_not_use_an_invitation_up(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    address = await invite.invite(inst, ada, fresh(), "staff")
    path = address.removeprefix(inst.settings.public_url)
    browser = new_browser()
    assert (await browser.post(path, data={"name": "Dora", "password": "short"})).status_code == 422
    assert (await browser.post(path, data={"name": "Dora", "password": STRONG})).status_code == 303
    address = await invite.invite(inst, ada, await email_of(inst, cyd), "staff")
    path = address.removeprefix(inst.settings.public_url)
    assert (await browser.post(path, data={"password": "not Cyd's password"})).status_code == 422
    assert (await browser.post(path, data={"password": PASSWORD})).status_code == 303


async def test_noise_at_the_door_keeps_nobody_out_and_an_account_cannot_flood_with_invitations(
    new_browser: NewBrowser, ada: Staff
) -> None:
    throttle, moment = Throttle(2, 600), time.monotonic()
    with patch("time.monotonic", lambda: moment), contextlib.suppress(Refused):
        for _ in range(50):
            throttle.take("ada")
    with patch("time.monotonic", lambda: moment + 301):
        throttle.take("ada")
    browser = await new_browser().as_(ada)
    form = {"do": "invite", "role": "staff"}
    codes = {
        (await browser.post("/settings/people", data=form | {"email": fresh()})).status_code
        for _ in range(31)
    }
    assert codes == {200, 429}


async def test_under_tls_only_the_pinned_cookie_counts(inst: Installation) -> None:
    secure = replace(inst, settings=replace(inst.settings, public_url="https://inbox.example"))
    assert sessions.token_of(secure, {"session": "planted by a neighbour"}) is None
    assert sessions.token_of(secure, {"__Host-session": "ours", "session": "planted"}) == "ours"


async def test_the_first_set_up_link_that_is_used_ends_all_of_them(cluster: Cluster, tmp_path: Path) -> None:
    settings = replace(Settings(), data=tmp_path, public_url="http://127.0.0.1:8000")
    inst = await Installation.open(settings, fresh_database(cluster, f"test_{new_id().hex}"))
    try:
        tokens = [(await setup_link(inst) or "").rpartition("/")[2] for _ in range(2)]
        with pytest.raises(Refused, match="password"):
            await set_up(inst, tokens[0], "Ada", "ada@staff.example", "Tea", "short")
        tried = [
            set_up(inst, token, "Ada", f"ada{number}@staff.example", "Tea", STRONG)
            for number, token in enumerate(tokens)
        ]
        done = await asyncio.gather(*tried, return_exceptions=True)
        assert sorted(type(one).__name__ for one in done) == ["Refused", "SignedUp"]
        for token in tokens:
            with pytest.raises(Refused, match="link"):
                await look_setup(inst, token)
        assert await setup_link(inst) is None
    finally:
        await inst.close()


async def test_no_set_up_link_is_made_once_somebody_is_here(inst: Installation, ada: Staff) -> None:
    assert await setup_link(inst) is None


async def test_a_link_is_good_for_its_purpose_alone(inst: Installation, ada: Staff) -> None:
    token = await links.make_link(inst, "confirm", ada.person_id)
    for purpose in ("reset", "invitation", "setup"):
        with pytest.raises(Refused):
            await links.look(inst, purpose, token)  # type: ignore[arg-type]
    assert (await links.use(inst, "confirm", token)).person_id == ada.person_id


async def test_one_person_in_two_accounts_is_one_sign_in_and_two_names(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    joined = await join(inst, cyd.account_id, ada.person_id, "staff")
    assert joined.staff_user_id != ada.staff_user_id
    with pytest.raises(Refused):
        await join(inst, cyd.account_id, ada.person_id, "staff")
