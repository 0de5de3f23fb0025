"""Whatever is refused at a door leaves one line in the log: what was wrong and where, and nothing of whoever it was or sent it."""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from PIL import Image
from structlog.testing import capture_logs

from chatinbox.accounts import invite, passkeys, people, sign_in
from chatinbox.accounts.links import make_link
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.refusals import REASONS
from chatinbox.web.tests.refused import told
from chatinbox.web.tests.second_factor import TWELVE, first_step, second, step_in, with_app

CANARY = "canary.zq7"


@pytest.fixture(scope="module")
def named(inst: Installation) -> Installation:
    """Where passkeys and bills are possible."""
    words = {
        "public_url": "http://localhost:8000", "files_url": "http://127.0.0.1:8000",
        "stripe_secret_key": "sk_of_a_test", "stripe_webhook_secret": "whsec_of_a_test",
    }  # fmt: skip
    return replace(inst, settings=replace(inst.settings, **words))


@pytest.fixture(scope="module")
async def named_app(named: Installation) -> App:
    return await build(named)


@dataclass
class At:
    """Ada's account and a browser, in which nobody is signed in until somebody is."""

    inst: Installation
    browser: Browser
    ada: Staff
    bea: Staff
    cyd: Staff


Tries = Callable[[At], Awaitable[Callable[[], Awaitable[httpx.Response]]]]


async def _reset(at: At, staff: Staff) -> str:
    link = await sign_in.reset_link(at.inst, (await people.read_person(at.inst, staff.person_id)).email)
    assert link
    return "/reset/" + link.rpartition("/")[2]


