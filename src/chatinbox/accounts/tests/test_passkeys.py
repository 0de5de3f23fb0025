"""Passkeys against an authenticator in software: each lie it can tell, and each way an answer can be used twice."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts import passkeys
from chatinbox.accounts.people import read_person
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.tests.authenticators import ORIGIN, Authenticator, b64
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


@pytest.fixture
def house(inst: Installation) -> Installation:
    """The installation under a name with TLS."""
    return replace(inst, settings=replace(inst.settings, public_url=ORIGIN))


async def added(house: Installation, staff: Staff, key: Authenticator) -> Authenticator:
    question = await passkeys.ask_to_add(house, await read_person(house, staff.person_id))
    await passkeys.add(house, staff.person_id, "key", question.token, key.make(question))
    return key


async def opens(house: Installation, key: Authenticator) -> object:
    question = await passkeys.ask(house, "open")
    return await passkeys.prove(house, "open", question.token, key.sign(question))


@pytest.mark.parametrize("counts", [False, True])
async def test_an_honest_one_opens_again_and_again(house: Installation, ada: Staff, counts: bool) -> None:
    key = await added(house, ada, Authenticator(counts=counts))
    for _ in range(3):
        assert await opens(house, key) == ada.person_id


async def test_an_answer_counts_once_also_of_a_key_that_does_not_count(
    house: Installation, ada: Staff
) -> None:
    key = await added(house, ada, Authenticator())
    question = await passkeys.ask(house, "open")
    answer = key.sign(question)
    tried = [passkeys.prove(house, "open", question.token, answer) for _ in range(4)]
    done = await asyncio.gather(*tried, return_exceptions=True)
    assert done.count(ada.person_id) == 1
    assert {type(one) for one in done} == {type(ada.person_id), Refused}


async def test_of_a_key_and_its_copy_one_opens(house: Installation, ada: Staff) -> None:
    key = await added(house, ada, Authenticator(counts=True))
    copy = replace(key)
    both = await asyncio.gather(opens(house, key), opens(house, copy), return_exceptions=True)
    assert both.count(ada.person_id) == 1
    await opens(house, key)
    with pytest.raises(Refused):
        await opens(house, copy)
    key.count, key.counts = 0, False  # and one that stopped counting
    with pytest.raises(Refused):
        await opens(house, key)


@pytest.mark.parametrize(
    "lie",
    [
        {"verifies": False},
        {"origin": "https://inbox.example.com.evil.example"},
        {"origin": "http://inbox.example.com"},
        {"host": "evil.example"},
        {"handle": b64(b"somebody else....").encode()},
        {"key": Authenticator().key},
        {"id": b"never seen before"},
    ],
    ids=["does not verify", "other site", "no TLS", "other name", "other person", "other key", "unknown"],
)
async def test_every_lie_gets_the_same_sentence(
    house: Installation, ada: Staff, lie: dict[str, object]
) -> None:
    key = await added(house, ada, Authenticator())
    with pytest.raises(Refused) as refused:
        await opens(house, replace(key, **lie))  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (422, "passkey")
    assert refused.value.sentence.startswith("This passkey did not open anything here.")
    assert await opens(house, key) == ada.person_id


@pytest.mark.parametrize(
    "lie", [{"verifies": False}, {"origin": "https://evil.example"}, {"host": "evil.example"}]
)
async def test_a_lying_one_is_not_added(house: Installation, ada: Staff, lie: dict[str, object]) -> None:
    with pytest.raises(Refused):
        await added(house, ada, Authenticator(**lie))  # type: ignore[arg-type]
    assert await passkeys.read(house, ada.person_id) == []


async def test_a_question_is_good_for_its_purpose_its_person_and_ten_minutes(
    house: Installation, ada: Staff, cyd: Staff
) -> None:
    key = await added(house, ada, Authenticator())
    hers = await passkeys.ask(house, "second", ada.person_id)
    for purpose, who in (("open", None), ("proof", ada.person_id), ("second", cyd.person_id)):
        with pytest.raises(Refused):
            await passkeys.prove(house, purpose, hers.token, key.sign(hers), who)  # type: ignore[arg-type]
    with travel(timedelta(minutes=11)), pytest.raises(Refused) as late:
        await passkeys.prove(house, "second", hers.token, key.sign(hers), ada.person_id)
    assert late.value.status == 410
    other = await passkeys.ask(house, "second", ada.person_id)
    with pytest.raises(Refused):  # an answer to another question
        await passkeys.prove(house, "second", other.token, key.sign(hers), ada.person_id)
    proven = await passkeys.prove(house, "second", hers.token, key.sign(hers), ada.person_id)
    assert proven == ada.person_id


async def test_a_page_made_for_one_person_adds_nothing_for_another(
    house: Installation, ada: Staff, cyd: Staff
) -> None:
    question, key = await passkeys.ask_to_add(house, await read_person(house, ada.person_id)), Authenticator()
    with pytest.raises(Refused):
        await passkeys.add(house, cyd.person_id, "key", question.token, key.make(question))
    assert await passkeys.read(house, cyd.person_id) == []


async def test_anothers_passkey_is_no_second_step_of_mine(
    house: Installation, ada: Staff, cyd: Staff
) -> None:
    his = await added(house, cyd, Authenticator())
    question = await passkeys.ask(house, "second", ada.person_id)
    with pytest.raises(Refused):
        await passkeys.prove(house, "second", question.token, his.sign(question), ada.person_id)


async def test_one_passkey_opens_one_sign_in_and_a_removed_one_none(
    house: Installation, ada: Staff, cyd: Staff
) -> None:
    key = await added(house, ada, Authenticator())
    with pytest.raises(Refused):
        await added(house, cyd, replace(key))
    [listed] = await passkeys.read(house, ada.person_id)
    with pytest.raises(Refused):
        await passkeys.remove(house, cyd.person_id, listed.id)
    await passkeys.remove(house, ada.person_id, listed.id)
    with pytest.raises(Refused):
        await opens(house, key)


async def test_at_most_twenty_and_each_with_a_name(house: Installation, ada: Staff) -> None:
    person = await read_person(house, ada.person_id)
    for name in ("", "  ", "x" * 61):
        question = await passkeys.ask_to_add(house, person)
        with pytest.raises(Refused) as refused:
            answer = Authenticator().make(question)
            await passkeys.add(house, ada.person_id, name, question.token, answer)
        assert refused.value.code == "name"
    for _ in range(passkeys.MOST):
        await added(house, ada, Authenticator())
    with pytest.raises(Refused) as refused:
        await added(house, ada, Authenticator())
    assert refused.value.status == 409


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80)
@given(change=st.dictionaries(st.sampled_from(["id", "rawId", "type", "response", "x"]), _json, min_size=1), raw=st.text(max_size=200))  # fmt: skip
async def test_whatever_is_sent_gets_a_sentence(
    house: Installation, ada: Staff, change: dict[str, object], raw: str
) -> None:
    question = await passkeys.ask(house, "open")
    mended = json.dumps(json.loads(Authenticator().sign(question)) | change)
    for answer in (mended, raw):
        with pytest.raises(Refused):
            await passkeys.prove(house, "open", question.token, answer)
        with pytest.raises(Refused):
            await passkeys.add(house, ada.person_id, "key", question.token, answer)
