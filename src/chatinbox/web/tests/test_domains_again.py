"""A confirmed domain is asked for again: what the postmaster says, what owners hear, and who still gets in without a yes."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from chatinbox.accounts import people, sign_in
from chatinbox.accounts.letters import LEFT_OVER, send_left_over
from chatinbox.accounts.sso import domain_clock, domains
from chatinbox.accounts.sso.connection import set_rules
from chatinbox.accounts.sso.domain_clock import AGAIN, GRACE, PATIENCE, look_after
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser, unreached
from chatinbox.core.clock import travel
from chatinbox.core.egress import Declined, Egress, Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.tests import test_sso
from chatinbox.web.tests.test_sso import (
    Idp,
    another,
    browser,
    come,
    idp,
    member,
    near,
    near_app,
    patient,
    with_company,
)

__all__ = ["browser", "idp", "near", "near_app", "patient"]
LATE = AGAIN + timedelta(hours=1)


async def letters(inst: Installation, staff: Staff, words: str) -> list[str]:
    return [one.text for one in await list_kept(inst, staff) if words in one.text]


def link_in(letter: str) -> str:
    found = re.search(r"\S+/sso/domain/\S+", letter)
    assert found
    return urlsplit(found[0]).path


async def test_a_domain_is_asked_for_again_once_and_a_new_yes_is_good_for_as_long(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain, theirs = await with_company(near, idp, ada), await with_company(near, idp, cyd)
    await look_after(near, ada.account_id)
    with travel(AGAIN - timedelta(days=1)):
        await look_after(near, ada.account_id)
    assert await letters(near, ada, "still yours") == []
    with travel(LATE):
        for _ in range(3):
            await look_after(near, ada.account_id)
        [letter] = await letters(near, ada, f"{domain} is still yours")
        assert theirs not in letter
        assert await letters(near, cyd, "still yours") == []
    with travel(LATE + timedelta(days=20)):
        assert "is confirmed" in (await browser.post(link_in(letter))).text
    with travel(LATE + AGAIN):
        await look_after(near, ada.account_id)
        assert await domains.is_ours(near, ada.account_id, f"x@{domain}")
        assert len(await letters(near, ada, f"{domain} is still yours")) == 1


async def test_without_an_answer_owners_are_told_and_then_the_domain_routes_nobody_and_locks_nobody_out(
    near: Installation, idp: Idp, ada: Staff, bea: Staff, cyd: Staff, browser: Browser
) -> None:
    domain = await with_company(near, idp, ada)
    eva = await member(near, ada, f"eva@{domain}")
    await come(browser, idp, f"eva@{domain}")
    await set_rules(near, ada, None, compulsory=True)
    with pytest.raises(Refused) as by_company:
        await sign_in.sign_in(near, f"eva@{domain}", PASSWORD, "tests")
    assert by_company.value.code == "use_sso"
    with travel(LATE):
        await look_after(near, ada.account_id)
    with travel(LATE + PATIENCE):
        await look_after(unreached(near), ada.account_id)
        assert (await domains.read_domains(near, ada.account_id))[0].owners_told_at is None
        for _ in range(2):
            await look_after(near, ada.account_id)
        [told] = await letters(near, ada, "Nobody has answered")
        assert domain in told and await letters(near, bea, "Nobody has answered") == []
        assert await domains.is_ours(near, ada.account_id, f"x@{domain}")  # the grace time runs
    with travel(LATE + GRACE):
        await look_after(unreached(near), ada.account_id)
        await look_after(near, ada.account_id)
        assert await letters(near, ada, "Nobody said in thirty days") == []
        with travel(LEFT_OVER + timedelta(minutes=1)):
            await send_left_over(near, ada.account_id)
        assert len(await letters(near, ada, "Nobody said in thirty days")) == 1
        assert await domains.find_connection(near, f"eva@{domain}") is None
        [one] = await domains.read_domains(near, ada.account_id)
        assert one.confirmed_at is None and one.lapsed_at
        # Eva has another way now, and the owner always had; the page says what became of the domain.
        assert await sign_in.sign_in(near, f"eva@{domain}", PASSWORD, "tests")
        owner = (await people.read_person(near, ada.person_id)).email
        assert await sign_in.sign_in(near, owner, PASSWORD, "tests")
        page = await (await another(browser).as_(ada)).get("/settings/single-sign-on")
        assert "No longer counts" in page.text
        # It may be somebody else's by now, and it may become Ada's once more.
        await domains.claim(near, ada, domain)
        again = await test_sso.letter_link(near, ada, rf"{domain} is yours and[\s\S]+/sso/domain/\S+")
        await domains.confirm(near, again.rpartition("/")[2])
        assert await domains.is_ours(near, ada.account_id, f"x@{domain}")
        assert eva.account_id == ada.account_id != cyd.account_id


async def test_a_postmaster_who_says_no_ends_it_at_once_and_owners_hear_of_it(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    domain, theirs = await with_company(near, idp, ada), await with_company(near, idp, cyd)
    with travel(LATE):
        await look_after(near, ada.account_id)
        [letter] = await letters(near, ada, f"{domain} is still yours")
        assert "No, it is not" in (await browser.get(link_in(letter))).text
        assert "Nobody is signed in" in (await browser.post(link_in(letter), data={"say": "no"})).text
        assert await domains.find_connection(near, f"x@{domain}") is None
        assert await domains.read_domains(near, ada.account_id) == []
        assert len(await letters(near, ada, "says that it is not yours")) == 1
        assert (await browser.post(link_in(letter))).status_code == 410
    assert await domains.is_ours(near, cyd.account_id, f"x@{theirs}")


async def test_owners_hear_of_a_no_also_when_no_server_could_be_reached_just_then(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff
) -> None:
    domain = await with_company(near, idp, ada)
    with travel(LATE):
        await look_after(near, ada.account_id)
        [letter] = await letters(near, ada, f"{domain} is still yours")
        await domains.deny(unreached(near), link_in(letter).rpartition("/")[2])
        with travel(LEFT_OVER + timedelta(minutes=1)):
            for staff in (ada, cyd):
                await send_left_over(near, staff.account_id)
    assert len(await letters(near, ada, "says that it is not yours")) == 1
    assert await letters(near, cyd, "says that it is not yours") == []


async def test_a_mail_server_that_takes_no_letter_is_told_and_one_that_is_away_is_asked_tomorrow(
    near: Installation, idp: Idp, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = await with_company(near, idp, ada)
    send = Egress.mail

    def failing(error: Exception) -> None:
        async def mail(self: Egress, letter: object) -> None:
            if f"postmaster@{domain}" in letter.recipients:  # type: ignore[attr-defined]
                raise error
            await send(self, letter)  # type: ignore[arg-type]

        monkeypatch.setattr(Egress, "mail", mail)

    with travel(LATE):
        failing(Unreachable("away"))
        await look_after(near, ada.account_id)
        [one] = await domains.read_domains(near, ada.account_id)
        assert one.asked_again_at is None
        failing(Declined("no such mailbox"))
        await look_after(near, ada.account_id)
        assert len(await letters(near, ada, "does not take our letter")) == 1
        [one] = await domains.read_domains(near, ada.account_id)
        assert one.asked_again_at and one.owners_told_at
    assert domain_clock.PATIENCE < domain_clock.GRACE
