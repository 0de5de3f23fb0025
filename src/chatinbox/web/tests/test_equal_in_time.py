"""Whether an address is known cannot be told from how long an answer takes. And the measure itself is measured.

AUC: the chance that of one known and one unknown address the slower answer is the known one's; one half says nothing.
"""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chatinbox.accounts import passwords, people
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.conftest import Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.settings import people_page

WRONG = "wrong but long enough words"


@dataclass
class Asks:
    """How a page is asked about an address. Signing up makes the address known, so the next has to be another."""

    browser: Browser
    page: str

    @property
    def leaves_something(self) -> bool:
        return self.page == "/sign-up"

    async def __call__(self, email: str) -> None:
        words = {"name": "N", "company": "C"} if self.leaves_something else {"do": "invite", "role": "staff"}
        answer = await self.browser.post(self.page, data={"email": email, "password": WRONG} | words)
        assert answer.status_code in (200, 422)


def of_the_form_of(known: str) -> str:
    name, _, domain = known.partition("@")
    return f"{name[:-12]}{new_id().hex[-12:]}@{domain}"


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> None:
    """None here: what a hash costs is what hides whether there was one."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for room, name in ((forms, "by_name"), (forms, "by_place"), (people_page, "letters")):
        monkeypatch.setattr(room, name, Throttle(100_000, 600))


async def auc(ask: Asks, known: str, pairs: int) -> float:
    """Of interleaved pairs; who goes first is drawn for each."""
    times: dict[bool, list[float]] = {True: [], False: []}
    order = random.Random(7)
    unknown = of_the_form_of(known)
    for number in range(pairs + 5):
        for is_known in order.sample((True, False), 2):
            if ask.leaves_something:
                unknown = of_the_form_of(known)
            email = known if is_known else unknown
            began = time.perf_counter()
            await ask(email)
            if number >= 5:  # the first ones fill caches
                times[is_known].append(time.perf_counter() - began)
    await forms.settle()
    slow, others = times[True], sorted(times[False])
    wins = sum(bisect_left(others, one) + bisect_right(others, one) for one in slow) / 2
    return wins / len(slow) / len(others)


def apart(found: float) -> float:
    """How far from saying nothing, on either side."""
    return max(found, 1 - found)


PAGES = ["/sign-in", "/sign-in/company", "/reset", "/sign-up", "/settings/people"]


@pytest.mark.parametrize("page", PAGES)
async def test_known_and_unknown_take_as_long(
    inst: Installation, guest: Callable[[], Browser], ada: Staff, cyd: Staff, page: str
) -> None:
    browser = await guest().as_(ada) if page.startswith("/settings") else guest()
    known = (await people.read_person(inst, cyd.person_id)).email
    assert apart(await auc(Asks(browser, page), known, 80 if page == "/sign-in" else 120)) < 0.7


async def test_without_the_hash_for_nobody_they_would_be_told_apart(
    inst: Installation, client: Browser, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = passwords.is_right

    async def hasty(password: str, kept: str | None) -> bool:
        return kept is not None and await right(password, kept)

    monkeypatch.setattr(people, "is_right", hasty)
    known = (await people.read_person(inst, cyd.person_id)).email
    assert await auc(Asks(client, "/sign-in"), known, 15) > 0.95


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
async def test_known_and_unknown_take_as_long_over_a_thousand_pairs(
    inst: Installation, guest: Callable[[], Browser], ada: Staff, cyd: Staff, page: str
) -> None:
    browser = await guest().as_(ada) if page.startswith("/settings") else guest()
    known = (await people.read_person(inst, cyd.person_id)).email
    found = await auc(Asks(browser, page), known, 1000)
    print(f"AUC of {page}: {found:.3f}")
    assert apart(found) <= 0.55
