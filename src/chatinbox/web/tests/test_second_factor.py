"""Setting a second factor up, turning it off and losing it; and the account whose rule asks everybody for one."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import segno

from chatinbox.accounts import (
    authenticator,
    factors,
    passkeys,
    people,
    recovery_codes,
    second_factor,
    sessions,
)
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
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


async def test_secrets_lie_sealed_and_codes_hashed(inst: Installation, ada: Staff, cyd: Staff) -> None:
    secret, codes = await with_app(inst, ada)
    [(sealed, _)] = await inst.db.directory("select * from directory.read_authenticator(%s)", [ada.person_id])
    assert secret.encode() not in bytes(sealed)
    key, theirs = await inst.vault.person_key(ada.person_id), await inst.vault.person_key(cyd.person_id)
    assert key.open_text(sealed, NOBODY, "authenticator", "secret", ada.person_id) == secret
    plain = codes[0].replace("-", "")
    assert key.blind("recovery-code", plain) != theirs.blind("recovery-code", plain)


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
