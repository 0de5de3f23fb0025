"""Whoever invites learns nothing of the address: for one that is known somewhere and one that nobody has, everything is the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chatinbox.accounts import invite, people
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People
from chatinbox.core.db import statements
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.settings import people_page

NewBrowser = Callable[[], Browser]


@pytest.fixture(autouse=True)
def patient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_page, "letters", Throttle(100, 3600))


@dataclass(frozen=True)
class Told:
    """All that an answer tells: its bytes but for what is drawn anew each time, and what was asked of the database."""

    status: int
    headers: list[tuple[str, str]]
    body: str
    asked: list[str]


def of_the_form_of(known: str) -> str:
    name, _, domain = known.partition("@")
    return f"{name[:-12]}{new_id().hex[-12:]}@{domain}"


def plain(text: str, email: str) -> str:
    """Without the address that was typed, the link's token, ids and the nonce of the page: each is of the same length."""
    text = text.replace(email, "THE-ADDRESS")
    text = re.sub(r"/invitation/[\w-]{32}", "/invitation/TOKEN", text)
    return re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", re.sub(r'nonce="[^"]*"|nonce-[^\' ]*', "", text)
    )


async def told(browser: Browser, email: str, **words: str) -> Told:
    asked: list[str] = []
    reset = statements.set(asked)
    answer = await browser.post(
        "/settings/people", data={"do": "invite", "email": email, "role": "staff"} | words
    )
    statements.reset(reset)
    headers = sorted((name, plain(value, email)) for name, value in answer.headers.items())
    return Told(answer.status_code, headers, plain(answer.text, email), asked)


async def forget(inst: Installation, by: Staff) -> None:
    """Takes the invitations back, so that the next page lists none of before."""
    for one in await invite.list_invitations(inst, by):
        await invite.withdraw(inst, by, one.id)


async def test_known_and_unknown_addresses_are_invited_by_the_same_bytes_and_statements(
    inst: Installation, client: Browser, people: People, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    gone = await people.owner("Gus", "Gus's Milk")
    known = [await _email(inst, one) for one in (cyd, gone)]
    await told(client, of_the_form_of(known[0]))  # the first fills what is remembered
    await forget(inst, ada)
    for address in known:
        answers = []
        for email in (address, of_the_form_of(address)):
            answers.append(await told(client, email))
            [waiting] = await invite.list_invitations(inst, ada)
            assert waiting.email == email
            await forget(inst, ada)
        assert answers[0] == answers[1]
        assert answers[0].status == 200 and "THE-ADDRESS" in answers[0].body and answers[0].asked
        assert not any("find_person" in text for text in answers[0].asked), "nobody is looked for by it"


async def test_the_letters_are_alike_too(inst: Installation, client: Browser, ada: Staff, cyd: Staff) -> None:
    await client.as_(ada)
    known, letters = await _email(inst, cyd), {}
    for email in (known, of_the_form_of(known)):
        await told(client, email)
        [letter] = [one for one in await list_kept(inst, ada) if one.header("to") == email]
        letters[email] = plain(f"{letter.header('subject')}\n{letter.text}", email)
    assert len(set(letters.values())) == 1


async def test_a_colleague_without_the_right_is_refused_by_the_same_bytes_and_nothing_is_sent(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(bea)
    known = await _email(inst, cyd)
    await told(client, of_the_form_of(known))
    answers = [await told(client, email) for email in (known, of_the_form_of(known))]
    assert answers[0] == answers[1] and answers[0].status == 403
    assert await invite.list_invitations(inst, ada) == []
    assert not [one for one in await list_kept(inst, ada) if "invites you" in (one.header("subject") or "")]


async def test_a_look_at_who_is_known_would_be_noticed(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = invite.invite

    async def curious(inst: Installation, by: Staff, email: str, *more: object) -> str:
        if await people.find_person(inst, email):
            await people.works_in(inst, by.person_id)
        return await right(inst, by, email, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(invite, "invite", curious)
    await client.as_(ada)
    known = await _email(inst, cyd)
    await told(client, of_the_form_of(known))
    await forget(inst, ada)
    first = await told(client, known)
    await forget(inst, ada)
    assert first != await told(client, of_the_form_of(known))


async def _email(inst: Installation, staff: Staff) -> str:
    return (await people.read_person(inst, staff.person_id)).email
