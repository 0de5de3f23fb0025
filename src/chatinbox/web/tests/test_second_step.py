"""The second step over the real pages: codes, recovery codes, waiting, the account's rule; and what stays unsaid."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
import segno

from chatinbox.accounts import (
    authenticator,
    colleagues,
    factors,
    invite,
    offers,
    passkeys,
    people,
    recovery_codes,
    second_factor,
    second_step,
    sessions,
    sign_in,
)
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.links import make_link
from chatinbox.accounts.offers import Offered
from chatinbox.accounts.people import NOBODY
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.tests.test_accounts import bare

NewBrowser = Callable[[], Browser]
TWELVE = "vf7-kqz2wmTb"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(50, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(200, 600))


async def email_of(inst: Installation, staff: Staff) -> str:
    return (await people.read_person(inst, staff.person_id)).email


async def session_of(inst: Installation, staff: Staff) -> Session:
    session = await sessions.session_for(inst, await sessions.start(inst, staff, "tests"))
    assert session
    return session


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(now().timestamp()) + 30 * steps)


async def with_app(inst: Installation, staff: Staff) -> tuple[str, list[str]]:
    """Turns somebody's app on some minutes ago; its secret, and their recovery codes."""
    session = await session_of(inst, staff)
    with travel(timedelta(minutes=-5)):
        token = authenticator.begin(inst, staff.person_id)
        secret = authenticator.secret_of(inst, staff.person_id, token)
        codes = await second_factor.add_authenticator(inst, session, token, code(secret))
    return secret, codes


async def first_step(
    inst: Installation, browser: Browser, staff: Staff, password: str = PASSWORD
) -> httpx.Response:
    return await browser.post("/sign-in", data={"email": await email_of(inst, staff), "password": password})


def step_in(answer: httpx.Response) -> str:
    found = re.search(r'name="step" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


async def second(browser: Browser, step: str, **words: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"do": "second", "step": step} | words)


async def subjects(inst: Installation, staff: Staff) -> list[str]:
    return [one.header("subject") or "" for one in await list_kept(inst, staff)]