async def used(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    path = await _reset(at, at.ada)
    assert (await at.browser.post(path, data={"password": TWELVE * 2})).status_code == 303
    return lambda: at.browser.post(path, data={"password": CANARY * 3})


async def expired(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    path = await _reset(at, at.ada)

    async def later() -> httpx.Response:
        with travel(timedelta(hours=2)):
            return await at.browser.get(path)

    return later


async def foreign(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    token = await make_link(at.inst, "wish", person_id=at.ada.person_id)
    return lambda: at.browser.get(f"/reset/{token}")


async def altered(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    path = await _reset(at, at.ada)
    return lambda: at.browser.get(path[:-1] + ("x" if path[-1] != "x" else "y"))


async def withdrawn(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    link = await invite.invite(at.inst, at.ada, f"{CANARY}@mail.example", "staff")
    [open_] = await invite.list_invitations(at.inst, at.ada)
    await invite.withdraw(at.inst, at.ada, open_.id)
    return lambda: at.browser.post("/" + link.split("/", 3)[3], data={"name": CANARY, "password": TWELVE * 2})


async def address(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    return lambda: at.browser.post(f"/address/{CANARY}")


async def request(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    return lambda: at.browser.get(f"/my-data/{CANARY}")


async def wrong_password(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    return lambda: at.browser.post("/sign-in", data={"email": f"{CANARY}@mail.example", "password": CANARY})


async def present_password(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)
    words = {"do": "password", "old": CANARY, "password": CANARY * 3}
    return lambda: at.browser.post("/settings/security", data=words)


async def proof(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)

    async def later() -> httpx.Response:
        with travel(timedelta(minutes=20)):
            words = {"do": "address", "email": f"{CANARY}@mail.example", "proof": CANARY}
            return await at.browser.post("/settings/profile", data=words)

    return later


async def app_code(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await with_app(at.inst, at.bea)
    step = step_in(await first_step(at.inst, at.browser, at.bea))
    return lambda: second(at.browser, step, code="000000")


async def recovery_code(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    _, codes = await with_app(at.inst, at.bea)
    assert (
        await second(at.browser, step_in(await first_step(at.inst, at.browser, at.bea)), recovery=codes[0])
    ).status_code == 303
    at.browser.cookies.clear()
    step = step_in(await first_step(at.inst, at.browser, at.bea))
    return lambda: second(at.browser, step, recovery=codes[0])  # once is all


async def half_a_sign_in(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await with_app(at.inst, at.bea)
    step = step_in(await first_step(at.inst, at.browser, at.bea))
    return lambda: second(at.browser, step[:-2] + "AA", code="123456")


async def passkey(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    question = await passkeys.ask(at.inst, "open")
    words = {"do": "passkey", "challenge": question.token, "answer": f'{{"id": "{CANARY}"}}'}
    return lambda: at.browser.post("/sign-in", data=words)


async def scanned_code(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)
    return lambda: at.browser.post("/settings/security", data={"do": "turn-on", "token": CANARY, "code": "1"})


def _upload(browser: Browser, content: bytes) -> Awaitable[httpx.Response]:
    files = {"photo": (f"{CANARY}.png", content, "image/png")}
    return browser.post("/settings/profile", data={"do": "photo"}, files=files)


async def no_picture(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)
    return lambda: _upload(at.browser, b"%PDF-1.7 " + CANARY.encode())


async def bomb(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return lambda: _upload(at.browser, out.getvalue())


async def forged(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    heads = {"stripe-signature": f"t=1,v1={CANARY}"}
    body = b'{"id": "evt_1", "object": "event", "note": "' + CANARY.encode() + b'"}'
    return lambda: at.browser.post("/webhooks/stripe", content=body, headers=heads)


async def program(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    heads = {"authorization": f"Bearer {CANARY}"}
    return lambda: at.browser.get("/scim/v2/Users", headers=heads)


async def file_link(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    path = f"http://127.0.0.1:8000/files/{new_id()}?k={CANARY}"
    return lambda: at.browser.get(path)


async def face_link(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    link = at.inst.links.face(at.ada.account_id, new_id())
    return lambda: at.browser.get(f"http://127.0.0.1:8000/faces/{new_id()}?{link.partition('?')[2]}")


async def other_site(at: At) -> Callable[[], Awaitable[httpx.Response]]:
    await at.browser.as_(at.bea)
    heads = {"origin": f"https://{CANARY}.example"}
    return lambda: at.browser.post("/settings/profile", data={"do": "rename", "name": CANARY}, headers=heads)


CASES: dict[str, tuple[Tries, str, str, int]] = {
    "a link that was used": (used, "link", "/reset/{token}", 410),
    "a link that has expired": (expired, "link", "/reset/{token}", 410),
    "a link that is for something else": (foreign, "link", "/reset/{token}", 410),
    "a link with another letter": (altered, "link", "/reset/{token}", 410),
    "an invitation that was withdrawn": (withdrawn, "link", "/invitation/{token}", 410),
    "an address that was never asked for": (address, "link", "/address/{token}", 410),
    "a request that was never asked for": (request, "link", "/my-data/{token}", 410),
    "a wrong password": (wrong_password, "sign_in", "/sign-in", 422),
    "a wrong present password": (present_password, "old", "/settings/{page}", 422),
    "a wrong proof": (proof, "proof", "/settings/{page}", 422),
    "a wrong code of the app": (app_code, "code", "/sign-in", 422),
    "a recovery code again": (recovery_code, "recovery", "/sign-in", 422),
    "half a sign-in that was altered": (half_a_sign_in, "second_step", "/sign-in", 410),
    "a passkey that opens nothing": (passkey, "passkey", "/sign-in", 422),
    "an app that was never scanned": (scanned_code, "authenticator", "/settings/{page}", 410),
    "a file that is no picture": (no_picture, "photo", "/settings/{page}", 422),
    "a picture that explodes": (bomb, "photo", "/settings/{page}", 422),
    "a message the payment provider did not sign": (forged, "not_signed", "/webhooks/stripe", 400),
    "a program with a made-up token": (program, "token", "/scim/v2/Users", 401),
    "a file by a made-up link": (file_link, "file_link", "/files/{id}", 404),
    "a face by another one's link": (face_link, "file_link", "/faces/{id}", 404),
    "a form of another site": (other_site, "other_origin", "/settings/{page}", 403),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
async def test_a_refusal_is_one_line_with_reason_and_route_and_nothing_personal(
    named: Installation, named_app: App, ada: Staff, bea: Staff, cyd: Staff, what: str
) -> None:
    prepare, reason, route, status = CASES[what]
    async with Browser(named, named_app) as browser:
        tries = await prepare(At(named, browser, ada, bea, cyd))
        with capture_logs() as logs:
            answer = await tries()
    assert answer.status_code == status, answer.text[-600:]
    assert told(logs) == (reason, route, status) and reason in REASONS
    email = (await people.read_person(named, bea.person_id)).email
    for personal in (CANARY, email, str(bea.person_id), str(ada.account_id), "127.0.0.1", PASSWORD):
        assert personal not in str(logs)


async def test_what_is_let_in_and_what_is_only_misspelt_leaves_no_line(
    named: Installation, named_app: App, ada: Staff
) -> None:
    async with Browser(named, named_app) as browser:
        await browser.as_(ada)
        with capture_logs() as logs:
            assert (await browser.get("/settings/profile")).status_code == 200
            assert (
                await browser.post("/settings/profile", data={"do": "rename", "name": ""})
            ).status_code == 422
            assert (await browser.get(f"/photos/{new_id()}/48")).status_code == 404
    assert [line for line in logs if line["event"] == "refused"] == []


async def test_each_request_has_its_own_line(named: Installation, named_app: App) -> None:
    async with Browser(named, named_app) as browser:
        with capture_logs() as logs:
            await browser.get("/reset/made-up")
            await browser.get("/address/made-up")
    assert [line["route"] for line in logs if line["event"] == "refused"] == [
        "/reset/{token}",
        "/address/{token}",
    ]
