"""What was decided is done: a copy is handed out once, keys are destroyed, what is held stays (C62)."""

import io
import re
import zipfile
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.core.clock import now, this_day, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.erasure.ask import ask_erasure, take_back
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.hold import hold
from chatinbox.privacy.requests import go_on
from chatinbox.privacy.requests.case import WINDOW, list_cases
from chatinbox.privacy.requests.decide import approve, refuse
from chatinbox.privacy.requests.tests.conftest import (
    A_MOMENT,
    ARRIVED,
    Asks,
    finish,
    letters_to,
    told,
)
from chatinbox.web.tests.test_accounts import bare


async def test_silence_does_not_block_and_the_data_is_gone_with_its_keys_at_the_neighbour_too(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    theirs = await say(cyd, "Hello", hers)
    other = await say(ada, "Hello", "somebody.else@mail.example")
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert case.objection_until
        assert now() + WINDOW - case.objection_until < timedelta(minutes=5)
        await finish(inst, ada)
        await inst.vault.customer_key(ada.account_id, got.customer_id)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert done.closed_at and done.erased_at and done.granted == "erasure" and done.decided_by is None
        assert done.erased_at <= done.due_at
        for gone in (got.customer_id,):
            with pytest.raises(Erased):
                await inst.vault.customer_key(ada.account_id, gone)
        await inst.vault.customer_key(ada.account_id, other.customer_id)
        await inst.vault.customer_key(cyd.account_id, theirs.customer_id)  # told later, decided later
        [row] = (
            await inst.db.run(ada.account_id, ("select address_sealed, words_sealed from data_case", ()))
        )[0]
        assert row == (None, None)
        await told(inst, cyd)
    with travel(ARRIVED + 2 * (WINDOW + A_MOMENT)):
        await finish(inst, cyd)
        with pytest.raises(Erased):
            await inst.vault.customer_key(cyd.account_id, theirs.customer_id)


async def test_a_ground_against_erasing_leaves_the_copy_to_be_made(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers)
    await asks(hers, "both")
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert await refuse(inst, ada, case.id, "claims", "") == "access"
        done = await finish(inst, ada)
        assert done.copy_sent_at and not done.closed_at and done.erasure_id is None
        letters = "\n".join(await letters_to(inst, ada, hers))
        assert "Erasing your data was refused" in letters and "/my-data/copy/" in letters
        await inst.vault.customer_key(ada.account_id, got.customer_id)
        assert (await told(inst, cyd)).decided_at is None, "what Ada decides is decided at hers alone"
        assert "refused" not in "\n".join(await letters_to(inst, cyd, hers))
    with travel(ARRIVED + go_on.TO_FETCH + A_MOMENT):
        done = await finish(inst, ada)
        assert done.closed_at and done.erasure_id is None, "nobody fetched it while its link was good"


async def _a_rule_asks(inst: Installation, by: Staff, customer_id: UUID, *conversations: UUID) -> UUID:
    """For single conversations, as a retention rule would; the customer is to stay."""
    ask = (
        "insert into erasure (account_id, id, customer_id, staff_user_id, asked_at, due_at, rule_id, conversations)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)"
    )
    erasure_id, at = new_id(), now()
    row = [by.account_id, erasure_id, customer_id, by.staff_user_id, at, at, new_id(), [*conversations]]
    await inst.db.run(by.account_id, (ask, row))
    return erasure_id


async def _a_rule_erases(inst: Installation, by: Staff, customer_id: UUID, conversation_id: UUID) -> None:
    erasure_id = await _a_rule_asks(inst, by, customer_id, conversation_id)
    assert await erase(inst, by.account_id, erasure_id)


def _words_in(copy: httpx.Response) -> bytes:
    with zipfile.ZipFile(io.BytesIO(copy.content)) as whole:
        return b"".join(whole.read(name) for name in whole.namelist())


async def _links(inst: Installation, by: Staff, email: str) -> list[str]:
    """To copies, as they came by letter, the newest first."""
    return re.findall(r"/my-data/copy/\S+", "\n".join(await letters_to(inst, by, email)))


async def test_whose_copy_went_with_an_old_conversation_gets_another_copy_and_letter(
    inst: Installation, asks: Asks, door: httpx.AsyncClient, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    old, _ = [await say(ada, f"{words} words", hers, subject=words) for words in ("Old", "New")]
    await say(cyd, "Hello", hers)
    await asks(hers, "access")
    with travel(ARRIVED):
        for one in (ada, cyd):
            await approve(inst, one, (await told(inst, one)).id)
            await finish(inst, one)
        [before], [at_cyd] = await _links(inst, ada, hers), await _links(inst, cyd, hers)
        await _a_rule_erases(inst, ada, old.customer_id, old.conversation_id)
        assert (await door.post(before)).status_code == 410
        assert not (await finish(inst, ada)).closed_at
        [after, _] = await _links(inst, ada, hers)
        assert "leads nowhere any more" in (await letters_to(inst, ada, hers))[0]
        words = _words_in(await door.post(after))
        assert b"New words" in words and b"Old words" not in words
        assert (await finish(inst, ada)).closed_at, "it was fetched"
        await finish(inst, cyd)
        assert await _links(inst, cyd, hers) == [at_cyd], "no rule of theirs took anything"
        assert (await door.post(at_cyd)).status_code == 200


async def test_a_rule_does_not_put_off_the_erasing_that_follows_the_copy(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    old, got = [await say(ada, words, hers, subject=words) for words in ("Old", "New")]
    await asks(hers, "both")
    with travel(ARRIVED):
        await approve(inst, ada, (await told(inst, ada)).id)
        first = (await finish(inst, ada)).copy_sent_at
        assert first
    with travel(ARRIVED + timedelta(days=5)):
        await _a_rule_erases(inst, ada, old.customer_id, old.conversation_id)
        again = await finish(inst, ada)
        assert again.copy_sent_at and again.copy_sent_at > first and not again.erasure_id
        assert f"until {first + go_on.TO_FETCH:%-d %B %Y}" in (await letters_to(inst, ada, hers))[0]
        assert len(await _links(inst, ada, hers)) == 2
    with travel(ARRIVED + go_on.TO_FETCH + timedelta(minutes=1)):
        assert (await finish(inst, ada)).erased_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_who_waits_to_fetch_their_copy_may_ask_anew_and_is_answered(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await asks(hers, "access")
    with travel(ARRIVED):
        await approve(inst, ada, (await told(inst, ada)).id)
        assert not (await finish(inst, ada)).closed_at
        await asks(hers, "access")
    with travel(2 * ARRIVED):
        assert len(await list_cases(inst, ada)) == 2


async def test_the_copy_is_fetched_once_and_what_follows_is_erased_after_it(
    inst: Installation, asks: Asks, door: httpx.AsyncClient, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    """C62: two businesses, two sealed copies; Ada's says nothing of Cyd."""
    got = await say(ada, "Words to Ada", hers)
    await say(cyd, "Words to Cyd", hers)
    await asks(hers, "both")
    with travel(ARRIVED):
        paths = []
        for one in (ada, cyd):
            case = await told(inst, one)
            await approve(inst, one, case.id)
            await finish(inst, one)
            [path] = await _links(inst, one, hers)
            assert path in (await letters_to(inst, one, hers))[0]
            paths.append(path)
        assert "Fetch it" in (await door.get(paths[0])).text
        answer = await door.post(paths[0])
        assert answer.headers["content-type"] == "application/zip"
        words = _words_in(answer)
        assert b"Words to Ada" in words
        assert b"Cyd" not in words and str(cyd.account_id).encode() not in words
        [hers_now], [at_cyd] = await list_cases(inst, ada), await list_cases(inst, cyd)
        assert hers_now.copy_fetched_at == this_day(), (
            "the day, and no minute to lay beside the security log's"
        )
        assert at_cyd.copy_fetched_at is None
        again, made_up = await door.post(paths[0]), await door.post("/my-data/copy/made-up")
        assert bare(again) == bare(made_up) and again.status_code == 410
        assert (await finish(inst, ada)).erased_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)
        assert not (await finish(inst, cyd)).erased_at, "that copy was not fetched yet"
        assert (await door.post(paths[1])).status_code == 200


async def test_what_is_on_hold_is_not_erased_by_silence_and_the_person_is_told(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    theirs = await say(cyd, "Hello", hers)
    await asks(hers, "erasure")
    until = now() + timedelta(days=300)
    await hold(inst, ada, got.customer_id, "", "claims", "A lawsuit", until.date())
    with pytest.raises(Refused, match="not_found"):
        await hold(inst, cyd, got.customer_id, "", "claims", "A lawsuit", until.date())
    with travel(ARRIVED):
        case = await told(inst, ada)
        await told(inst, cyd)
        with pytest.raises(Refused, match="held"):
            await approve(inst, ada, case.id)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert (done.granted, done.ground) == ("nothing", "hold") and done.closed_at
        assert "Art. 17(3)" in (await letters_to(inst, ada, hers))[0]
        await inst.vault.customer_key(ada.account_id, got.customer_id)
        assert (await finish(inst, cyd)).erased_at, "a hold of Ada's holds nobody else up"
        with pytest.raises(Erased):
            await inst.vault.customer_key(cyd.account_id, theirs.customer_id)


async def test_single_conversations_on_hold_stay_and_the_rest_is_erased(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    held, gone = [await say(ada, words, hers, subject=words) for words in ("One", "Two")]
    await hold(inst, ada, held.customer_id, "1", "claims", "A lawsuit", (now() + timedelta(days=300)).date())
    await asks(hers, "erasure")
    with travel(ARRIVED):
        await told(inst, ada)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert done.granted == "erasure" and done.held_at and done.closed_at and not done.erased_at
        assert "Single conversations are held" in (await letters_to(inst, ada, hers))[0]
    [left] = await inst.db.run(ada.account_id, ("select id from conversation", ()))
    assert left == [(held.conversation_id,)] and gone.conversation_id != held.conversation_id


async def test_what_a_rule_was_about_to_erase_in_part_is_erased_whole(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    theirs = await say(cyd, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        await _a_rule_asks(inst, ada, got.customer_id)
        await approve(inst, ada, case.id)
        assert (await finish(inst, ada)).erased_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)
        await inst.vault.customer_key(cyd.account_id, theirs.customer_id)


async def test_who_wishes_both_has_time_to_fetch_the_copy_before_it_is_erased(
    inst: Installation, asks: Asks, ada: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await asks(hers, "both")
    with travel(ARRIVED):
        case = await told(inst, ada)
        await approve(inst, ada, case.id)
        assert (await finish(inst, ada)).erasure_id is None
        await inst.vault.customer_key(ada.account_id, got.customer_id)
    with travel(ARRIVED + go_on.TO_FETCH + timedelta(minutes=1)):
        assert (await finish(inst, ada)).closed_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_staff_cannot_take_back_what_the_person_asked_for(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await asks(hers, "erasure")
    with travel(ARRIVED):
        case = await told(inst, ada)
        asked = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
        await approve(inst, ada, case.id)
        await go_on.go_on(inst, ada.account_id)
        [one] = await list_erasures(inst, ada)
        assert one.id == asked, "one of staff's own is enough"
        with pytest.raises(Refused, match="not_found"):
            await take_back(inst, cyd, asked)
        with pytest.raises(Refused, match="theirs"):
            await take_back(inst, ada, asked)
        assert (await finish(inst, ada)).erased_at


async def test_whom_staff_erased_meanwhile_has_nothing_left_to_ask(
    inst: Installation, asks: Asks, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    theirs = await say(cyd, "Hello", hers)
    await asks(hers, "access")
    with travel(ARRIVED):
        for one in (ada, cyd):
            await told(inst, one)
        asked = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    with travel(ARRIVED + timedelta(minutes=11)):
        await erase(inst, ada.account_id, asked)
    with travel(ARRIVED + WINDOW + timedelta(minutes=1)):
        done = await finish(inst, ada)
        assert done.closed_at and done.decided_at is None and done.name is None
        assert (await finish(inst, cyd)).copy_sent_at, "another business has her data still"
        await inst.vault.customer_key(cyd.account_id, theirs.customer_id)