async def test_the_app_is_set_up_by_a_picture_and_a_code_and_then_the_password_alone_opens_nothing(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    browser, other = await new_browser().as_(ada), await new_browser().as_(ada)
    page = (await browser.post("/settings/security", data={"do": "scan"})).text
    [token] = re.findall(r'name="token" value="([^"]+)"', page)
    secret = authenticator.secret_of(inst, ada.person_id, token)
    person = await people.read_person(inst, ada.person_id)
    drawn = segno.make(authenticator.address(person, secret), error="m").svg_inline(
        scale=5, border=3, light="#fff", svgclass="qr", lineclass=None
    )
    assert drawn in page and "style=" not in drawn
    form = {"do": "turn-on", "token": token}
    wrong = await browser.post("/settings/security", data=form | {"code": code(secret, -9)})
    assert wrong.status_code == 422 and drawn in wrong.text  # the same picture: it is scanned already
    done = await browser.post("/settings/security", data=form | {"code": code(secret)})
    codes = re.findall(r"<li><code>([^<]+)</code>", done.text)
    assert len(set(codes)) == 10
    assert (await other.get("/api/list")).status_code == 401  # opened by a password alone, ended
    assert (await browser.get("/api/list")).status_code == 200
    assert "10 of 10" in (await browser.get("/settings/security")).text
    half = await first_step(inst, fresh := new_browser(), ada)
    assert half.status_code == 200 and "One more step" in half.text and not half.cookies
    assert (await fresh.get("/inbox")).headers["location"] == "/sign-in"
    with travel(timedelta(minutes=1)):
        half = await first_step(inst, fresh, ada)
        opened = await second(fresh, step_in(half), code=code(secret))
    assert opened.headers["location"] == "/inbox" and (await fresh.get("/inbox")).status_code == 200
    assert await subjects(inst, ada) == ["Your authenticator app was turned on"]
    assert await subjects(inst, cyd) == []


async def test_a_code_opens_once_and_a_neighbouring_half_minute_counts(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    secret, _ = await with_app(inst, ada)
    step = step_in(await first_step(inst, new_browser(), ada))
    before = code(secret, -1)
    assert (await second(new_browser(), step, code=code(secret, -2))).status_code == 422
    assert (await second(new_browser(), step, code=f"{before[:3]} {before[3:]}")).status_code == 303
    assert (await second(new_browser(), step, code=before)).status_code == 422
    assert (await second(new_browser(), step, code=code(secret, 1))).status_code == 303
    assert (await second(new_browser(), step, code=code(secret))).status_code == 422  # older than the last
    theirs, _ = await with_app(inst, cyd)
    with travel(timedelta(minutes=2)):
        assert (await second(new_browser(), step, code=code(theirs))).status_code == 422


async def test_recovery_codes_open_once_each_are_told_by_letter_and_new_ones_end_the_old(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    _, codes = await with_app(inst, ada)
    _, theirs = await with_app(inst, cyd)
    step = step_in(await first_step(inst, new_browser(), ada))
    assert (await second(new_browser(), step, recovery=theirs[0])).status_code == 422
    sloppy = codes[0].upper().replace("-", " ")
    assert (await second(new_browser(), step, recovery=sloppy)).status_code == 303
    assert (await second(new_browser(), step, recovery=codes[0])).status_code == 422
    assert "A recovery code was used" in await subjects(inst, ada)
    browser = await new_browser().as_(ada)
    assert "9 of 10" in (await browser.get("/settings/security")).text
    answer = await browser.post("/settings/security", data={"do": "new-codes"})
    fresh = re.findall(r"<li><code>([^<]+)</code>", answer.text)
    assert len(fresh) == 10 and not set(fresh) & set(codes)
    assert (await second(new_browser(), step, recovery=codes[1])).status_code == 422
    assert (await second(new_browser(), step, recovery=fresh[1])).status_code == 303


async def test_secrets_lie_sealed_and_codes_hashed(inst: Installation, ada: Staff, cyd: Staff) -> None:
    secret, codes = await with_app(inst, ada)
    [(sealed, _)] = await inst.db.directory("select * from directory.read_authenticator(%s)", [ada.person_id])
    assert secret.encode() not in bytes(sealed)
    key, theirs = await inst.vault.person_key(ada.person_id), await inst.vault.person_key(cyd.person_id)
    assert key.open_text(sealed, NOBODY, "authenticator", "secret", ada.person_id) == secret
    plain = codes[0].replace("-", "")
    assert key.blind("recovery-code", plain) != theirs.blind("recovery-code", plain)


async def test_which_second_factor_somebody_has_is_said_only_after_the_right_password(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    await with_app(inst, ada)
    answers = set()
    for email in (await email_of(inst, ada), await email_of(inst, bea), "nobody@mail.example"):
        form = {"email": email, "password": "wrong but long enough words"}
        answer = await new_browser().post("/sign-in", data=form)
        answers.add((answer.status_code, bare(answer).replace(email, ""), answer.headers.get("set-cookie")))
    assert len(answers) == 1


async def test_five_wrong_codes_and_one_waits_longer_each_time_and_a_restart_forgets_nothing(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await with_app(inst, ada)
    hers, _ = await with_app(inst, bea)
    step = step_in(await first_step(inst, new_browser(), ada))
    said = [(await second(new_browser(), step, code="000000")).status_code for _ in range(6)]
    assert said == [422] * 5 + [429]
    monkeypatch.setattr(forms, "by_name", Throttle(50, 600))  # as after a restart
    right = await second(new_browser(), step, code=code(secret))
    assert right.status_code == 429 and "Wait a minute" in right.text
    assert (await second(new_browser(), step, recovery="k7mq-2x9d-hw4t")).status_code == 429
    other = step_in(await first_step(inst, new_browser(), bea))
    assert (await second(new_browser(), other, code=code(hers))).status_code == 303
    waits = []
    with travel(timedelta(seconds=61)):
        assert (await second(new_browser(), step, code="000000")).status_code == 422
    for minutes in (2, 4, 8):
        free = await free_at(inst, ada)
        waits.append(round((free - now()).total_seconds() / 60))
        with travel(free - now() + timedelta(seconds=1)), pytest.raises(Refused, match="code"):
            await offers.take_second(inst, ada.person_id, Offered(code="000000"), "second")
        assert minutes
    assert waits[0] < waits[1] < waits[2]
    with travel(await free_at(inst, ada) - now() + timedelta(seconds=1)):
        await offers.take_second(inst, ada.person_id, Offered(code=code(secret)), "second")
        for _ in range(4):  # a right one begins anew
            with pytest.raises(Refused, match="code"):
                await offers.take_second(inst, ada.person_id, Offered(code="000000"), "second")


async def free_at(inst: Installation, staff: Staff) -> Any:
    [[free]] = await inst.db.directory(
        "select directory.take_code_try(%s, %s)", [staff.person_id, now() - timedelta(days=9)]
    )
    return free


async def test_guessing_for_weeks_gets_a_few_tries_a_day(inst: Installation, ada: Staff) -> None:
    tries, moment = 0, now()
    for _ in range(3 * 24 * 12):  # every five minutes for three days
        [[free]] = await inst.db.directory("select directory.take_code_try(%s, %s)", [ada.person_id, moment])
        tries, moment = tries + (free is None), moment + timedelta(minutes=5)
    assert 20 <= tries <= 35


async def test_half_a_sign_in_ends_with_its_time_its_password_and_its_place(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    secret, _ = await with_app(inst, ada)
    hers, _ = await with_app(inst, bea)
    step = step_in(await first_step(inst, new_browser(), ada))
    with travel(timedelta(minutes=11)):
        late = await second(new_browser(), step, code=code(secret))
    assert late.status_code == 410 and not late.cookies
    tampered = step[:50] + ("a" if step[50] != "a" else "b") + step[51:]
    for wrong in (tampered, "", "a" * 4000, inst.vault.mint("passkey second", b"x" * 64)):
        assert (await second(new_browser(), wrong, code=code(secret))).status_code == 410
    assert (await second(new_browser(), step, code=code(hers))).status_code == 422
    await people.set_password(inst, ada.person_id, "another one that she has chosen")
    assert (await second(new_browser(), step, code=code(secret))).status_code == 410
    step = step_in(await first_step(inst, new_browser(), bea))
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    assert (await second(new_browser(), step, code=code(hers))).status_code == 410


async def test_twelve_characters_do_beside_a_second_factor_and_turning_it_off_asks_for_longer_ones(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    change = {"do": "password", "old": PASSWORD, "password": TWELVE}
    beas = await new_browser().as_(bea)
    alone = await beas.post("/settings/security", data=change)
    assert alone.status_code == 422 and "at least 15" in alone.text
    await with_app(inst, ada)
    browser = await new_browser().as_(ada)
    assert "12 characters or more" in (await browser.get("/settings/security")).text
    assert "is changed" in (await browser.post("/settings/security", data=change)).text
    off = {"do": "turn-off"}
    assert (await browser.post("/settings/security", data=off)).status_code == 422
    wrong = await browser.post("/settings/security", data=off | {"alone": PASSWORD})
    assert wrong.status_code == 422 and "not your password" in wrong.text
    short = await browser.post("/settings/security", data=off | {"alone": TWELVE})
    assert short.status_code == 409 and "shorter than 15" in short.text
    assert (await factors.read_factors(inst, ada.person_id)).second
    longer = {"do": "password", "old": TWELVE, "password": TWELVE + "-x9"}
    await browser.post("/settings/security", data=longer)
    done = await browser.post("/settings/security", data=off | {"alone": TWELVE + "-x9"})
    assert done.status_code == 200
    assert await factors.read_factors(inst, ada.person_id) == factors.Factors(True, False, 0, 0)
    assert {"Your authenticator app was turned off", "Your password was changed"} <= set(
        await subjects(inst, ada)
    )


async def test_a_reset_link_knows_how_long_the_password_has_to_be_and_keeps_the_second_step(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    secret, _ = await with_app(inst, ada)
    for staff, words, status in ((ada, "12 characters", 303), (bea, "15 characters", 422)):
        path = f"/reset/{await make_link(inst, 'reset', staff.person_id)}"
        assert words in (await new_browser().get(path)).text
        assert (await new_browser().post(path, data={"password": TWELVE})).status_code == status
    half = await first_step(inst, browser := new_browser(), ada, TWELVE)
    assert (await second(browser, step_in(half), code=code(secret))).status_code == 303


CLOSED = [
    "/inbox",
    "/api/list",
    "/outbox",
    "/live",
    "/settings/profile",
    "/settings/people",
    "/settings/sessions",
]


async def test_who_has_no_second_factor_is_led_to_one_and_reaches_nothing_else_until_then(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    boss, beas = await new_browser().as_(ada), await new_browser().as_(bea)
    first = await boss.post("/settings/sign-in-rules", data={"do": "require"})
    assert first.status_code == 409 and "yourself first" in first.text
    await with_app(inst, ada)
    boss = await new_browser().as_(ada)
    assert (await boss.post("/settings/sign-in-rules", data={"do": "require"})).status_code == 200
    seen = (await boss.get("/settings/sign-in-rules")).text
    assert "1 of 2" in seen and seen.count("none yet") == 1
    assert (await beas.get("/api/list")).status_code == 200  # from the next sign-in
    browser = new_browser()
    assert (await first_step(inst, browser, bea)).headers["location"] == "/inbox"
    for path in CLOSED:
        answer = await browser.get(path)
        assert answer.status_code in (303, 401), path
        assert answer.headers.get("location", "/sign-in") in ("/sign-in", "/settings/security"), path
    assert (await browser.get("/sign-in")).headers["location"] == "/settings/security"
    asked = await browser.post("/settings/profile", data={"do": "rename", "name": "Mallory"})
    assert asked.headers["location"] == "/settings/security"
    assert (await people.read_person(inst, bea.person_id)).name == "Bea"
    page = (await browser.get("/settings/security")).text
    assert "asks everybody for a second factor" in page and "/settings/people" not in page
    scan = (await browser.post("/settings/security", data={"do": "scan"})).text
    [token] = re.findall(r'name="token" value="([^"]+)"', scan)
    hers = authenticator.secret_of(inst, bea.person_id, token)
    await browser.post("/settings/security", data={"do": "turn-on", "token": token, "code": code(hers)})
    assert (await browser.get("/inbox")).status_code == 200
    assert (await browser.get("/api/list")).status_code == 200
    off = await browser.post("/settings/security", data={"do": "turn-off", "alone": PASSWORD})
    assert off.status_code == 409 and "asks everybody" in off.text
    assert (await first_step(inst, his := new_browser(), cyd)).headers["location"] == "/inbox"
    assert (await his.get("/inbox")).status_code == 200  # another account's rule is not his


async def test_only_who_may_change_the_account_sets_the_rule_and_it_is_noted(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await with_app(inst, ada)
    await with_app(inst, bea)
    beas, boss = await new_browser().as_(bea), await new_browser().as_(ada)
    assert (await beas.get("/settings/sign-in-rules")).status_code == 303
    assert (await beas.post("/settings/sign-in-rules", data={"do": "require"})).status_code == 403
    await boss.post("/settings/sign-in-rules", data={"do": "require"})
    ask = "select what, staff_user_id from setting_change"
    [rows] = await inst.db.run(ada.account_id, (ask, []))
    assert rows == [("workspace.second_factor", ada.staff_user_id)]
    [others] = await inst.db.run(cyd.account_id, (ask, []))
    assert others == []


async def test_an_invitation_does_not_lead_around_the_second_step(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    secret, _ = await with_app(inst, cyd)
    address = await invite.invite(inst, ada, await email_of(inst, cyd), "staff")
    browser = new_browser()
    answer = await browser.post(address.removeprefix(inst.settings.public_url), data={"password": PASSWORD})
    assert "One more step" in answer.text and not answer.cookies
    assert (await second(browser, step_in(answer), code=code(secret))).status_code == 303
    session = await sessions.session_for(inst, browser.cookies["session"])
    assert session and session.staff.account_id == ada.account_id


async def test_who_has_no_password_proves_by_a_code_and_who_has_nothing_is_told_the_way(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    person_id = await people.add_person(inst, "Sol", f"sol{new_id().hex}@mail.example", None, True)
    assert person_id
    sol = await join(inst, ada.account_id, person_id, "staff")
    email = await email_of(inst, sol)
    tried = await new_browser().post("/sign-in", data={"email": email, "password": PASSWORD})
    assert tried.status_code == 422
    browser = await new_browser().as_(sol)
    await forget_proof(inst, sol)
    asked = await browser.post("/settings/security", data={"do": "scan"})
    assert "Sign in anew" in asked.text and "Your password" not in asked.text
    secret, _ = await with_app(inst, sol)
    browser = await new_browser().as_(sol)
    await forget_proof(inst, sol)
    form = {"do": "first-password", "password": TWELVE}
    assert "code of your authenticator app" in (await browser.post("/settings/security", data=form)).text
    wrong = await browser.post("/settings/security", data=form | {"proof_code": "000000"})
    assert wrong.status_code == 422 and not (await factors.read_factors(inst, person_id)).has_password
    await browser.post("/settings/security", data=form | {"proof_code": code(secret)})
    assert (await factors.read_factors(inst, person_id)).has_password
    taken = await browser.post("/settings/security", data=form | {"password": "another of twelve or more"})
    assert taken.status_code == 409  # the first one only: the next needs the present one


async def forget_proof(inst: Installation, staff: Staff) -> None:
    for one in await sessions.list_sessions(inst, staff.person_id):
        long_ago = now() - timedelta(minutes=16)
        await inst.db.directory("select directory.prove_session(%s, %s)", [one.id, long_ago])
    sessions._known.clear()


async def test_anothers_passkey_is_answered_like_a_made_up_one(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    row_id, key = new_id(), await inst.vault.person_key(ada.person_id)
    sealed = [
        key.seal(b"x", NOBODY, "passkey", name, row_id) for name in ("credential", "public_key", "name")
    ]
    await inst.db.directory(
        "select directory.add_passkey(%s, %s, %s, %s, %s, %s, %s, %s)",
        [row_id, ada.person_id, row_id.bytes, *sealed, 0, now()],
    )
    his, told = await new_browser().as_(cyd), set()
    for wrong in (str(row_id), str(new_id()), "not-an-id", ""):
        answer = await his.post("/settings/security", data={"do": "remove-passkey", "id": wrong})
        told.add((answer.status_code, bare(answer)))
    assert len(told) == 1 and len(await passkeys.read(inst, ada.person_id)) == 1


async def test_a_set_up_token_is_its_persons_and_ends(inst: Installation, ada: Staff, cyd: Staff) -> None:
    token = authenticator.begin(inst, ada.person_id)
    assert authenticator.secret_of(inst, ada.person_id, token)
    with pytest.raises(Refused):
        authenticator.secret_of(inst, cyd.person_id, token)
    with travel(timedelta(minutes=31)), pytest.raises(Refused):
        authenticator.secret_of(inst, ada.person_id, token)
    with pytest.raises(Refused):
        authenticator.secret_of(inst, ada.person_id, "made-up")


async def test_passkeys_need_a_name_and_tls(inst: Installation) -> None:
    def at(url: str) -> bool:
        return passkeys.are_possible(replace(inst, settings=replace(inst.settings, public_url=url)))

    assert at("https://inbox.example.com") and at("http://localhost:8000")
    assert not at("http://127.0.0.1:8000") and not at("https://[::1]") and not at("http://inbox.example.com")


async def test_no_row_is_written_by_looking(inst: Installation, new_browser: NewBrowser, ada: Staff) -> None:
    house = replace(inst, settings=replace(inst.settings, public_url="https://inbox.example.com"))
    await passkeys.ask(house, "open")
    await second_step.begin(house, ada)
    authenticator.begin(house, ada.person_id)
    assert await factors.read_factors(inst, ada.person_id) == factors.Factors(True, False, 0, 0)
    assert not (await new_browser().get("/sign-in")).cookies


def test_recovery_codes_have_no_letters_that_look_alike() -> None:
    assert not set("01ilou") & set(recovery_codes._LETTERS)
    assert len(set(recovery_codes._LETTERS)) ** recovery_codes._LENGTH > 2**58


async def test_an_operator_takes_away_what_is_lost_and_nobody_elses(
    inst: Installation, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    await with_app(inst, ada)
    await with_app(inst, cyd)
    open_one = await new_browser().as_(ada)
    await second_factor.take_away(inst, ada.person_id)
    assert await factors.read_factors(inst, ada.person_id) == factors.Factors(True, False, 0, 0)
    assert (await factors.read_factors(inst, cyd.person_id)).code_count == 10
    assert (await open_one.get("/api/list")).status_code == 401
    assert (await first_step(inst, new_browser(), ada)).headers["location"] == "/inbox"
    assert "Your second factors were taken away" in await subjects(inst, ada)


async def test_signing_in_by_the_operators_link_changes_nothing_about_the_second_step(
    inst: Installation, ada: Staff
) -> None:
    await with_app(inst, ada)
    link = await sign_in.reset_link(inst, await email_of(inst, ada))
    assert link
    await sign_in.reset_password(inst, link.rpartition("/")[2], TWELVE)
    entered = await sign_in.sign_in(inst, await email_of(inst, ada), TWELVE, "tests")
    assert isinstance(entered, second_step.Halfway)
