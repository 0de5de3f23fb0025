"""Each business decides about its own case, in time or by silence, and the person is told (C62)."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import set_privacy
from chatinbox.conftest import Say
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.requests import carry, go_on, link
from chatinbox.privacy.requests.case import WINDOW, list_cases
from chatinbox.privacy.requests.decide import approve, extend, refuse
from chatinbox.privacy.requests.tell import mint_case
from chatinbox.privacy.requests.tests.conftest import (
    A_MOMENT,
    ARRIVED,
    Asks,
    NewBrowser,
    case_of,
    finish,
    letters_to,
    told,
)
from chatinbox.web.tests.test_accounts import bare, email_of


async def test_the_person_hears_from_the_business_by_its_name_and_follows_it_to_the_receipt(
    inst: Installation, asks: Asks, door: httpx.AsyncClient, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    await set_privacy(inst, ada, "privacy@adas.example", "https://adas.example/privacy")
    await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        [letter] = await letters_to(inst, ada, hers)
        assert letter.startswith("Your request has arrived: Ada's Tea") and "privacy@adas.example" in letter
        path = re.search(r"/my-data/case/\S+", letter)
        assert path
        page = await door.get(path[0])
        assert "Ada&#39;s Tea" in page.text and "privacy@adas.example" in page.text and hers not in page.text
        assert (await door.get(f"{path[0]}/receipt")).status_code == 404
        await approve(inst, ada, case.id)
        await go_on.go_on(inst, ada.account_id)
        assert "erased within a day" in (await letters_to(inst, ada, hers))[0]
        await finish(inst, ada)
        receipt = (await door.get(f"{path[0]}/receipt")).json()
        assert receipt["erased"]["customers"] == 1 and "signature" in receipt and hers not in str(receipt)
        assert "Erased on" in (await door.get(path[0])).text
    foreign = mint_case(inst, cyd.account_id, case.id)
    made_up = await door.get("/my-data/case/made-up")
    assert bare(await door.get(f"/my-data/case/{foreign}")) == bare(made_up) and made_up.status_code == 404


async def test_owners_are_told_that_somebody_asks_and_not_who(
    inst: Installation, asks: Asks, ada: Staff, bea: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "both")
    with travel(ARRIVED):
        await told(inst, ada)
        [letter] = await letters_to(inst, ada, await email_of(inst, ada))
        assert "/settings/requests" in letter and hers not in letter and "Casey" not in letter
        assert await letters_to(inst, bea, await email_of(inst, bea)) == []


async def test_refusing_needs_a_ground_that_fits_and_the_person_is_told_it(
    inst: Installation, asks: Asks, ada: Staff, bea: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    case = await case_of(inst, ada)
    with travel(ARRIVED):
        with pytest.raises(Refused, match="decided"):
            await refuse(inst, ada, case.id, "law", "")  # the owners were not told yet
        await told(inst, ada)
        for ground in ("", "because", "others"):
            with pytest.raises(Refused, match="ground"):
                await refuse(inst, ada, case.id, ground, "")
        with pytest.raises(Refused, match="not_permitted"):
            await refuse(inst, bea, case.id, "law", "")
        with pytest.raises(Refused, match="not_found"):
            await refuse(inst, cyd, case.id, "law", "")
        await refuse(inst, ada, case.id, "law", "Bills are kept ten years.")
        with pytest.raises(Refused, match="decided"):
            await approve(inst, ada, case.id)
        done = await finish(inst, ada)
        assert done.closed_at and done.granted == "nothing" and done.decided_by == ada.staff_user_id
        letter = (await letters_to(inst, ada, hers))[0]
        assert "Art. 17(3)(b)" in letter and "Bills are kept ten years." in letter and "complain" in letter
        await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_more_time_is_taken_once_with_a_reason_and_silence_does_not_block_after_it(
    inst: Installation, asks: Asks, ada: Staff, bea: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        with pytest.raises(Refused, match="not_permitted"):
            await extend(inst, bea, case.id, "There are very many.")
        with pytest.raises(Refused, match="not_found"):
            await extend(inst, cyd, case.id, "There are very many.")
        with pytest.raises(Refused, match="words"):
            await extend(inst, ada, case.id, " ")
        await extend(inst, ada, case.id, "There are very many.")
        with pytest.raises(Refused, match="extended"):
            await extend(inst, ada, case.id, "More.")
        later = await finish(inst, ada)
        assert later.due_at == case.due_at + timedelta(days=59)
        assert "There are very many." in (await letters_to(inst, ada, hers))[0]
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert not (await finish(inst, ada)).decided_at
    with travel(ARRIVED + timedelta(days=86)):
        done = await finish(inst, ada)
        assert done.erased_at and done.erased_at <= done.due_at


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("info@{}", "shared"),
        ("INFO+x@{}", "shared"),
        ("familie@{}", "shared"),
        ("frida@{}", "mailbox"),
        ("informatica@{}", "mailbox"),
    ],
)
def test_a_mailbox_that_several_read_by_its_name_shows_nobody(email: str, shown: str) -> None:
    assert carry.assurance_of(email.format("mail.example")) == shown


async def test_what_a_shared_mailbox_wishes_is_done_only_when_people_approve_it(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say
) -> None:
    """T39: silence hands out and erases nothing there; the refusal says why."""
    shared = f"info@{new_id().hex[-12:]}.example"
    got = [await say(one, "Hello", shared) for one in (ada, cyd)]
    await asks(shared, "erasure")
    with travel(ARRIVED):
        await told(inst, ada)
        approved = await told(inst, cyd)
        await approve(inst, cyd, approved.id)
        assert (await finish(inst, cyd)).erased_at
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert not (await finish(inst, ada)).decided_at
    with travel(ARRIVED + carry.ANSWER_WITHIN):
        done = await finish(inst, ada)
        assert (done.granted, done.ground) == ("nothing", "doubt") and done.closed_at
        assert "Art. 12(6)" in (await letters_to(inst, ada, shared))[0]
        await inst.vault.customer_key(ada.account_id, got[0].customer_id)


async def test_the_page_shows_cases_to_who_may_decide_and_sees_every_channel(
    inst: Installation,
    asks: Asks,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert hers in (await (await new_browser().as_(ada)).get("/settings/requests")).text
        assert hers not in (await (await new_browser().as_(cyd)).get("/settings/requests")).text
        assert (await (await new_browser().as_(bea)).get("/settings/requests")).status_code == 303
        browser = await new_browser().as_(ada)
        form = {"do": "refuse", "id": str(case.id), "ground": "doubt", "words": "Write to us."}
        answer = await browser.post("/settings/requests", data=form)
        assert "It is refused" in answer.text, "who it is was shown a moment ago"
        apart = replace(ada, kept_out=frozenset({new_id()}))
        assert await list_cases(inst, apart) == []
        with pytest.raises(Refused, match="not_found"):
            await approve(inst, apart, case.id)


async def test_one_case_and_many_are_listed_with_as_many_statements(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    async def count() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        with travel(2 * ARRIVED):
            await list_cases(inst, ada)
        statements.reset(token)
        return len(seen)

    for number in range(12):
        email = f"{number}.{hers}"
        await say(ada, "Hello", email)
        asked = link.Asked(new_id().bytes, email, "access", 0)
        await carry._probe(inst, ada.account_id, asked)
        if number == 0:
            one = await count()
    assert await count() == one == 1
    with travel(2 * ARRIVED):
        assert await list_cases(inst, cyd) == []
