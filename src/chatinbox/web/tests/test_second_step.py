"""The second step at the door: codes, recovery codes, waiting, half a sign-in; and what stays unsaid."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chatinbox.accounts import (
    authenticator,
    colleagues,
    factors,
    invite,
    offers,
    passkeys,
    people,
    second_step,
    sessions,
    sign_in,
)
from chatinbox.accounts.links import make_link
from chatinbox.accounts.offers import Offered
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.conftest import PASSWORD
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.tests.second_factor import (
    TWELVE,
    code,
    first_step,
    second,
    step_in,
    subjects,
    with_app,
)
from chatinbox.web.tests.test_accounts import NewBrowser, bare, email_of


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


async def test_no_row_is_written_by_looking(inst: Installation, new_browser: NewBrowser, ada: Staff) -> None:
    house = replace(inst, settings=replace(inst.settings, public_url="https://inbox.example.com"))
    await passkeys.ask(house, "open")
    await second_step.begin(house, ada)
    authenticator.begin(house, ada.person_id)
    assert await factors.read_factors(inst, ada.person_id) == factors.Factors(True, False, 0, 0)
    assert not (await new_browser().get("/sign-in")).cookies


async def test_signing_in_by_the_operators_link_changes_nothing_about_the_second_step(
    inst: Installation, ada: Staff
) -> None:
    await with_app(inst, ada)
    link = await sign_in.reset_link(inst, await email_of(inst, ada))
    assert link
    await sign_in.reset_password(inst, link.rpartition("/")[2], TWELVE)
    entered = await sign_in.sign_in(inst, await email_of(inst, ada), TWELVE, "tests")
    assert isinstance(entered, second_step.Halfway)
