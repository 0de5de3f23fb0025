"""What tests of a second factor stand on: somebody with an app and recovery codes, before the half-open door."""

import re
from datetime import timedelta

import httpx
import pyotp

from chatinbox.accounts import (
    authenticator,
    second_factor,
    sessions,
)
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_accounts import email_of

TWELVE = "vf7-kqz2wmTb"


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
