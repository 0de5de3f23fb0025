"""A sign-up survives a killed process, wherever it is killed; and tells nobody whether an address is known."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts import letters, people, promised_sign_up, sign_in
from chatinbox.accounts.letters import LEFT_OVER
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email import channel as email_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser
from chatinbox.conversations.channels import read_channels
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.web import first_channels, forms
from chatinbox.web.first_channels import open_first_channels

NewBrowser = Callable[[], Browser]
PASSWORD = "four words marching backwards"


class Killed(BaseException):
    """What ends a process ends its work, and nothing that it would have done afterwards is done."""


async def killed(*_: Any, **__: Any) -> None:
    raise Killed


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(1000, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 3600.0)  # the process is killed before


def fresh() -> str:
    return f"p{new_id().hex[-12:]}@mail.example"


async def signs_up(browser: Browser, email: str, company: str = "") -> str:
    """Right after the answer, the process is killed; what was answered."""
    form = {
        "name": "Ida Berg",
        "email": email,
        "company": company or f"Berg {new_id().hex[-8:]}",
        "password": PASSWORD,
    }
    answer = await browser.post("/sign-up", data=form, headers={"accept-language": "de"})
    assert answer.status_code == 200
    for task in list(forms._later):
        task.cancel()
    await asyncio.gather(*forms._later, return_exceptions=True)
    return re.sub(r'nonce="[^"]*"', "", answer.text)


async def clock(inst: Installation, after: timedelta = LEFT_OVER) -> None:
    """What the worker does again and again, from so long afterwards on."""
    with travel(after + timedelta(seconds=1)):
        for _ in range(2):
            await promised_sign_up.keep_left_over(inst, open_first_channels)


async def waiting(inst: Installation) -> list[UUID]:
    ask = "select id from directory.promised_sign_ups_before(%s)"
    return [row[0] for row in await inst.db.directory(ask, [now() + timedelta(days=2)])]


async def owner_of(inst: Installation, email: str) -> Staff | None:
    """Whoever has the address, in their one account."""
    person_id = await people.find_person(inst, email)
    if person_id is None:
        return None
    [(account_id, staff_user_id)] = await people.works_in(inst, person_id)
    return Staff(account_id, staff_user_id, person_id, "owner", "")


async def whole(inst: Installation, email: str) -> Staff:
    """One account stands with its two channels, and one letter confirms it; nothing waits any more."""
    made = await owner_of(inst, email)
    assert made
    assert sorted(one.kind for one in await read_channels(inst, made.account_id)) == ["chat", "email"]
    [letter] = await list_kept(inst, made)
    assert "/confirm/" in letter.text and "Adresse" in letter.text
    assert await waiting(inst) == []
    return made


async def test_a_sign_up_is_kept_when_its_process_was_killed_right_after_the_answer(
    inst: Installation, guest: NewBrowser, cyd: Staff, above: psycopg.Connection[Any]
) -> None:
    email, company, browser = fresh(), f"Killed {new_id().hex[-8:]}", guest()
    await signs_up(browser, email, company)
    [row] = above.execute("select words_sealed, origin_sealed from directory.promised_sign_up").fetchall()
    assert row[1] and all(word.encode() not in bytes(row[0]) for word in (email, company, PASSWORD, "Ida"))
    await clock(inst, timedelta(0))
    assert await people.find_person(inst, email) is None  # it may still be at work
    await clock(inst)
    made = await whole(inst, email)
    origins = "select count(*) from tenant.sign_up_origin where account_id = %s"
    assert above.execute(origins, [made.account_id]).fetchone() == (1,)
    assert await people.prove(inst, email, PASSWORD) == (made.person_id, False)
    assert await list_kept(inst, cyd) == [] and company not in {
        one.name for one in await read_channels(inst, cyd.account_id)
    }


STEPS = {
    "the account's key": (promised_sign_up, "opening"),
    "person and account": (promised_sign_up, "_make"),
    "the first channel": (email_channel, "create_channel"),
    "both channels": (first_channels.chat, "open_channel"),
    "the channels": (sign_in, "send_confirmation"),
    "the link": (sign_in, "write_to"),
    "the letter's row": (letters, "_send"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_sign_up_whose_process_is_killed_before_or_after_any_step_is_done_once(
    inst: Installation,
    guest: NewBrowser,
    cyd: Staff,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    email = fresh()
    await signs_up(guest(), email)
    [row_id] = await waiting(inst)
    room, name = STEPS[step]
    right = getattr(room, name)

    async def then_killed(*given: Any, **named: Any) -> None:
        await right(*given, **named)
        raise Killed

    for dies in (killed, then_killed):
        with monkeypatch.context() as dying:
            dying.setattr(room, name, dies)
            if await waiting(inst):
                with pytest.raises(Killed):
                    await promised_sign_up.keep(inst, row_id, open_first_channels)
    with travel(LEFT_OVER + timedelta(seconds=1)):
        await promised_sign_up.keep_left_over(inst, open_first_channels)
        made = await owner_of(inst, email)
        assert made and made.person_id == row_id
        await letters.send_left_over(inst, made.account_id)
    await clock(inst)
    await whole(inst, email)
    assert await list_kept(inst, cyd) == []


async def test_two_that_keep_the_same_sign_up_at_once_make_one_account_and_one_letter(
    inst: Installation, guest: NewBrowser
) -> None:
    email = fresh()
    await signs_up(guest(), email)
    [row_id] = await waiting(inst)
    both = [promised_sign_up.keep(inst, row_id, open_first_channels) for _ in range(2)]
    await asyncio.gather(*both)
    made = await owner_of(inst, email)
    assert made and len([one for one in await list_kept(inst, made) if "/confirm/" in one.text]) == 1
    assert await waiting(inst) == []


async def test_a_known_address_is_asked_written_and_answered_alike_and_nothing_of_it_stays(
    inst: Installation, guest: NewBrowser, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    known, browser = (await people.read_person(inst, cyd.person_id)).email, guest()
    told: list[tuple[list[str], str]] = []
    for email in (fresh(), known):
        asked: list[str] = []
        reset = statements.set(asked)
        answer = await signs_up(browser, email, "The Same")
        statements.reset(reset)
        told.append((asked, answer))
    assert told[0] == told[1]
    assert [text for text in told[0][0] if "promised" in text] and "find_person" not in str(told[0][0])
    lengths = "select length(origin_sealed), ended_at from directory.promised_sign_up"
    first, second = above.execute(lengths).fetchall()
    assert first == second
    rows = above.execute("select id, account_id from directory.promised_sign_up").fetchall()
    await clock(inst)
    [letter] = await list_kept(inst, cyd)
    assert "/reset/" in letter.text and await list_kept(inst, ada) == []
    assert await waiting(inst) == []
    assert len(await people.works_in(inst, cyd.person_id)) == 1
    became = [row for row in rows if await people.works_in(inst, row[0])]
    [(person_id, account_id)] = [row for row in rows if row not in became]
    assert len(became) == 1 and await inst.vault.person_key(became[0][0])
    await need_no_keys(inst, person_id, account_id)


async def need_no_keys(inst: Installation, person_id: UUID, account_id: UUID) -> None:
    with pytest.raises(Erased):
        await inst.vault.person_key(person_id)
    with pytest.raises(Erased):
        await inst.vault.account_key(account_id)
    assert inst.vault.count_account(account_id) == {}
    assert ("person", NOBODY, person_id) not in inst.vault.keystore.names("person", NOBODY)


KNOWN = {
    "the letter": (sign_in, "send_reset"),
    "the letter's row": (letters, "_send"),
    "the keys": (promised_sign_up, "_clear"),
}


@pytest.mark.parametrize("step", KNOWN)
async def test_of_a_known_address_nothing_stays_wherever_its_process_is_killed_and_one_letter_goes(
    inst: Installation,
    guest: NewBrowser,
    above: psycopg.Connection[Any],
    cyd: Staff,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    await signs_up(guest(), (await people.read_person(inst, cyd.person_id)).email)
    [(row_id, account_id)] = above.execute("select id, account_id from directory.promised_sign_up").fetchall()
    room, name = KNOWN[step]
    with monkeypatch.context() as dying:
        dying.setattr(room, name, killed)
        with pytest.raises(Killed):
            await promised_sign_up.keep(inst, row_id, open_first_channels)
    with travel(LEFT_OVER + timedelta(seconds=1)):
        await promised_sign_up.keep_left_over(inst, open_first_channels)
        await letters.send_left_over(inst, cyd.account_id)
    await clock(inst)
    [letter] = await list_kept(inst, cyd)
    assert "/reset/" in letter.text and await waiting(inst) == []
    await need_no_keys(inst, row_id, account_id)


async def test_after_an_hour_it_is_forgotten_with_its_keys_and_one_that_was_begun_is_brought_to_its_end(
    inst: Installation,
    guest: NewBrowser,
    above: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser, late, begun = guest(), fresh(), fresh()
    await signs_up(browser, begun)
    [begun_id] = await waiting(inst)
    with monkeypatch.context() as dying:
        dying.setattr(sign_in, "send_confirmation", killed)
        with pytest.raises(Killed):
            await promised_sign_up.keep(inst, begun_id, open_first_channels)
    await signs_up(browser, late)
    [(late_id, account_id)] = above.execute(
        "select id, account_id from directory.promised_sign_up where id <> %s", [begun_id]
    ).fetchall()
    with monkeypatch.context() as doubted:
        doubted.setattr(promised_sign_up, "may_destroy", lambda _what: False)
        doubted.setattr(promised_sign_up, "keep", killed_quietly)
        await clock(inst, timedelta(hours=1))
        assert late_id in await waiting(inst), "a clock that jumped destroys nothing"
    await clock(inst, timedelta(hours=1))
    assert await people.find_person(inst, late) is None and await waiting(inst) == []
    await need_no_keys(inst, late_id, account_id)
    made = await owner_of(inst, begun)
    assert made and await inst.vault.account_key(made.account_id)


async def killed_quietly(*_: Any) -> None:
    return None


async def test_no_key_of_an_account_that_stands_is_destroyed_whoever_ends_its_sign_up(
    inst: Installation, guest: NewBrowser
) -> None:
    email = fresh()
    await signs_up(guest(), email)
    [row_id] = await waiting(inst)
    await inst.db.directory("select directory.end_promised_sign_up(%s, %s)", [row_id, now()])
    await promised_sign_up.keep(inst, row_id, open_first_channels)
    assert await people.find_person(inst, email) is None
    await signs_up(guest(), email)
    [row_id] = await waiting(inst)
    row = await promised_sign_up._read(inst, row_id)
    assert row
    words = promised_sign_up._opened(await inst.vault.person_key(row_id), row_id, row)
    assert await promised_sign_up._make(inst, row_id, row, words)
    with pytest.raises(psycopg.errors.NoDataFound):
        await inst.db.directory("select directory.end_promised_sign_up(%s, %s)", [row_id, now()])
    await clock(inst, timedelta(hours=1))
    assert await inst.vault.account_key(row.account_id) and await inst.vault.person_key(row_id)
